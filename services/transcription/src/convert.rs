//! Between the domain and the messages of the contracts.

use std::time::Duration;

use scribemed_proto::transcription::{v1, v2};
use uuid::Uuid;

use crate::engine::{Model, Segment};
use crate::error::Error;
use crate::reason::Reason;
use crate::transcription::{Failure, State, Transcription};

/// The UUID in a field that the contract says holds one.
pub(crate) fn uuid(field: &'static str, text: &str) -> Result<Uuid, Error> {
    Uuid::parse_str(text).map_err(|_| Error::Field {
        field,
        rule: "must be a UUID",
    })
}

/// The UUID in an optional field.
pub(crate) fn optional_uuid(field: &'static str, text: &str) -> Result<Option<Uuid>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    uuid(field, text).map(Some)
}

/// The state that a list is narrowed to.
pub(crate) fn filter(state: v2::TranscriptionState) -> Option<State> {
    match state {
        v2::TranscriptionState::Unspecified => None,
        v2::TranscriptionState::Queued => Some(State::Queued),
        v2::TranscriptionState::Running => Some(State::Running),
        v2::TranscriptionState::Succeeded => Some(State::Succeeded),
        v2::TranscriptionState::Failed => Some(State::Failed),
        v2::TranscriptionState::Cancelled => Some(State::Cancelled),
    }
}

impl From<State> for v2::TranscriptionState {
    fn from(state: State) -> Self {
        match state {
            State::Queued => Self::Queued,
            State::Running => Self::Running,
            State::Succeeded => Self::Succeeded,
            State::Failed => Self::Failed,
            State::Cancelled => Self::Cancelled,
        }
    }
}

impl From<Transcription> for v2::Transcription {
    fn from(transcription: Transcription) -> Self {
        Self {
            id: transcription.id.to_string(),
            state: v2::TranscriptionState::from(transcription.state).into(),
            progress: transcription.progress,
            segments: transcription.segments.into_iter().map(Into::into).collect(),
            text: transcription.text,
            model: transcription.model.map(Into::into),
            audio_duration: transcription.audio_duration.map(duration),
            confidence: transcription.confidence,
            failure: transcription.failure.map(Into::into),
            create_time: Some(timestamp(transcription.created_at)),
            update_time: Some(timestamp(transcription.updated_at)),
        }
    }
}

impl From<Segment> for v2::Segment {
    fn from(segment: Segment) -> Self {
        Self {
            index: i32::try_from(segment.index).unwrap_or(i32::MAX),
            start: Some(duration(segment.start)),
            end: Some(duration(segment.end)),
            text: segment.text,
            confidence: segment.confidence,
        }
    }
}

impl From<Model> for v2::Model {
    fn from(model: Model) -> Self {
        Self {
            id: model.id,
            sha256: model.sha256.unwrap_or_default(),
        }
    }
}

impl From<Failure> for v2::Failure {
    fn from(failure: Failure) -> Self {
        Self {
            reason: reason(failure.reason).into(),
            message: failure.message,
        }
    }
}

impl From<State> for v1::TranscriptionStatus {
    fn from(state: State) -> Self {
        match state {
            State::Queued => Self::Pending,
            State::Running => Self::Processing,
            State::Succeeded => Self::Completed,
            State::Failed | State::Cancelled => Self::Failed,
        }
    }
}

impl From<Transcription> for v1::GetTranscriptionStatusResponse {
    fn from(transcription: Transcription) -> Self {
        let error_message = match (transcription.failure, transcription.state) {
            (Some(failure), _) => failure.message,
            (None, State::Cancelled) => "the transcription was cancelled".to_owned(),
            (None, State::Queued | State::Running | State::Succeeded | State::Failed) => {
                String::new()
            }
        };
        Self {
            job_id: transcription.id.to_string(),
            status: v1::TranscriptionStatus::from(transcription.state).into(),
            error_message,
        }
    }
}

impl From<Transcription> for v1::GetTranscriptionResponse {
    fn from(transcription: Transcription) -> Self {
        Self {
            id: transcription.id.to_string(),
            text: transcription.text,
            confidence: transcription.confidence.unwrap_or_default(),
            segments: transcription
                .segments
                .into_iter()
                .map(|segment| v1::Segment {
                    text: segment.text,
                    start: Some(duration(segment.start)),
                    end: Some(duration(segment.end)),
                })
                .collect(),
        }
    }
}

fn reason(reason: Reason) -> v2::ErrorReason {
    v2::ErrorReason::from_str_name(&format!("ERROR_REASON_{}", reason.as_str())).unwrap_or_default()
}

fn duration(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        // Below 10^9 by construction.
        nanos: duration.subsec_nanos().cast_signed(),
    }
}

fn timestamp(millis: i64) -> prost_types::Timestamp {
    let nanos = millis.rem_euclid(1_000) * 1_000_000;
    prost_types::Timestamp {
        seconds: millis.div_euclid(1_000),
        nanos: i32::try_from(nanos).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_one_of_the_contract() {
        for ours in Reason::ALL {
            assert_ne!(
                reason(*ours),
                v2::ErrorReason::Unspecified,
                "{}",
                ours.as_str()
            );
        }
    }

    #[test]
    fn instants_before_the_epoch_keep_positive_nanos() {
        let check = |millis, seconds, nanos| {
            assert_eq!(timestamp(millis), prost_types::Timestamp { seconds, nanos });
        };
        check(1_234, 1, 234_000_000);
        check(-1, -1, 999_000_000);
        check(0, 0, 0);
    }
}
