//! What a note is, and which changes it allows.

mod error;
mod etag;
pub mod v1;

use std::fmt;

use uuid::Uuid;

pub use self::error::{Error, NotGenerating};
pub use self::etag::Etag;
use crate::section::{NoteType, Section, Sections};
use crate::time::Timestamp;

/// A clinical note.
///
/// Its life: `GENERATING` -> `DRAFT` | `FAILED`; `DRAFT` -> `SIGNED`. `FAILED` and `SIGNED` are the end. Each change makes
/// a new revision with a new etag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    identity: Identity,
    state: State,
    sections: Sections,
    revision: u32,
    updated_at: Timestamp,
}

/// What never changes about a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The note.
    pub id: Uuid,
    /// Whom it is about.
    pub patient_id: Uuid,
    /// The encounter that it documents.
    pub encounter_id: Uuid,
    /// Who is responsible for it.
    pub provider_id: Uuid,
    /// Its type.
    pub note_type: NoteType,
    /// The transcription that it is drafted from, or refers to.
    pub transcription_id: Option<Uuid>,
    /// When it was made. The order of a list of notes.
    pub created_at: Timestamp,
}

/// Where a note is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is being drafted; its sections are empty.
    Generating,
    /// It can be edited.
    Draft,
    /// It is final.
    Signed(Signature),
    /// It could not be drafted; its sections are empty.
    Failed(FailureReason),
}

/// Who signed a note, and what exactly was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The subject of the signing caller's token.
    pub signed_by: String,
    /// When.
    pub signed_at: Timestamp,
    /// The etag of the draft that was signed.
    pub of: Etag,
}

/// Why a note could not be drafted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureReason {
    /// There is no such transcription.
    TranscriptionNotFound,
    /// The transcription itself failed.
    TranscriptionFailed,
    /// The transcription was cancelled.
    TranscriptionCancelled,
    /// The transcription service could not be used, however often it was asked.
    TranscriptionUnavailable,
    /// This service's own store failed.
    StoreFailed,
    /// Each attempt ended without an outcome.
    AttemptsExhausted,
}

impl FailureReason {
    pub(crate) const ALL: [Self; 6] = [
        Self::TranscriptionNotFound,
        Self::TranscriptionFailed,
        Self::TranscriptionCancelled,
        Self::TranscriptionUnavailable,
        Self::StoreFailed,
        Self::AttemptsExhausted,
    ];

    /// What a reader is told. It holds nothing that was said.
    pub const fn message(self) -> &'static str {
        match self {
            Self::TranscriptionNotFound => "there is no such transcription",
            Self::TranscriptionFailed => "the transcription failed",
            Self::TranscriptionCancelled => "the transcription was cancelled",
            Self::TranscriptionUnavailable => {
                "the transcription service could not be used in any of the tries; generate another note"
            }
            Self::StoreFailed => "the note could not be stored; generate another note",
            Self::AttemptsExhausted => {
                "the note was tried as often as is allowed, each time without an outcome; generate another note"
            }
        }
    }

    /// The name that the store and the contract use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TranscriptionNotFound => "TRANSCRIPTION_NOT_FOUND",
            Self::TranscriptionFailed => "TRANSCRIPTION_FAILED",
            Self::TranscriptionCancelled => "TRANSCRIPTION_CANCELLED",
            Self::TranscriptionUnavailable => "TRANSCRIPTION_UNAVAILABLE",
            Self::StoreFailed => "STORE_FAILED",
            Self::AttemptsExhausted => "ATTEMPTS_EXHAUSTED",
        }
    }

    /// The reason called `name`, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// The name of a [`State`], without what belongs to it: for filters and messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StateName {
    /// [`State::Generating`].
    Generating,
    /// [`State::Draft`].
    Draft,
    /// [`State::Signed`].
    Signed,
    /// [`State::Failed`].
    Failed,
}

impl StateName {
    /// The name that the store and the contract use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generating => "GENERATING",
            Self::Draft => "DRAFT",
            Self::Signed => "SIGNED",
            Self::Failed => "FAILED",
        }
    }
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What [`Note::sign`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// The note is signed now; it has to be stored.
    Signed,
    /// It had been signed already, by the same signer; nothing changed.
    Repeated,
}

impl Note {
    /// A note that is going to be drafted: `GENERATING`, with empty sections.
    pub fn generating(identity: Identity) -> Self {
        let sections = Sections::empty(identity.note_type);
        Self::first(identity, State::Generating, sections)
    }

    /// A note that somebody wrote: `DRAFT`.
    ///
    /// `sections` are taken to be those of the identity's note type ([`Sections::new`] makes sure).
    pub fn written(identity: Identity, sections: Sections) -> Self {
        Self::first(identity, State::Draft, sections)
    }

    fn first(identity: Identity, state: State, sections: Sections) -> Self {
        let updated_at = identity.created_at;
        Self {
            identity,
            state,
            sections,
            revision: 1,
            updated_at,
        }
    }

    /// A note as it was stored.
    pub(crate) fn stored(
        identity: Identity,
        state: State,
        sections: Sections,
        revision: u32,
        updated_at: Timestamp,
    ) -> Self {
        Self {
            identity,
            state,
            sections,
            revision,
            updated_at,
        }
    }

    /// What never changes about it.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The note's id.
    pub fn id(&self) -> Uuid {
        self.identity.id
    }

    /// Where it is in its life.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The name of its state.
    pub fn state_name(&self) -> StateName {
        match self.state {
            State::Generating => StateName::Generating,
            State::Draft => StateName::Draft,
            State::Signed(_) => StateName::Signed,
            State::Failed(_) => StateName::Failed,
        }
    }

    /// Its sections.
    pub fn sections(&self) -> &Sections {
        &self.sections
    }

    /// How often it has been saved, from 1.
    pub fn revision(&self) -> u32 {
        self.revision
    }

    /// When it was last changed.
    pub fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// What identifies this revision. It says nothing about the text.
    pub fn etag(&self) -> Etag {
        Etag::of(self.identity.id, self.revision, self.updated_at)
    }

    /// Fills in the draft: `GENERATING` -> `DRAFT`.
    ///
    /// # Errors
    ///
    /// [`NotGenerating`] in any other state.
    pub fn complete(&mut self, sections: Sections, now: Timestamp) -> Result<(), NotGenerating> {
        self.check_generating()?;
        self.sections = sections;
        self.change(State::Draft, now);
        Ok(())
    }

    /// Gives up drafting: `GENERATING` -> `FAILED`.
    ///
    /// # Errors
    ///
    /// [`NotGenerating`] in any other state.
    pub fn fail(&mut self, reason: FailureReason, now: Timestamp) -> Result<(), NotGenerating> {
        self.check_generating()?;
        self.change(State::Failed(reason), now);
        Ok(())
    }

    /// Replaces the sections that `changed` has; the others stay as they are: `DRAFT` -> `DRAFT`.
    ///
    /// `expected` is the etag that the editor saw.
    ///
    /// # Errors
    ///
    /// [`Error::Generating`] while the note is being drafted, [`Error::Failed`] when it could not be,
    /// [`Error::Signed`] once it is signed, [`Error::EtagMismatch`] when the note has changed since, and
    /// [`Error::Section`] when a section does not fit. The state comes first: a reader of a signed note does not have to
    /// fetch a new etag to be told so.
    pub fn edit(
        &mut self,
        changed: Vec<Section>,
        expected: &Etag,
        now: Timestamp,
    ) -> Result<(), Error> {
        match self.state {
            State::Generating => return Err(Error::Generating),
            State::Failed(reason) => return Err(Error::Failed { reason }),
            State::Signed(_) => return Err(Error::Signed),
            State::Draft => {}
        }
        self.check_etag(expected)?;
        self.sections = self.sections.clone().with(changed)?;
        self.change(State::Draft, now);
        Ok(())
    }

    /// Signs the note: `DRAFT` -> `SIGNED`.
    ///
    /// Signing again does nothing and succeeds, if the same signer signs the same text: with the etag of the draft that
    /// was signed, which is what a client sends that did not get the first answer, or with that of the signed note.
    ///
    /// # Errors
    ///
    /// [`Error::Generating`] and [`Error::Failed`] when there is nothing to sign, [`Error::Signed`] when the signature
    /// is another signer's, [`Error::EtagMismatch`] when the note is not what the signer saw.
    pub fn sign(
        &mut self,
        signer: &str,
        expected: &Etag,
        now: Timestamp,
    ) -> Result<Signing, Error> {
        match &self.state {
            State::Generating => return Err(Error::Generating),
            State::Failed(reason) => return Err(Error::Failed { reason: *reason }),
            State::Signed(signature) => {
                if signature.signed_by != signer {
                    return Err(Error::Signed);
                }
                if *expected != signature.of {
                    self.check_etag(expected)?;
                }
                return Ok(Signing::Repeated);
            }
            State::Draft => {}
        }
        self.check_etag(expected)?;
        let signature = Signature {
            signed_by: signer.to_owned(),
            signed_at: now,
            of: self.etag(),
        };
        self.change(State::Signed(signature), now);
        Ok(Signing::Signed)
    }

    fn check_generating(&self) -> Result<(), NotGenerating> {
        match self.state {
            State::Generating => Ok(()),
            State::Draft | State::Signed(_) | State::Failed(_) => Err(NotGenerating {
                state: self.state_name(),
            }),
        }
    }

    fn check_etag(&self, expected: &Etag) -> Result<(), Error> {
        let current = self.etag();
        if *expected == current {
            Ok(())
        } else {
            Err(Error::EtagMismatch { current })
        }
    }

    fn change(&mut self, state: State, now: Timestamp) {
        self.state = state;
        self.revision += 1;
        // A clock that is set back does not make a note older than its previous revision.
        self.updated_at = self.updated_at.max(now);
    }
}

#[cfg(test)]
mod tests;
