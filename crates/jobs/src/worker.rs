//! Leasing due jobs and handing them to the handler.

mod attempt;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use scribemed_resilience::backoff::Backoff;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Handler, Store};

const DEFAULT_LEASE: Duration = Duration::from_secs(30);
const SHORTEST_LEASE: Duration = Duration::from_millis(30);
const LONGEST_POLL: Duration = Duration::from_secs(1);
const SHORTEST_POLL: Duration = Duration::from_millis(1);
const DEFAULT_GRACE: Duration = Duration::from_secs(5);

/// Between the attempts of a job: 1 s, at most 5 min, doubling, ±20 %.
const DEFAULT_BACKOFF: Backoff =
    match Backoff::new(Duration::from_secs(1), Duration::from_mins(5), 2.0, 0.2) {
        Ok(backoff) => backoff,
        Err(_) => Backoff::DEFAULT,
    };

/// Works on the jobs of one queue.
///
/// Several workers may share a queue, in one process or in several.
pub struct Worker<H> {
    store: Store,
    queue: String,
    handler: Arc<H>,
    concurrency: NonZeroUsize,
    lease: Duration,
    poll: Duration,
    grace: Duration,
    backoff: Backoff,
}

impl<H: Handler> Worker<H> {
    /// A worker with one job at a time and leases of 30 s.
    pub fn new(store: Store, queue: impl Into<String>, handler: H) -> Self {
        Self {
            store,
            queue: queue.into(),
            handler: Arc::new(handler),
            concurrency: NonZeroUsize::MIN,
            lease: DEFAULT_LEASE,
            poll: LONGEST_POLL,
            grace: DEFAULT_GRACE,
            backoff: DEFAULT_BACKOFF,
        }
    }

    /// Sets how many jobs run at once. Default 1.
    #[must_use]
    pub fn concurrency(mut self, concurrency: NonZeroUsize) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// Sets how long a job stays with a worker that gives no sign of life. Default 30 s, at least 30 ms. It is renewed every third of this.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(SHORTEST_LEASE);
        self
    }

    /// Sets how often an idle worker looks for jobs of other processes; jobs of its own process it hears of through
    /// [`Store::notify`]. Default 1 s, from 1 ms to 1 s.
    #[must_use]
    pub fn poll(mut self, interval: Duration) -> Self {
        self.poll = interval.clamp(SHORTEST_POLL, LONGEST_POLL);
        self
    }

    /// Sets how long a cancelled handler may take to return before it is aborted. Default 5 s. Shorter than the lease, or another worker
    /// may start the job meanwhile.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Sets the wait between a job's attempts. Default 1 s, at most 5 min, doubling, ±20 %.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Works until `shutdown`. Then it claims nothing more, cancels its handlers, and gives the jobs they leave unfinished back at once, the
    /// attempt uncounted. Returns within the grace, plus what the database takes.
    ///
    /// A failing database is logged and tried again; it does not end the worker.
    ///
    /// # Cancel safety
    /// Dropping the future aborts the handlers; their jobs start again when their leases run out.
    pub async fn run(self, shutdown: CancellationToken) {
        let worker = Arc::new(self);
        let mut wake = worker.store.subscribe();
        let mut running = JoinSet::new();
        let mut failures = 0;
        while !shutdown.is_cancelled() {
            if running.len() >= worker.concurrency.get() {
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    Some(ended) = running.join_next() => log_panic(ended),
                }
                continue;
            }
            wake.mark_unchanged();
            // Never raced against the shutdown: a claim dropped half-way could leave a lease without a holder.
            let wait = match worker.store.claim(&worker.queue, worker.lease).await {
                Ok(Some(claim)) => {
                    failures = 0;
                    let (worker, shutdown) = (Arc::clone(&worker), shutdown.clone());
                    running.spawn(async move { worker.work(claim, &shutdown).await });
                    continue;
                }
                Ok(None) => {
                    failures = 0;
                    worker.idle_time().await
                }
                Err(error) => {
                    failures += 1;
                    tracing::error!(queue = worker.queue, %error, failures, "cannot claim jobs");
                    Backoff::DEFAULT.delay(failures, &mut rand::rng())
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                // The sender lives in the store that this worker holds, so it is never closed.
                _ = wake.changed(), if failures == 0 => {}
                () = tokio::time::sleep(wait) => {}
            }
            while let Some(ended) = running.try_join_next() {
                log_panic(ended);
            }
        }
        while let Some(ended) = running.join_next().await {
            log_panic(ended);
        }
    }

    /// Claims at most one job and works on it to its end. Gives its id, or `None` when no job is due. For tests and tools.
    ///
    /// # Errors
    /// When the claim fails.
    pub async fn run_once(&self) -> sqlx::Result<Option<Uuid>> {
        let Some(claim) = self.store.claim(&self.queue, self.lease).await? else {
            return Ok(None);
        };
        let id = claim.job.id;
        self.work(claim, &CancellationToken::new()).await;
        Ok(Some(id))
    }

    /// How long to wait for the next job: until one is due, at most the poll interval.
    async fn idle_time(&self) -> Duration {
        match self.store.next_due(&self.queue).await {
            Ok(Some(due)) => {
                let left = due.saturating_sub(self.store.now_ms());
                u64::try_from(left).map_or(Duration::ZERO, |left| {
                    Duration::from_millis(left).min(self.poll)
                })
            }
            Ok(None) => self.poll,
            Err(error) => {
                tracing::warn!(queue = self.queue, %error, "cannot see when the next job is due");
                self.poll
            }
        }
    }
}

/// Handlers run in tasks of their own, so what panicked here is the death of a job. Its lease runs out and it is taken up again.
fn log_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a job's end could not be recorded");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_backoff_is_the_documented_one() {
        let made = Backoff::new(Duration::from_secs(1), Duration::from_mins(5), 2.0, 0.2);
        assert_eq!(made, Ok(DEFAULT_BACKOFF));
    }
}
