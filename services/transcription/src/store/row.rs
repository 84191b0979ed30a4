//! Rows as they are stored, and what they mean.

use std::time::Duration;

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::engine::{Model, Segment};
use crate::reason::Reason;
use crate::transcription::{Failure, State, Transcription};

/// A transcription without its segments.
pub(super) fn transcription(row: &SqliteRow) -> sqlx::Result<Transcription> {
    let id: String = row.try_get("id")?;
    let state: String = row.try_get("state")?;
    let duration: Option<i64> = row.try_get("audio_duration_ms")?;
    let model: Option<String> = row.try_get("model_id")?;
    let sha256 = row.try_get("model_sha256")?;
    let reason: Option<String> = row.try_get("failure_reason")?;
    let message: Option<String> = row.try_get("failure_message")?;
    let text: Option<String> = row.try_get("text")?;
    Ok(Transcription {
        id: Uuid::parse_str(&id).map_err(|_| corrupt("id"))?,
        state: State::parse(&state).ok_or_else(|| corrupt("state"))?,
        progress: row.try_get("progress")?,
        audio_duration: duration
            .map(|millis| duration_of(millis, "audio_duration_ms"))
            .transpose()?,
        model: model.map(|id| Model { id, sha256 }),
        confidence: row.try_get("confidence")?,
        text: text.unwrap_or_default(),
        segments: Vec::new(),
        failure: reason
            .map(|reason| {
                let reason = Reason::parse(&reason).ok_or_else(|| corrupt("failure_reason"))?;
                let message = message.unwrap_or_default();
                Ok::<_, sqlx::Error>(Failure { reason, message })
            })
            .transpose()?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}

/// A segment.
pub(super) fn segment(row: &SqliteRow) -> sqlx::Result<Segment> {
    let position: i64 = row.try_get("position")?;
    Ok(Segment {
        index: usize::try_from(position).map_err(|_| corrupt("position"))?,
        start: duration_of(row.try_get("start_ms")?, "start_ms")?,
        end: duration_of(row.try_get("end_ms")?, "end_ms")?,
        text: row.try_get("text")?,
        confidence: row.try_get("confidence")?,
    })
}

/// Whole milliseconds, as they are stored.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn duration_of(millis: i64, column: &'static str) -> sqlx::Result<Duration> {
    u64::try_from(millis)
        .map(Duration::from_millis)
        .map_err(|_| corrupt(column))
}

/// The value is left out: it may be what a patient said.
fn corrupt(column: &'static str) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: "what is stored is not valid".into(),
    }
}
