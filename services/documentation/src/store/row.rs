//! A note as a row, and back.

use sqlx::FromRow;
use uuid::Uuid;

use super::Error;
use crate::note::{Etag, FailureReason, Identity, Note, Signature, State};
use crate::section::{NoteType, Section, Sections};
use crate::time::Timestamp;

/// A row of `notes`, or of `note_revisions` joined with what never changes about the note.
///
/// There is no `Debug`: the sections are text about a patient.
#[derive(FromRow)]
pub(super) struct Row {
    id: String,
    patient_id: String,
    encounter_id: String,
    provider_id: String,
    note_type: String,
    transcription_id: Option<String>,
    created_at: i64,
    state: String,
    failure: Option<String>,
    signed_by: Option<String>,
    signed_at: Option<i64>,
    signed_etag: Option<String>,
    sections: String,
    revision: i64,
    updated_at: i64,
}

impl TryFrom<Row> for Note {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let state = state(&row)?;
        let note_type = NoteType::from_name(&row.note_type).ok_or(Error::Corrupt {
            column: "note_type",
        })?;
        let identity = Identity {
            id: uuid(&row.id, "id")?,
            patient_id: uuid(&row.patient_id, "patient_id")?,
            encounter_id: uuid(&row.encounter_id, "encounter_id")?,
            provider_id: uuid(&row.provider_id, "provider_id")?,
            note_type,
            transcription_id: row
                .transcription_id
                .as_deref()
                .map(|id| uuid(id, "transcription_id"))
                .transpose()?,
            created_at: Timestamp::from_millis(row.created_at),
        };
        // The decoder's own error would quote the text that it could not read.
        let sections: Vec<Section> = serde_json::from_str(&row.sections)
            .map_err(|_| Error::Corrupt { column: "sections" })?;
        let sections = Sections::new(note_type, sections)
            .map_err(|_| Error::Corrupt { column: "sections" })?;
        let revision =
            u32::try_from(row.revision).map_err(|_| Error::Corrupt { column: "revision" })?;
        Ok(Note::stored(
            identity,
            state,
            sections,
            revision,
            Timestamp::from_millis(row.updated_at),
        ))
    }
}

fn state(row: &Row) -> Result<State, Error> {
    let state = match row.state.as_str() {
        "GENERATING" => State::Generating,
        "DRAFT" => State::Draft,
        "SIGNED" => State::Signed(Signature {
            signed_by: row.signed_by.clone().ok_or(Error::Corrupt {
                column: "signed_by",
            })?,
            signed_at: Timestamp::from_millis(row.signed_at.ok_or(Error::Corrupt {
                column: "signed_at",
            })?),
            of: Etag::from_wire(row.signed_etag.clone().ok_or(Error::Corrupt {
                column: "signed_etag",
            })?),
        }),
        "FAILED" => {
            let reason = row.failure.as_deref().and_then(FailureReason::from_name);
            State::Failed(reason.ok_or(Error::Corrupt { column: "failure" })?)
        }
        _ => return Err(Error::Corrupt { column: "state" }),
    };
    Ok(state)
}

fn uuid(text: &str, column: &'static str) -> Result<Uuid, Error> {
    Uuid::parse_str(text).map_err(|_| Error::Corrupt { column })
}

/// The columns that a change of the note sets.
pub(super) struct Changing {
    pub(super) state: &'static str,
    pub(super) failure: Option<&'static str>,
    pub(super) signed_by: Option<String>,
    pub(super) signed_at: Option<i64>,
    pub(super) signed_etag: Option<String>,
    pub(super) sections: String,
    pub(super) revision: i64,
    pub(super) etag: String,
    pub(super) updated_at: i64,
}

impl Changing {
    pub(super) fn of(note: &Note) -> Result<Self, Error> {
        let (failure, signature) = match note.state() {
            State::Generating | State::Draft => (None, None),
            State::Failed(reason) => (Some(reason.name()), None),
            State::Signed(signature) => (None, Some(signature)),
        };
        Ok(Self {
            state: note.state_name().name(),
            failure,
            signed_by: signature.map(|signature| signature.signed_by.clone()),
            signed_at: signature.map(|signature| signature.signed_at.as_millis()),
            signed_etag: signature.map(|signature| signature.of.to_string()),
            sections: serde_json::to_string(note.sections())
                .map_err(|_| Error::Corrupt { column: "sections" })?,
            revision: i64::from(note.revision()),
            etag: note.etag().to_string(),
            updated_at: note.updated_at().as_millis(),
        })
    }
}
