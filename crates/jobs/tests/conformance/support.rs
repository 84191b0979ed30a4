//! A database, a clock that stands still, and a handler that the test plays itself.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use scribemed_jobs::{
    BoxError, Done, Failure, Handler, Job, Lease, LeaseError, ManualClock, NewJob, Store, Worker,
};
use scribemed_resilience::backoff::Backoff;
use sqlx::{SqliteConnection, SqlitePool};
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use uuid::Uuid;

pub(crate) const QUEUE: &str = "transcribe";
pub(crate) const NOW: i64 = 1_700_000_000_000;
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// Only ends a test that would hang; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(60);

/// A migrated database with the domain's two tables: one row per effect, one row per job that died.
pub(crate) async fn database(path: &Path) -> SqlitePool {
    let pool = scribemed_jobs::open(path).await.unwrap();
    scribemed_jobs::migrate(&pool).await.unwrap();
    for table in [
        "CREATE TABLE IF NOT EXISTS effects (job TEXT NOT NULL, what TEXT NOT NULL)",
        "CREATE TABLE IF NOT EXISTS graves (job TEXT NOT NULL, reason TEXT NOT NULL)",
    ] {
        sqlx::query(table).execute(&pool).await.unwrap();
    }
    pool
}

pub(crate) struct Fixture {
    folder: TempDir,
    pub(crate) clock: ManualClock,
    pub(crate) store: Store,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(NOW);
        let pool = database(&folder.path().join("jobs.db")).await;
        let store = Store::new(pool, clock.clone());
        Self {
            folder,
            clock,
            store,
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("jobs.db")
    }

    /// What another process sees: the same file and the same time, nothing else shared.
    pub(crate) async fn other_process(&self) -> Store {
        Store::new(database(&self.path()).await, self.clock.clone())
    }

    pub(crate) async fn enqueue(&self) -> Uuid {
        self.enqueue_with(3).await
    }

    pub(crate) async fn enqueue_with(&self, max_attempts: u32) -> Uuid {
        let job = NewJob::new(QUEUE, "{}").max_attempts(NonZeroU32::new(max_attempts).unwrap());
        enqueue(&self.store, job).await
    }

    pub(crate) async fn job(&self, id: Uuid) -> Job {
        self.store.get(id).await.unwrap().unwrap()
    }

    /// The job once it is as expected.
    pub(crate) async fn job_when(&self, id: Uuid, expected: impl Fn(&Job) -> bool) -> Job {
        within(async {
            loop {
                let job = self.job(id).await;
                if expected(&job) {
                    return job;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }

    pub(crate) async fn effects(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT what FROM effects ORDER BY rowid")
            .fetch_all(self.store.pool())
            .await
            .unwrap()
    }

    /// The reasons recorded by `dead`.
    pub(crate) async fn graves(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT reason FROM graves ORDER BY rowid")
            .fetch_all(self.store.pool())
            .await
            .unwrap()
    }
}

pub(crate) async fn enqueue(store: &Store, job: NewJob) -> Uuid {
    let mut tx = store.begin().await.unwrap();
    let enqueued = store.enqueue(&mut tx, job).await.unwrap();
    tx.commit().await.unwrap();
    store.notify();
    enqueued.id
}

pub(crate) async fn cancel(store: &Store, id: Uuid) -> bool {
    let mut tx = store.begin().await.unwrap();
    let cancelled = store.cancel(&mut tx, id).await.unwrap();
    tx.commit().await.unwrap();
    store.notify();
    cancelled
}

pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("the test hangs")
}

/// A backoff of exactly 1, 2, 4, 8 and then 10 s.
pub(crate) fn backoff() -> Backoff {
    Backoff::new(Duration::from_secs(1), Duration::from_secs(10), 2.0, 0.0).unwrap()
}

/// A handler that hands each lease to the test and answers what the test says.
pub(crate) struct Puppet {
    calls: mpsc::UnboundedSender<Call>,
    failing_burials: AtomicU32,
}

pub(crate) struct Calls(mpsc::UnboundedReceiver<Call>);

/// One run of the handler, played by the test.
pub(crate) struct Call {
    pub(crate) lease: Lease,
    answer: oneshot::Sender<Result<Done, Failure>>,
}

/// A worker of the store whose handler the test plays.
pub(crate) fn puppet(store: &Store) -> (Worker<Puppet>, Calls) {
    puppet_failing_burials(store, 0)
}

/// The same, and the first calls of `dead` write their row and then fail.
pub(crate) fn puppet_failing_burials(store: &Store, failing: u32) -> (Worker<Puppet>, Calls) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let handler = Puppet {
        calls: sender,
        failing_burials: AtomicU32::new(failing),
    };
    let worker = Worker::new(store.clone(), QUEUE, handler)
        .lease(LEASE)
        .backoff(backoff());
    (worker, Calls(receiver))
}

impl Handler for Puppet {
    async fn run(&self, lease: Lease) -> Result<Done, Failure> {
        let (answer, answered) = oneshot::channel();
        self.calls.send(Call { lease, answer }).unwrap();
        answered.await.expect("the test lets this handler panic")
    }

    async fn dead(
        &self,
        conn: &mut SqliteConnection,
        job: &Job,
        reason: &str,
    ) -> Result<(), BoxError> {
        sqlx::query("INSERT INTO graves (job, reason) VALUES (?, ?)")
            .bind(job.id.to_string())
            .bind(reason)
            .execute(conn)
            .await?;
        let failing =
            self.failing_burials
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                    left.checked_sub(1)
                });
        match failing {
            Ok(_) => Err("the domain refused".into()),
            Err(_) => Ok(()),
        }
    }
}

impl Calls {
    pub(crate) async fn next(&mut self) -> Call {
        within(self.0.recv()).await.expect("the worker is gone")
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Call {
    pub(crate) fn answer(self, answer: Result<Done, Failure>) {
        // A handler that was aborted no longer listens.
        let _ = self.answer.send(answer);
    }

    pub(crate) fn fail(self, reason: &str) {
        self.answer(Err(Failure::Retry(reason.to_owned())));
    }

    /// Returns when the worker has dropped the handler.
    pub(crate) async fn aborted(&mut self) {
        self.answer.closed().await;
    }

    pub(crate) fn panic(self) {
        drop(self.answer);
    }

    /// Does the job: its effect is a row that names the attempt.
    pub(crate) async fn finish(self) {
        let done = apply(&self.lease).await.unwrap();
        self.answer(Ok(done));
    }
}

/// The effect and the end of a job.
pub(crate) async fn apply(lease: &Lease) -> Result<Done, LeaseError> {
    let mut tx = lease.begin().await?;
    sqlx::query("INSERT INTO effects (job, what) VALUES (?, ?)")
        .bind(lease.id().to_string())
        .bind(format!("attempt {}", lease.attempt()))
        .execute(&mut *tx)
        .await?;
    lease.complete(tx).await
}

/// Lets the worker take one job, which the test must have made due, and play it.
pub(crate) async fn once<F: Future<Output = ()>>(
    worker: &Worker<Puppet>,
    calls: &mut Calls,
    play: impl FnOnce(Call) -> F,
) {
    let (ran, ()) = within(async {
        tokio::join!(Box::pin(worker.run_once()), async {
            // Boxed, because plays are nested.
            Box::pin(play(calls.next().await)).await;
        })
    })
    .await;
    assert!(ran.unwrap().is_some(), "a job was due");
}
