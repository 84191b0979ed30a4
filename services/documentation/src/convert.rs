//! Between the messages of the contract and the domain.

pub(crate) mod note_v1;
pub(crate) mod transcription;

use prost_types::{Duration, Timestamp as WireTimestamp};
use scribemed_proto::documentation::v2;
use scribemed_rpc::{Fault, Violation};
use tonic::Status;
use uuid::Uuid;

use crate::note::{FailureReason, Note, State, StateName};
use crate::section::{NoteType, Section, SectionKind, Source};
use crate::time::Timestamp;

/// A note with its sections.
pub(crate) fn note(note: &Note) -> v2::Note {
    let sections = match note.state() {
        State::Generating | State::Failed(_) => Vec::new(),
        State::Draft | State::Signed(_) => note
            .sections()
            .iter()
            .map(|section| self::section(section, note.identity().transcription_id))
            .collect(),
    };
    v2::Note {
        sections,
        ..summary(note)
    }
}

/// A note without its sections, as lists show it.
pub(crate) fn summary(note: &Note) -> v2::Note {
    let identity = note.identity();
    let signature = match note.state() {
        State::Signed(signature) => Some(signature),
        State::Generating | State::Draft | State::Failed(_) => None,
    };
    let failure = match note.state() {
        State::Failed(reason) => Some(v2::Failure {
            reason: failure_reason(*reason).into(),
            message: reason.message().to_owned(),
        }),
        State::Generating | State::Draft | State::Signed(_) => None,
    };
    v2::Note {
        id: identity.id.to_string(),
        patient_id: identity.patient_id.to_string(),
        encounter_id: identity.encounter_id.to_string(),
        provider_id: identity.provider_id.to_string(),
        note_type: note_type(identity.note_type).into(),
        state: state(note.state_name()).into(),
        sections: Vec::new(),
        transcription_id: optional(identity.transcription_id),
        etag: note.etag().to_string(),
        create_time: Some(timestamp(identity.created_at)),
        update_time: Some(timestamp(note.updated_at())),
        sign_time: signature.map(|signature| timestamp(signature.signed_at)),
        signed_by: signature.map_or_else(String::new, |signature| signature.signed_by.clone()),
        failure,
    }
}

fn section(section: &Section, transcription_id: Option<Uuid>) -> v2::Section {
    let sentences = section.sentences.iter().map(|sentence| v2::Sentence {
        text: sentence.text.expose().to_owned(),
        sources: sentence
            .sources
            .iter()
            .map(|source| self::source(*source, transcription_id))
            .collect(),
    });
    v2::Section {
        kind: section_kind(section.kind).into(),
        title: section.kind.title().to_owned(),
        sentences: sentences.collect(),
        documented: section.is_documented(),
    }
}

fn source(source: Source, transcription_id: Option<Uuid>) -> v2::Source {
    v2::Source {
        transcription_id: optional(transcription_id),
        // The index came in as an int32.
        segment_index: i32::try_from(source.segment).unwrap_or(i32::MAX),
        start: Some(duration(source.start_ms)),
        end: Some(duration(source.end_ms)),
    }
}

pub(crate) fn timestamp(at: Timestamp) -> WireTimestamp {
    let millis = at.as_millis();
    WireTimestamp {
        seconds: millis.div_euclid(1000),
        nanos: i32::try_from(millis.rem_euclid(1000) * 1_000_000).unwrap_or_default(),
    }
}

fn duration(millis: u64) -> Duration {
    Duration {
        seconds: i64::try_from(millis / 1000).unwrap_or(i64::MAX),
        nanos: i32::try_from(millis % 1000 * 1_000_000).unwrap_or_default(),
    }
}

pub(crate) fn optional(id: Option<Uuid>) -> String {
    id.map_or_else(String::new, |id| id.to_string())
}

pub(crate) const fn note_type(note_type: NoteType) -> v2::NoteType {
    match note_type {
        NoteType::Soap => v2::NoteType::Soap,
        NoteType::Progress => v2::NoteType::Progress,
        NoteType::Discharge => v2::NoteType::Discharge,
    }
}

const fn state(state: StateName) -> v2::NoteState {
    match state {
        StateName::Generating => v2::NoteState::Generating,
        StateName::Draft => v2::NoteState::Draft,
        StateName::Signed => v2::NoteState::Signed,
        StateName::Failed => v2::NoteState::Failed,
    }
}

pub(crate) const fn failure_reason(reason: FailureReason) -> v2::ErrorReason {
    use FailureReason as R;
    match reason {
        R::TranscriptionNotFound => v2::ErrorReason::TranscriptionNotFound,
        R::TranscriptionFailed => v2::ErrorReason::TranscriptionFailed,
        R::TranscriptionCancelled => v2::ErrorReason::TranscriptionCancelled,
        R::TranscriptionUnavailable => v2::ErrorReason::TranscriptionUnavailable,
        R::StoreFailed => v2::ErrorReason::StoreFailed,
        R::AttemptsExhausted => v2::ErrorReason::AttemptsExhausted,
    }
}

pub(crate) const fn section_kind(kind: SectionKind) -> v2::SectionKind {
    use SectionKind as S;
    match kind {
        S::Subjective => v2::SectionKind::Subjective,
        S::IntervalHistory => v2::SectionKind::IntervalHistory,
        S::Objective => v2::SectionKind::Objective,
        S::Assessment => v2::SectionKind::Assessment,
        S::Plan => v2::SectionKind::Plan,
        S::ReasonForAdmission => v2::SectionKind::ReasonForAdmission,
        S::HospitalCourse => v2::SectionKind::HospitalCourse,
        S::ConditionAtDischarge => v2::SectionKind::ConditionAtDischarge,
        S::DischargeMedications => v2::SectionKind::DischargeMedications,
        S::FollowUp => v2::SectionKind::FollowUp,
        S::Other => v2::SectionKind::Other,
    }
}

/// The type of a note in a request.
///
/// # Errors
///
/// INVALID_ARGUMENT; the contract's validation lets no such request through.
pub(crate) fn to_note_type(wire: i32) -> Result<NoteType, Status> {
    match v2::NoteType::try_from(wire) {
        Ok(v2::NoteType::Soap) => Ok(NoteType::Soap),
        Ok(v2::NoteType::Progress) => Ok(NoteType::Progress),
        Ok(v2::NoteType::Discharge) => Ok(NoteType::Discharge),
        Ok(v2::NoteType::Unspecified) | Err(_) => Err(undefined("note_type")),
    }
}

/// The state to filter by; `None` for all.
///
/// # Errors
///
/// As [`to_note_type`].
pub(crate) fn to_state(wire: i32) -> Result<Option<StateName>, Status> {
    match v2::NoteState::try_from(wire) {
        Ok(v2::NoteState::Unspecified) => Ok(None),
        Ok(v2::NoteState::Generating) => Ok(Some(StateName::Generating)),
        Ok(v2::NoteState::Draft) => Ok(Some(StateName::Draft)),
        Ok(v2::NoteState::Signed) => Ok(Some(StateName::Signed)),
        Ok(v2::NoteState::Failed) => Ok(Some(StateName::Failed)),
        Err(_) => Err(undefined("state")),
    }
}

/// Sections as a clinician wrote them, in the order of the request.
///
/// # Errors
///
/// As [`to_note_type`].
pub(crate) fn to_sections(wire: Vec<v2::SectionText>) -> Result<Vec<Section>, Status> {
    wire.into_iter()
        .enumerate()
        .map(|(index, section)| {
            let kind = to_section_kind(section.kind)
                .ok_or_else(|| undefined(format!("sections[{index}].kind")))?;
            Ok(Section::written(kind, section.text.into()))
        })
        .collect()
}

fn to_section_kind(wire: i32) -> Option<SectionKind> {
    use v2::SectionKind as W;
    match W::try_from(wire).ok()? {
        W::Unspecified => None,
        W::Subjective => Some(SectionKind::Subjective),
        W::Objective => Some(SectionKind::Objective),
        W::Assessment => Some(SectionKind::Assessment),
        W::Plan => Some(SectionKind::Plan),
        W::IntervalHistory => Some(SectionKind::IntervalHistory),
        W::ReasonForAdmission => Some(SectionKind::ReasonForAdmission),
        W::HospitalCourse => Some(SectionKind::HospitalCourse),
        W::ConditionAtDischarge => Some(SectionKind::ConditionAtDischarge),
        W::DischargeMedications => Some(SectionKind::DischargeMedications),
        W::FollowUp => Some(SectionKind::FollowUp),
        W::Other => Some(SectionKind::Other),
    }
}

/// The id in the field `field`.
///
/// # Errors
///
/// As [`to_note_type`].
pub(crate) fn to_uuid(field: &str, text: &str) -> Result<Uuid, Status> {
    Uuid::parse_str(text).map_err(|_| invalid(field, "string.uuid", "must be a valid UUID"))
}

/// The id in the field `field`; `None` when it is empty.
///
/// # Errors
///
/// As [`to_note_type`].
pub(crate) fn to_optional_uuid(field: &str, text: &str) -> Result<Option<Uuid>, Status> {
    (!text.is_empty()).then(|| to_uuid(field, text)).transpose()
}

pub(crate) fn undefined(field: impl Into<String>) -> Status {
    invalid(field, "enum.defined_only", "must be a defined value")
}

pub(crate) fn invalid(
    field: impl Into<String>,
    rule: &'static str,
    message: impl Into<std::borrow::Cow<'static, str>>,
) -> Status {
    Fault::invalid(
        crate::error::DOMAIN,
        &[Violation::new(field, rule, message)],
    )
    .into_status()
}
