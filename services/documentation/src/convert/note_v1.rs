//! Notes as version 1 of the contract has them.

use scribemed_proto::documentation::v1;
use tonic::Status;

use super::{optional, timestamp, undefined};
use crate::note::Note;
use crate::note::v1::{Content, Status as NoteStatus, View};
use crate::section::NoteType;

/// A note of which `view` is what version 1 shows.
pub(crate) fn note(note: &Note, view: View) -> v1::Note {
    let identity = note.identity();
    v1::Note {
        note_id: identity.id.to_string(),
        patient_id: identity.patient_id.to_string(),
        encounter_id: identity.encounter_id.to_string(),
        provider_id: identity.provider_id.to_string(),
        note_type: note_type(identity.note_type).into(),
        transcription_id: optional(identity.transcription_id),
        status: status(view.status).into(),
        content: Some(v1::NoteContent {
            subjective: view.content.subjective.into_exposed(),
            objective: view.content.objective.into_exposed(),
            assessment: view.content.assessment.into_exposed(),
            plan: view.content.plan.into_exposed(),
        }),
        created_at: Some(timestamp(identity.created_at)),
    }
}

pub(crate) const fn status(status: NoteStatus) -> v1::NoteStatus {
    match status {
        NoteStatus::Draft => v1::NoteStatus::Draft,
        NoteStatus::Completed => v1::NoteStatus::Completed,
    }
}

const fn note_type(note_type: NoteType) -> v1::NoteType {
    match note_type {
        NoteType::Soap => v1::NoteType::Soap,
        NoteType::Progress => v1::NoteType::Progress,
        NoteType::Discharge => v1::NoteType::Discharge,
    }
}

/// The type of a note in a request.
///
/// # Errors
///
/// INVALID_ARGUMENT; the contract's validation lets no such request through.
pub(crate) fn to_note_type(wire: i32) -> Result<NoteType, Status> {
    match v1::NoteType::try_from(wire) {
        Ok(v1::NoteType::Soap) => Ok(NoteType::Soap),
        Ok(v1::NoteType::Progress) => Ok(NoteType::Progress),
        Ok(v1::NoteType::Discharge) => Ok(NoteType::Discharge),
        Ok(v1::NoteType::Unspecified) | Err(_) => Err(undefined("note_type")),
    }
}

pub(crate) fn to_content(wire: v1::NoteContent) -> Content {
    Content {
        subjective: wire.subjective.into(),
        objective: wire.objective.into(),
        assessment: wire.assessment.into(),
        plan: wire.plan.into(),
    }
}
