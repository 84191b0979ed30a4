//! Transcriptions as the transcription service answers with them.

use prost_types::Duration;
use scribemed_proto::transcription::v2;
use uuid::Uuid;

use crate::transcript::{Segment, Transcript};

/// Where a transcription stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is queued or running.
    Pending,
    /// It is done.
    Succeeded(Transcript),
    /// It was given up.
    Failed,
    /// It was stopped.
    Cancelled,
}

/// An answer that the contract does not allow, and what is wrong with it. It quotes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the transcription's {0} breaks the contract")]
pub(crate) struct Malformed(&'static str);

/// What an answer says of the transcription `id`.
pub(crate) fn standing(id: Uuid, wire: Option<v2::Transcription>) -> Result<Standing, Malformed> {
    use v2::TranscriptionState as State;
    let wire = wire.ok_or(Malformed("absence"))?;
    match State::try_from(wire.state) {
        Ok(State::Queued | State::Running) => Ok(Standing::Pending),
        Ok(State::Succeeded) => Ok(Standing::Succeeded(Transcript {
            id,
            segments: wire
                .segments
                .into_iter()
                .map(segment)
                .collect::<Result<_, _>>()?,
        })),
        Ok(State::Failed) => Ok(Standing::Failed),
        Ok(State::Cancelled) => Ok(Standing::Cancelled),
        Ok(State::Unspecified) | Err(_) => Err(Malformed("state")),
    }
}

fn segment(wire: v2::Segment) -> Result<Segment, Malformed> {
    Ok(Segment {
        index: u32::try_from(wire.index).map_err(|_| Malformed("segments.index"))?,
        start_ms: millis(wire.start).ok_or(Malformed("segments.start"))?,
        end_ms: millis(wire.end).ok_or(Malformed("segments.end"))?,
        text: wire.text.into(),
    })
}

/// Whole milliseconds; unset is 0, as an encoder may leave it out.
fn millis(wire: Option<Duration>) -> Option<u64> {
    let duration = std::time::Duration::try_from(wire.unwrap_or_default()).ok()?;
    u64::try_from(duration.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use scribemed_proto::transcription::v2::TranscriptionState as State;

    use super::*;

    #[test]
    fn what_cannot_be_is_not_taken() {
        let segment = v2::Segment {
            index: 4,
            start: Some(Duration {
                seconds: 1,
                nanos: 250_999_999,
            }),
            end: Some(Duration {
                seconds: 2,
                nanos: 0,
            }),
            text: "It hurts.".to_owned(),
            confidence: None,
        };
        let of = |state: State, segment: v2::Segment| {
            let transcription = v2::Transcription {
                state: state.into(),
                segments: vec![segment],
                ..v2::Transcription::default()
            };
            standing(Uuid::nil(), Some(transcription))
        };
        let expected = Segment {
            index: 4,
            start_ms: 1250,
            end_ms: 2000,
            text: "It hurts.".into(),
        };
        let transcript = Transcript {
            id: Uuid::nil(),
            segments: vec![expected],
        };
        assert_eq!(
            of(State::Succeeded, segment.clone()),
            Ok(Standing::Succeeded(transcript))
        );
        assert_eq!(of(State::Running, segment.clone()), Ok(Standing::Pending));
        assert_eq!(
            of(State::Unspecified, segment.clone()),
            Err(Malformed("state"))
        );
        assert_eq!(standing(Uuid::nil(), None), Err(Malformed("absence")));
        let negative = Some(Duration {
            seconds: -1,
            nanos: 0,
        });
        for (segment, wrong) in [
            (
                v2::Segment {
                    index: -1,
                    ..segment.clone()
                },
                "segments.index",
            ),
            (
                v2::Segment {
                    start: negative,
                    ..segment.clone()
                },
                "segments.start",
            ),
            (
                v2::Segment {
                    end: negative,
                    ..segment
                },
                "segments.end",
            ),
        ] {
            assert_eq!(of(State::Succeeded, segment), Err(Malformed(wrong)));
        }
    }
}
