//! The job: a recording is heard.

use std::sync::Arc;
use std::time::Duration;

use scribemed_jobs::{BoxError, Done, Failure as JobFailure, Handler, Job, Lease, LeaseError};
use scribemed_rpc::CallContext;
use sqlx::SqliteConnection;
use tokio::sync::watch;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::engine::{self, Engine, Progress};
use crate::error::Error;
use crate::intake::Intake;
use crate::reason::Reason;
use crate::store::{Payload, Recording, Store};
use crate::transcription::{Failure, Transcript};
use crate::{audio, source};

/// The least time between two writes of the progress.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(500);
/// Marks the reason of an attempt that another one may mend; see [`Setback::into_failure`].
const RETRY: &str = "retry: ";

/// Hears recordings.
pub(crate) struct Listener {
    pub(crate) store: Store,
    pub(crate) intake: Intake,
    pub(crate) engine: Arc<dyn Engine>,
}

/// Why an attempt came to nothing.
enum Setback {
    /// Another attempt cannot help.
    Final(Failure),
    /// Another attempt may help. The message holds nothing that was said.
    Passing(String),
    /// The worker was told to stop, or the job is not ours any more.
    Stopped,
}

impl Handler for Listener {
    async fn run(&self, lease: Lease) -> Result<Done, JobFailure> {
        let payload = Payload::decode(lease.payload())
            .ok_or_else(|| JobFailure::Dead("the payload cannot be read".to_owned()))?;
        let id = payload.transcription_id;
        let context = CallContext::resumed(payload.request_id.into());
        let span = tracing::info_span!(
            "transcription",
            request_id = %context.request_id(),
            trace_id = context.trace().trace_id(),
            transcription_id = %id,
        );
        context
            .scope(self.attempt(&lease, id).instrument(span))
            .await
    }

    async fn dead(
        &self,
        conn: &mut SqliteConnection,
        job: &Job,
        reason: &str,
    ) -> Result<(), BoxError> {
        let failure = verdict(reason, job.attempts);
        self.store.set_failed(conn, job.id, &failure).await?;
        // Watchers are told once this transaction is over: SQLite lets the next writer in when it is.
        let (store, id) = (self.store.clone(), job.id);
        tokio::spawn(async move {
            if let Err(error) = store.jobs().begin().await {
                tracing::warn!(%error, "cannot wait for the end of a transaction");
            }
            store.changes().notify(id);
        });
        Ok(())
    }
}

impl Listener {
    async fn attempt(&self, lease: &Lease, id: Uuid) -> Result<Done, JobFailure> {
        let setback = match self.hear(lease, id).await {
            Ok(done) => {
                self.store.changes().notify(id);
                return Ok(done);
            }
            Err(setback) => setback,
        };
        // It waits again, unless this was the end. A lease that is lost says so itself, and changes nothing.
        let again = match setback {
            Setback::Final(_) => false,
            Setback::Passing(_) => lease.attempt() < lease.max_attempts(),
            Setback::Stopped => true,
        };
        if again {
            match self.queue_again(lease, id).await {
                Ok(()) => self.store.changes().notify(id),
                Err(LeaseError::Database(error)) => {
                    tracing::warn!(%error, "cannot say that the transcription waits again");
                }
                // Lost: it is for another to say.
                Err(_) => {}
            }
        }
        Err(setback.into_failure())
    }

    async fn queue_again(&self, lease: &Lease, id: Uuid) -> Result<(), LeaseError> {
        let mut tx = lease.begin().await?;
        self.store.set_queued(&mut tx, id).await?;
        Ok(tx.commit().await?)
    }

    async fn hear(&self, lease: &Lease, id: Uuid) -> Result<Done, Setback> {
        let started = tokio::time::Instant::now();
        let mut tx = lease.begin().await?;
        self.store
            .set_running(&mut tx, id, self.engine.model())
            .await?;
        tx.commit().await?;
        self.store.changes().notify(id);

        let audio = match self.store.recording(id).await? {
            Recording::Audio(audio) => audio,
            Recording::Uri(uri) => {
                let sources = self.intake.sources();
                let fetched = async { sources.fetch(&sources.check(&uri)?).await };
                let stopped = lease.cancelled();
                let fetched = stopped.run_until_cancelled(fetched).await;
                fetched.ok_or(Setback::Stopped)??
            }
        };
        let pcm = Arc::new(self.intake.decode(audio).await??);
        let audio_duration = pcm.duration();

        let (progress, seen) = watch::channel(Progress::default());
        let hearing = engine::transcribe(&*self.engine, &pcm, &progress, lease.cancelled());
        let segments = tokio::select! {
            biased;
            heard = hearing => heard?,
            lost = self.report(lease, id, seen) => return Err(lost),
        };
        let transcript = Transcript {
            segments,
            model: self.engine.model().clone(),
            audio_duration,
        };
        let mut tx = lease.begin().await?;
        self.store.set_succeeded(&mut tx, id, &transcript).await?;
        let done = lease.complete(tx).await?;
        tracing::info!(
            audio_ms = audio_duration.as_millis(),
            took_ms = started.elapsed().as_millis(),
            segments = transcript.segments.len(),
            model = transcript.model.id,
            "transcribed"
        );
        Ok(done)
    }

    /// Writes the progress down for as long as there is any. Returns when the job is not ours any more.
    async fn report(
        &self,
        lease: &Lease,
        id: Uuid,
        mut seen: watch::Receiver<Progress>,
    ) -> Setback {
        while seen.changed().await.is_ok() {
            let (share, total) = {
                let progress = seen.borrow_and_update();
                (share(&progress), progress.total)
            };
            match self.write_progress(lease, id, share, total).await {
                Ok(()) => self.store.changes().notify(id),
                // The transcript matters, not how far it is.
                Err(LeaseError::Database(error)) => {
                    tracing::warn!(%error, "cannot write the progress");
                }
                // Lost: nobody waits for the transcript of this attempt.
                Err(_) => return Setback::Stopped,
            }
            tokio::time::sleep(PROGRESS_INTERVAL).await;
        }
        std::future::pending().await
    }

    async fn write_progress(
        &self,
        lease: &Lease,
        id: Uuid,
        share: f32,
        total: Duration,
    ) -> Result<(), LeaseError> {
        let mut tx = lease.begin().await?;
        self.store.set_progress(&mut tx, id, share, total).await?;
        Ok(tx.commit().await?)
    }
}

impl Setback {
    /// What becomes of the job. The text is read again by [`verdict`] when the job dies of it.
    fn into_failure(self) -> JobFailure {
        match self {
            Self::Final(failure) => {
                JobFailure::Dead(format!("{}: {}", failure.reason.as_str(), failure.message))
            }
            Self::Passing(message) => JobFailure::Retry(format!("{RETRY}{message}")),
            Self::Stopped => JobFailure::Retry(format!("{RETRY}it was interrupted")),
        }
    }
}

/// Why a transcription has failed, from the reason that its job died of.
fn verdict(reason: &str, attempts: u32) -> Failure {
    if let Some((name, message)) = reason.split_once(": ")
        && let Some(reason) = Reason::parse(name)
    {
        let message = message.to_owned();
        return Failure { reason, message };
    }
    // What did not come from this file may hold anything, so it stays in the log.
    let last = reason.strip_prefix(RETRY).map_or_else(
        || "each ended without an answer".to_owned(),
        |last| format!("the last time: {last}"),
    );
    let times = if attempts == 1 { "time" } else { "times" };
    Failure {
        reason: Reason::AttemptsExhausted,
        message: format!("it was tried {attempts} {times}; {last}"),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a share needs few digits")]
fn share(progress: &Progress) -> f32 {
    if progress.total.is_zero() {
        return 0.0;
    }
    (progress.done.as_secs_f64() / progress.total.as_secs_f64()) as f32
}

impl From<LeaseError> for Setback {
    fn from(error: LeaseError) -> Self {
        if let LeaseError::Database(error) = error {
            return error.into();
        }
        // Lost: the outcome is another's.
        Self::Stopped
    }
}

impl From<sqlx::Error> for Setback {
    fn from(error: sqlx::Error) -> Self {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "the store failed during a transcription"
        );
        Self::Passing("the store failed".to_owned())
    }
}

impl From<engine::Error> for Setback {
    fn from(error: engine::Error) -> Self {
        match error {
            engine::Error::Cancelled => return Self::Stopped,
            engine::Error::Unavailable { .. } | engine::Error::Refused { .. } => {}
        }
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the speech engine failed"
        );
        if error.is_retryable() {
            return Self::Passing(error.to_string());
        }
        Self::Final(Failure {
            reason: Reason::ModelFailed,
            message: error.to_string(),
        })
    }
}

impl From<source::Error> for Setback {
    fn from(error: source::Error) -> Self {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the recording cannot be fetched"
        );
        if error.is_retryable() {
            return Self::Passing(error.to_string());
        }
        Self::Final(Failure {
            reason: (&error).into(),
            message: error.to_string(),
        })
    }
}

impl From<audio::Error> for Setback {
    fn from(error: audio::Error) -> Self {
        Self::Final(Failure {
            reason: (&error).into(),
            message: error.to_string(),
        })
    }
}

impl From<Error> for Setback {
    /// Only decoding gives one here, when the process ends.
    fn from(error: Error) -> Self {
        Self::Passing(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_death_has_its_reason() {
        let check = |reason: &str, attempts, expect: (Reason, &str)| {
            let failure = verdict(reason, attempts);
            assert_eq!((failure.reason, failure.message.as_str()), expect);
        };
        check(
            "MODEL_FAILED: the speech engine refused (it answered 400)",
            1,
            (
                Reason::ModelFailed,
                "the speech engine refused (it answered 400)",
            ),
        );
        check(
            "retry: the speech engine is not available (it answered 503)",
            5,
            (
                Reason::AttemptsExhausted,
                "it was tried 5 times; the last time: the speech engine is not available (it answered 503)",
            ),
        );
        // A crash, and anything else that may hold what was said.
        check(
            "attempt 1 of 1 ended without an outcome; an earlier attempt: he said chest: pain",
            1,
            (
                Reason::AttemptsExhausted,
                "it was tried 1 time; each ended without an answer",
            ),
        );
    }

    #[test]
    fn what_a_setback_says_survives_the_queue() {
        let failure = Failure {
            reason: Reason::AudioUriUnreadable,
            message: "there is no recording to be had (it answered 404: gone)".to_owned(),
        };
        let JobFailure::Dead(text) = Setback::Final(failure.clone()).into_failure() else {
            unreachable!("a final setback ends the job");
        };
        assert_eq!(verdict(&text, 1), failure);
    }
}
