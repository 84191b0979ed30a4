//! What the endpoint answers: `verbose_json`, or only a text where it knows no more.

use std::time::Duration;

use serde::Deserialize;

use super::super::{Error, Segment, spoken};

#[derive(Deserialize)]
struct Answer {
    text: Option<String>,
    segments: Option<Vec<Part>>,
}

#[derive(Deserialize)]
struct Part {
    start: f64,
    end: f64,
    text: String,
    avg_logprob: Option<f32>,
}

/// Reads an answer for a window of this length.
pub(super) fn read(body: &[u8], length: Duration) -> Result<Vec<Segment>, Error> {
    // The fault names a line and a column, never what stands there, but the body is a transcript: say no more.
    let answer: Answer = serde_json::from_slice(body)
        .map_err(|_| Error::refused("its answer is no transcription in verbose_json"))?;
    let parts = match (answer.segments, answer.text) {
        (Some(parts), _) => parts,
        (None, Some(text)) => vec![Part {
            start: 0.0,
            end: length.as_secs_f64(),
            text,
            avg_logprob: None,
        }],
        (None, None) => {
            return Err(Error::refused("its answer has neither segments nor text"));
        }
    };
    let mut segments: Vec<Segment> = Vec::with_capacity(parts.len());
    for part in parts {
        let Some(text) = spoken(&part.text) else {
            continue;
        };
        let start = time(part.start).min(length);
        segments.push(Segment {
            index: segments.len(),
            start,
            end: time(part.end).min(length).max(start),
            text,
            confidence: part
                .avg_logprob
                .filter(|mean| mean.is_finite())
                .map(|mean| mean.exp().clamp(0.0, 1.0)),
        });
    }
    Ok(segments)
}

/// Seconds from elsewhere, which may be any number.
fn time(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
}
