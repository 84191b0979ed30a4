//! What the service does: the one core behind every version of the contract. It knows no messages.

mod watch;

use scribemed_jobs::{NewJob, Store};
use scribemed_rpc::{CallContext, RequestId};
use sqlx::SqliteConnection;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) use self::watch::Changes;
use crate::error::Error;
use crate::job::Payload;
use crate::note::{Etag, Identity, Note, Signing};
use crate::section::{NoteType, Section, Sections};
use crate::store::notes::{self, Filter, Page};
use crate::store::page::PageToken;
use crate::store::requests::{self, Answer, Fingerprint, RequestKey};
use crate::time::Timestamp;

/// The notes of one database. Clones share everything.
#[derive(Clone)]
pub struct Core {
    store: Store,
    changes: Changes,
    shutdown: CancellationToken,
}

/// What a note is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// Whom it is about.
    pub patient_id: Uuid,
    /// The visit.
    pub encounter_id: Uuid,
    /// Who is responsible for it.
    pub provider_id: Uuid,
    /// Its type.
    pub note_type: NoteType,
}

/// A request that its caller has given an id, so that a repeat gets the first answer.
#[derive(Debug, Clone, Copy)]
pub struct Repeatable<'a> {
    /// The request.
    pub key: RequestKey<'a>,
    /// What it asks for.
    pub fingerprint: Fingerprint,
}

impl Core {
    /// The notes in `store`. Watches end when `shutdown` is cancelled.
    pub(crate) fn new(store: Store, changes: Changes, shutdown: CancellationToken) -> Self {
        Self {
            store,
            changes,
            shutdown,
        }
    }

    /// Accepts a note to be drafted from a transcription. When this returns, the note and the job that drafts it are on
    /// disk. A repeat returns the first note as it is now.
    ///
    /// # Errors
    ///
    /// [`Error::RequestIdReused`], [`Error::Store`].
    pub async fn generate(
        &self,
        subject: Subject,
        transcription_id: Uuid,
        request: Option<Repeatable<'_>>,
    ) -> Result<Note, Error> {
        let mut tx = self.store.begin().await?;
        if let Some(answer) = answered(&mut tx, request).await? {
            return Ok(notes::get(&mut tx, answer.note_id).await?);
        }
        let note = Note::generating(self.identity(subject, Some(transcription_id)));
        self.insert(&mut tx, &note, request).await?;
        let payload = Payload {
            note_id: note.id(),
            request_id: CallContext::current()
                .map_or_else(RequestId::generate, |context| context.request_id())
                .as_uuid(),
        };
        self.store.enqueue(&mut tx, job(payload)?).await?;
        tx.commit().await?;
        self.store.notify();
        tracing::info!(note_id = %note.id(), %transcription_id, "accepted");
        Ok(note)
    }

    /// Stores a note that somebody wrote. A repeat returns the first note as it was then.
    ///
    /// # Errors
    ///
    /// [`Error::Section`], [`Error::RequestIdReused`], [`Error::Store`].
    pub async fn create(
        &self,
        subject: Subject,
        transcription_id: Option<Uuid>,
        sections: Vec<Section>,
        request: Option<Repeatable<'_>>,
    ) -> Result<Note, Error> {
        let note_type = subject.note_type;
        let sections = Sections::new(note_type, sections)
            .map_err(|problem| Error::Section { note_type, problem })?;
        self.create_whole(subject, transcription_id, sections, request)
            .await
    }

    /// [`create`](Self::create) for sections that are known to be those of the note's type.
    pub(crate) async fn create_whole(
        &self,
        subject: Subject,
        transcription_id: Option<Uuid>,
        sections: Sections,
        request: Option<Repeatable<'_>>,
    ) -> Result<Note, Error> {
        let mut tx = self.store.begin().await?;
        if let Some(answer) = answered(&mut tx, request).await? {
            return Ok(notes::get_revision(&mut tx, answer.note_id, answer.revision).await?);
        }
        let note = Note::written(self.identity(subject, transcription_id), sections);
        self.insert(&mut tx, &note, request).await?;
        tx.commit().await?;
        Ok(note)
    }

    /// The note as it is now.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn get(&self, id: Uuid) -> Result<Note, Error> {
        let mut conn = self.store.pool().acquire().await?;
        Ok(notes::get(&mut conn, id).await?)
    }

    /// A page of notes, newest first; see [`notes::list`].
    ///
    /// # Errors
    ///
    /// [`Error::PageToken`], [`Error::Store`].
    pub async fn list(
        &self,
        filter: &Filter,
        size: u32,
        token: Option<&PageToken>,
    ) -> Result<Page, Error> {
        let mut conn = self.store.pool().acquire().await?;
        Ok(notes::list(&mut conn, filter, size, token).await?)
    }

    /// Replaces some sections of a draft whose etag is `expected`. A repeat returns the first result.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Generating`], [`Error::Failed`], [`Error::Signed`], [`Error::EtagMismatch`],
    /// [`Error::Section`], [`Error::RequestIdReused`], [`Error::Store`].
    pub async fn update(
        &self,
        id: Uuid,
        expected: &Etag,
        sections: Vec<Section>,
        request: Option<Repeatable<'_>>,
    ) -> Result<Note, Error> {
        let mut tx = self.store.begin().await?;
        if let Some(answer) = answered(&mut tx, request).await? {
            return Ok(notes::get_revision(&mut tx, answer.note_id, answer.revision).await?);
        }
        let mut note = notes::get(&mut tx, id).await?;
        note.edit(sections, expected, self.now())
            .map_err(|refused| Error::refused(&note, refused))?;
        notes::update(&mut tx, &note, expected).await?;
        self.record(&mut tx, &note, request).await?;
        tx.commit().await?;
        Ok(note)
    }

    /// Signs the draft whose etag is `expected` in the name of `signer`. Signing it again returns it as it is.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Generating`], [`Error::Failed`], [`Error::Signed`], [`Error::EtagMismatch`],
    /// [`Error::Store`].
    pub async fn sign(&self, id: Uuid, expected: &Etag, signer: &str) -> Result<Note, Error> {
        let mut tx = self.store.begin().await?;
        let mut note = notes::get(&mut tx, id).await?;
        let signing = note
            .sign(signer, expected, self.now())
            .map_err(|refused| Error::refused(&note, refused))?;
        if signing == Signing::Signed {
            notes::update(&mut tx, &note, expected).await?;
            tx.commit().await?;
        }
        Ok(note)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.store.now_ms())
    }

    fn identity(&self, subject: Subject, transcription_id: Option<Uuid>) -> Identity {
        Identity {
            id: Uuid::now_v7(),
            patient_id: subject.patient_id,
            encounter_id: subject.encounter_id,
            provider_id: subject.provider_id,
            note_type: subject.note_type,
            transcription_id,
            created_at: self.now(),
        }
    }

    async fn insert(
        &self,
        tx: &mut SqliteConnection,
        note: &Note,
        request: Option<Repeatable<'_>>,
    ) -> Result<(), Error> {
        notes::insert(tx, note).await?;
        self.record(tx, note, request).await
    }

    async fn record(
        &self,
        tx: &mut SqliteConnection,
        note: &Note,
        request: Option<Repeatable<'_>>,
    ) -> Result<(), Error> {
        if let Some(Repeatable { key, fingerprint }) = request {
            requests::record(tx, &key, &fingerprint, note, self.now()).await?;
        }
        Ok(())
    }
}

async fn answered(
    tx: &mut SqliteConnection,
    request: Option<Repeatable<'_>>,
) -> Result<Option<Answer>, Error> {
    match request {
        Some(Repeatable { key, fingerprint }) => Ok(requests::find(tx, &key, &fingerprint).await?),
        None => Ok(None),
    }
}

fn job(payload: Payload) -> Result<NewJob, Error> {
    // Two UUIDs always have a JSON form; were it otherwise, nothing is stored.
    let text = serde_json::to_string(&payload)
        .map_err(|_| crate::store::Error::Corrupt { column: "payload" })?;
    Ok(NewJob::new(crate::job::QUEUE, text)
        .id(payload.note_id)
        .max_attempts(crate::job::MAX_ATTEMPTS))
}
