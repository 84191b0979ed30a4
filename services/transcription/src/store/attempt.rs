//! What an attempt at a transcription writes. Each function is given a transaction that holds the job's lease.

use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{Recording, Store, row};
use crate::engine::Model;
use crate::transcription::{Failure, Transcript};

impl Store {
    /// What is to be heard.
    pub(crate) async fn recording(&self, id: Uuid) -> sqlx::Result<Recording> {
        let (audio, uri): (Option<Vec<u8>>, Option<String>) =
            sqlx::query_as("SELECT audio, uri FROM recordings WHERE transcription_id = ?")
                .bind(id.to_string())
                .fetch_one(self.pool())
                .await?;
        match (audio, uri) {
            (Some(audio), _) => Ok(Recording::Audio(audio.into())),
            (None, Some(uri)) => Ok(Recording::Uri(uri)),
            (None, None) => Err(sqlx::Error::RowNotFound),
        }
    }

    /// The model begins to listen.
    pub(crate) async fn set_running(
        &self,
        conn: &mut SqliteConnection,
        id: Uuid,
        model: &Model,
    ) -> sqlx::Result<()> {
        sqlx::query(
            "UPDATE transcriptions SET state = 'RUNNING', progress = 0, model_id = ?, model_sha256 = ?, updated_at = ?
             WHERE id = ?",
        )
        .bind(&model.id)
        .bind(&model.sha256)
        .bind(self.jobs().now_ms())
        .bind(id.to_string())
        .execute(conn)
        .await
        .map(|_| ())
    }

    /// So much of the recording was heard, 0 to 1.
    pub(crate) async fn set_progress(
        &self,
        conn: &mut SqliteConnection,
        id: Uuid,
        progress: f32,
        audio_duration: std::time::Duration,
    ) -> sqlx::Result<()> {
        sqlx::query(
            "UPDATE transcriptions SET progress = ?, audio_duration_ms = ?, updated_at = ? WHERE id = ?",
        )
        .bind(progress.clamp(0.0, 1.0))
        .bind(row::millis(audio_duration))
        .bind(self.jobs().now_ms())
        .bind(id.to_string())
        .execute(conn)
        .await
        .map(|_| ())
    }

    /// The attempt came to nothing; another one will follow.
    pub(crate) async fn set_queued(
        &self,
        conn: &mut SqliteConnection,
        id: Uuid,
    ) -> sqlx::Result<()> {
        sqlx::query(
            "UPDATE transcriptions SET state = 'QUEUED', progress = 0, updated_at = ? WHERE id = ?",
        )
        .bind(self.jobs().now_ms())
        .bind(id.to_string())
        .execute(conn)
        .await
        .map(|_| ())
    }

    /// It was heard. The recording goes.
    pub(crate) async fn set_succeeded(
        &self,
        conn: &mut SqliteConnection,
        id: Uuid,
        transcript: &Transcript,
    ) -> sqlx::Result<()> {
        for segment in &transcript.segments {
            sqlx::query(
                "INSERT INTO segments (transcription_id, position, start_ms, end_ms, text, confidence)
                 VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(id.to_string())
            .bind(i64::try_from(segment.index).unwrap_or(i64::MAX))
            .bind(row::millis(segment.start))
            .bind(row::millis(segment.end))
            .bind(&segment.text)
            .bind(segment.confidence)
            .execute(&mut *conn)
            .await?;
        }
        forget_securely(conn).await?;
        sqlx::query(
            "UPDATE transcriptions SET state = 'SUCCEEDED', progress = 1, audio_duration_ms = ?, model_id = ?,
                 model_sha256 = ?, confidence = ?, text = ?, updated_at = ? WHERE id = ?",
        )
        .bind(row::millis(transcript.audio_duration))
        .bind(&transcript.model.id)
        .bind(&transcript.model.sha256)
        .bind(transcript.confidence())
        .bind(transcript.text())
        .bind(self.jobs().now_ms())
        .bind(id.to_string())
        .execute(conn)
        .await
        .map(|_| ())
    }

    /// It was given up. The recording goes.
    pub(crate) async fn set_failed(
        &self,
        conn: &mut SqliteConnection,
        id: Uuid,
        failure: &Failure,
    ) -> sqlx::Result<()> {
        forget_securely(conn).await?;
        sqlx::query(
            "UPDATE transcriptions SET state = 'FAILED', failure_reason = ?, failure_message = ?, updated_at = ?
             WHERE id = ?",
        )
        .bind(failure.reason.as_str())
        .bind(&failure.message)
        .bind(self.jobs().now_ms())
        .bind(id.to_string())
        .execute(conn)
        .await
        .map(|_| ())
    }
}

/// Has SQLite overwrite what this connection deletes, rather than only mark its place as free: it is a patient's voice.
pub(super) async fn forget_securely(conn: &mut SqliteConnection) -> sqlx::Result<()> {
    sqlx::query("PRAGMA secure_delete = ON")
        .execute(conn)
        .await
        .map(|_| ())
}
