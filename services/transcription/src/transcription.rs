//! What a transcription is.

use std::fmt;
use std::time::Duration;

use uuid::Uuid;

use crate::engine::{Model, Segment};
use crate::reason::Reason;

/// Where a transcription stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Waits for its turn, or for another try.
    Queued,
    /// The model is listening.
    Running,
    /// Text and segments are complete.
    Succeeded,
    /// Given up.
    Failed,
    /// Withdrawn.
    Cancelled,
}

impl State {
    const ALL: [Self; 5] = [
        Self::Queued,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The name, as it is stored and shown.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// The state of this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether it never changes again.
    pub(crate) const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// Why a transcription failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// For programs.
    pub(crate) reason: Reason,
    /// For people. It holds nothing that was said.
    pub(crate) message: String,
}

/// The version of the contract that a transcription was asked for by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// `scribemed.transcription.v1`.
    V1,
    /// `scribemed.transcription.v2`.
    V2,
}

impl Origin {
    /// The name, as it is stored.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }
}

/// A recording on its way to text. Times are milliseconds since the Unix epoch.
#[derive(Clone, PartialEq)]
pub(crate) struct Transcription {
    pub(crate) id: Uuid,
    pub(crate) state: State,
    /// How much of the recording was heard, 0 to 1.
    pub(crate) progress: f32,
    pub(crate) audio_duration: Option<Duration>,
    /// What listens or listened.
    pub(crate) model: Option<Model>,
    pub(crate) confidence: Option<f32>,
    /// The texts of the segments, joined by spaces; empty until it has succeeded.
    pub(crate) text: String,
    /// Empty until it has succeeded, and in lists.
    pub(crate) segments: Vec<Segment>,
    pub(crate) failure: Option<Failure>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

impl fmt::Debug for Transcription {
    // What a patient said does not belong into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transcription")
            .field("id", &self.id)
            .field("state", &self.state)
            .field("progress", &self.progress)
            .field("segments", &self.segments.len())
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

/// What an engine made of a recording.
#[derive(Clone, PartialEq)]
pub(crate) struct Transcript {
    pub(crate) segments: Vec<Segment>,
    pub(crate) model: Model,
    pub(crate) audio_duration: Duration,
}

impl Transcript {
    /// The texts of the segments, joined by spaces.
    pub(crate) fn text(&self) -> String {
        let texts: Vec<&str> = self.segments.iter().map(|s| s.text.as_str()).collect();
        texts.join(" ")
    }

    /// The mean over the segments that tell theirs, weighted by their length.
    pub(crate) fn confidence(&self) -> Option<f32> {
        let mut sum = 0.0;
        let mut length = 0.0;
        for segment in &self.segments {
            if let Some(confidence) = segment.confidence {
                // A segment without a length still counts for something.
                let weight = segment
                    .end
                    .saturating_sub(segment.start)
                    .max(Duration::from_millis(1))
                    .as_secs_f32();
                sum += confidence * weight;
                length += weight;
            }
        }
        (length > 0.0).then(|| (sum / length).clamp(0.0, 1.0))
    }
}

impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transcript")
            .field("segments", &self.segments.len())
            .field("model", &self.model)
            .field("audio_duration", &self.audio_duration)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcript(segments: &[(u64, u64, Option<f32>)]) -> Transcript {
        let segments = segments.iter().enumerate();
        Transcript {
            segments: segments
                .map(|(index, &(start, end, confidence))| Segment {
                    index,
                    start: Duration::from_secs(start),
                    end: Duration::from_secs(end),
                    text: "chest pain".to_owned(),
                    confidence,
                })
                .collect(),
            model: Model {
                id: "ggml-tiny.en".to_owned(),
                sha256: None,
            },
            audio_duration: Duration::from_secs(9),
        }
    }

    #[test]
    fn confidence_is_weighted_by_length() {
        let check = |segments: &[_], expect: Option<f32>| {
            let found = transcript(segments).confidence();
            let close = match (found, expect) {
                (Some(found), Some(expect)) => (found - expect).abs() < 1e-6,
                (found, expect) => found == expect,
            };
            assert!(close, "{found:?} is not {expect:?}");
        };
        check(&[], None);
        check(&[(0, 4, None)], None);
        check(&[(0, 4, Some(0.5))], Some(0.5));
        check(&[(0, 3, Some(1.0)), (3, 4, Some(0.0))], Some(0.75));
        check(&[(0, 3, Some(0.9)), (3, 9, None)], Some(0.9));
        check(&[(2, 2, Some(0.4))], Some(0.4));
    }

    #[test]
    fn debug_shows_nothing_that_was_said() {
        let transcript = transcript(&[(0, 1, None)]);
        let transcription = Transcription {
            id: Uuid::nil(),
            state: State::Succeeded,
            progress: 1.0,
            audio_duration: None,
            model: None,
            confidence: None,
            text: transcript.text(),
            segments: transcript.segments.clone(),
            failure: None,
            created_at: 0,
            updated_at: 0,
        };
        for shown in [format!("{transcript:?}"), format!("{transcription:?}")] {
            assert!(!shown.contains("pain"), "{shown}");
        }
    }
}
