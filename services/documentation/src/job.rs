//! The job that drafts a note: waits for the transcription, drafts, and stores, once.

mod transcriptions;

use std::num::NonZeroU32;

use scribemed_jobs::{BoxError, Done, Failure, Handler, Job, Lease, LeaseError, Store};
use scribemed_rpc::{CallContext, RequestId};
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;
use tracing::Instrument as _;
use uuid::Uuid;

pub(crate) use self::transcriptions::Transcriptions;
use crate::core::Changes;
use crate::draft::draft;
use crate::note::{FailureReason, Note};
use crate::section::Sections;
use crate::store::{self, notes};
use crate::time::Timestamp;

/// The queue of these jobs.
pub(crate) const QUEUE: &str = "generate-note";

/// With waits that grow to a minute, a transcription service may be away for a quarter of an hour.
pub(crate) const MAX_ATTEMPTS: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);

/// What a job is told. The rest stands in the note.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Payload {
    /// The note to draft.
    pub(crate) note_id: Uuid,
    /// The id of the request that asked for it. The work goes on under it.
    pub(crate) request_id: Uuid,
}

/// Drafts notes.
pub(crate) struct Drafter {
    pub(crate) store: Store,
    pub(crate) transcriptions: Transcriptions,
    pub(crate) changes: Changes,
}

impl Handler for Drafter {
    async fn run(&self, lease: Lease) -> Result<Done, Failure> {
        let Payload {
            note_id,
            request_id,
        } = serde_json::from_str(lease.payload()).map_err(|_| {
            Failure::Dead(because(
                FailureReason::StoreFailed,
                "the job's payload cannot be read",
            ))
        })?;
        let span = tracing::info_span!("generate", %request_id, %note_id);
        CallContext::resumed(RequestId::from(request_id))
            .scope(self.generate(&lease, note_id))
            .instrument(span)
            .await
    }

    async fn dead(
        &self,
        conn: &mut SqliteConnection,
        job: &Job,
        reason: &str,
    ) -> Result<(), BoxError> {
        // The job has the id of its note, so that a payload that cannot be read leaves no note behind in GENERATING.
        let mut note = notes::get(conn, job.id).await?;
        let read = note.etag();
        if let Err(refused) = note.fail(failure_reason(reason), self.now()) {
            // A note that somebody has finished needs no more than the end of its job.
            tracing::warn!(note_id = %note.id(), error = %refused, "a dead job leaves its note as it is");
            return Ok(());
        }
        notes::update(conn, &note, &read).await?;
        self.tell_after_commit(note.id());
        Ok(())
    }
}

impl Drafter {
    async fn generate(&self, lease: &Lease, note_id: Uuid) -> Result<Done, Failure> {
        let note = self.read(note_id).await.map_err(|e| store_failed(&e))?;
        let Some(transcription_id) = note.identity().transcription_id else {
            let reason = because(
                FailureReason::TranscriptionNotFound,
                "the note names no transcription",
            );
            return Err(Failure::Dead(reason));
        };
        let transcript = tokio::select! {
            biased;
            // The worker knows why it cancelled; what is returned here does not count.
            () = lease.cancelled().cancelled() => return Err(Failure::Retry("stopped".to_owned())),
            transcript = self.transcriptions.finished(transcription_id) => transcript?,
        };
        let note_type = note.identity().note_type;
        // An hour of speech takes long enough to hold up the calls that share this thread.
        let sections = tokio::task::spawn_blocking(move || draft(&transcript, note_type))
            .await
            .map_err(|_| {
                Failure::Retry(because(
                    FailureReason::AttemptsExhausted,
                    "the drafter panicked",
                ))
            })?;
        let done = self.finish(lease, note_id, sections).await?;
        tracing::info!(%transcription_id, "drafted");
        self.changes.tell(note_id);
        Ok(done)
    }

    async fn read(&self, id: Uuid) -> Result<Note, store::Error> {
        notes::get(&mut *self.store.pool().acquire().await?, id).await
    }

    /// Stores the draft and the end of the job, together or not at all.
    async fn finish(
        &self,
        lease: &Lease,
        note_id: Uuid,
        sections: Sections,
    ) -> Result<Done, Failure> {
        let mut tx = lease.begin().await.map_err(lease_failed)?;
        let mut note = notes::get(&mut tx, note_id)
            .await
            .map_err(|e| store_failed(&e))?;
        let read = note.etag();
        note.complete(sections, self.now()).map_err(|refused| {
            Failure::Dead(because(FailureReason::StoreFailed, &refused.to_string()))
        })?;
        notes::update(&mut tx, &note, &read)
            .await
            .map_err(|e| store_failed(&e))?;
        lease.complete(tx).await.map_err(lease_failed)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.store.now_ms())
    }

    /// Tells that the note has changed once the transaction at hand has ended. It holds the write lock, so whoever gets
    /// that lock next comes after it.
    fn tell_after_commit(&self, note: Uuid) {
        let (store, changes) = (self.store.clone(), self.changes.clone());
        tokio::spawn(async move {
            // Without the lock the watchers are told all the same: they read the note for themselves.
            if let Err(error) = store.begin().await {
                tracing::warn!(%error, "a failed note is told of without knowing that it is stored");
            }
            changes.tell(note);
        });
    }
}

/// A reason for operators that begins with the reason for programs, so that [`failure_reason`] finds it again.
fn because(reason: FailureReason, detail: &str) -> String {
    format!("{}: {detail}", reason.name())
}

/// The reason that [`because`] put first. A job that dies of something else has used up its attempts.
fn failure_reason(text: &str) -> FailureReason {
    let name = text.split(':').next().unwrap_or(text);
    FailureReason::from_name(name).unwrap_or(FailureReason::AttemptsExhausted)
}

fn store_failed(error: &store::Error) -> Failure {
    let mut detail = error.to_string();
    if let Some(cause) = std::error::Error::source(error) {
        detail = format!("{detail}: {cause}");
    }
    Failure::Retry(because(FailureReason::StoreFailed, &detail))
}

fn lease_failed(error: LeaseError) -> Failure {
    if let LeaseError::Database(source) = error {
        return store_failed(&source.into());
    }
    error.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_s_last_words_tell_why_its_note_failed() {
        for reason in FailureReason::ALL {
            assert_eq!(failure_reason(&because(reason, "code: detail")), reason);
        }
        let crashed =
            "attempt 20 of 20 ended without an outcome; an earlier attempt: STORE_FAILED: x";
        assert_eq!(failure_reason(crashed), FailureReason::AttemptsExhausted);
        assert_eq!(failure_reason(""), FailureReason::AttemptsExhausted);
    }
}
