//! One attempt at one job, from the claim to the recorded outcome.

use std::sync::Arc;
use std::time::Duration;

use scribemed_resilience::backoff::Backoff;
use tokio::task::JoinError;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::Worker;
use crate::store::{Claim, clip};
use crate::{BoxError, Done, Failure, Handler, Lease};

/// How often the outcome of an attempt is offered to a failing database. After that the lease runs out and the attempt counts as a crash.
const RECORD_TRIES: u32 = 5;

/// How an attempt ended.
enum Outcome {
    /// The effect is committed; nothing is left to do.
    Done,
    /// The handler did not do it.
    Failed(Failure),
    /// The job is no longer this worker's.
    Lost,
    /// The worker shut down first.
    Stopped,
}

impl<H: Handler> Worker<H> {
    /// Works on a claimed job to its end.
    pub(super) async fn work(&self, claim: Claim, shutdown: &CancellationToken) {
        let span = tracing::info_span!(
            "job",
            id = %claim.job.id,
            queue = self.queue,
            attempt = claim.job.attempts,
        );
        async {
            let outcome = if claim.exhausted() {
                Outcome::Failed(Failure::Dead(exhausted(&claim)))
            } else if shutdown.is_cancelled() {
                Outcome::Stopped
            } else {
                self.supervise(&claim, shutdown).await
            };
            self.record(&claim, &outcome).await;
        }
        .instrument(span)
        .await;
    }

    /// Runs the handler in a task of its own, so that a panic stays there, and keeps the lease alive meanwhile.
    async fn supervise(&self, claim: &Claim, shutdown: &CancellationToken) -> Outcome {
        let cancelled = CancellationToken::new();
        let lease = Lease::new(self.store.clone(), claim.clone(), cancelled.clone());
        let handler = Arc::clone(&self.handler);
        let run = async move { handler.run(lease).await };
        let mut wake = self.store.subscribe();
        let mut task = AbortOnDropHandle::new(tokio::spawn(run.in_current_span()));

        let period = self.lease / 3;
        let mut heartbeat = tokio::time::interval_at(Instant::now() + period, period);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let interrupted = loop {
            tokio::select! {
                biased;
                ended = &mut task => return judge(ended),
                () = shutdown.cancelled() => break Outcome::Stopped,
                _ = heartbeat.tick() => {}
                // The sender lives in the store that this worker holds, so it is never closed.
                _ = wake.changed() => {}
            }
            match self.store.renew(claim, self.lease).await {
                Ok(true) => {}
                Ok(false) => break Outcome::Lost,
                Err(error) => tracing::warn!(%error, "cannot renew the lease"),
            }
        };
        cancelled.cancel();
        let Ok(ended) = tokio::time::timeout(self.grace, &mut task).await else {
            tracing::warn!("the handler was cancelled and did not return, so it is aborted");
            return interrupted;
        };
        // What a handler says after it was told to stop is about the stopping; a commit or a final verdict stands all the same.
        match judge(ended) {
            outcome @ (Outcome::Done | Outcome::Failed(Failure::Dead(_))) => outcome,
            Outcome::Failed(_) | Outcome::Lost | Outcome::Stopped => interrupted,
        }
    }

    async fn record(&self, claim: &Claim, outcome: &Outcome) {
        for attempt in 1..=RECORD_TRIES {
            match self.try_record(claim, outcome).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::error!(error = %error, attempt, "cannot record the outcome of a job");
                }
            }
            if attempt < RECORD_TRIES {
                let delay = Backoff::DEFAULT.delay(attempt, &mut rand::rng());
                tokio::time::sleep(delay).await;
            }
        }
    }

    /// Records the outcome, unless the lease is lost, and then says so in the log.
    async fn try_record(&self, claim: &Claim, outcome: &Outcome) -> Result<(), BoxError> {
        match outcome {
            Outcome::Done => tracing::debug!("done"),
            Outcome::Lost => log_lost(),
            Outcome::Stopped => {
                if self.store.give_back(claim, Duration::ZERO, None).await? {
                    tracing::info!("given back unfinished, because the worker stops");
                } else {
                    log_lost();
                }
            }
            Outcome::Failed(Failure::Snooze(delay, reason)) => {
                if self.store.give_back(claim, *delay, Some(reason)).await? {
                    tracing::info!(?delay, reason, "put off");
                } else {
                    log_lost();
                }
            }
            Outcome::Failed(Failure::Retry(reason)) if claim.attempts_left() => {
                let delay = self.backoff.delay(claim.job.attempts, &mut rand::rng());
                if self.store.retry(claim, delay, reason).await? {
                    tracing::warn!(?delay, reason, "failed, to be tried again");
                } else {
                    log_lost();
                }
            }
            Outcome::Failed(Failure::Retry(reason) | Failure::Dead(reason)) => {
                if self.bury(claim, clip(reason)).await? {
                    tracing::error!(reason, "dead");
                } else {
                    log_lost();
                }
            }
        }
        Ok(())
    }

    /// Marks the job dead and has the handler say so in the domain's tables, in one transaction. False when the lease is lost.
    async fn bury(&self, claim: &Claim, reason: &str) -> Result<bool, BoxError> {
        let mut tx = self.store.begin().await?;
        let Some(job) = self.store.mark_dead(&mut tx, claim, reason).await? else {
            return Ok(false);
        };
        self.handler.dead(&mut tx, &job, reason).await?;
        tx.commit().await?;
        Ok(true)
    }
}

fn log_lost() {
    tracing::info!("the job was cancelled or taken over, so this attempt has no effect");
}

fn judge(ended: Result<Result<Done, Failure>, JoinError>) -> Outcome {
    match ended {
        Ok(Ok(_)) => Outcome::Done,
        Ok(Err(failure)) => Outcome::Failed(failure),
        // The panic's message is for the log of the process, where the panic hook has put it; it may hold anything.
        Err(error) if error.is_panic() => {
            Outcome::Failed(Failure::Retry("the handler panicked".to_owned()))
        }
        // Only a runtime that is shutting down cancels the task.
        Err(_) => Outcome::Stopped,
    }
}

fn exhausted(claim: &Claim) -> String {
    let mut reason = format!(
        "attempt {max} of {max} ended without an outcome: the worker crashed, was killed or stopped responding",
        max = claim.job.max_attempts
    );
    if let Some(earlier) = &claim.job.last_error {
        reason.push_str("; an earlier attempt: ");
        reason.push_str(earlier);
    }
    reason
}
