//! Enqueueing, cancelling and showing jobs.

mod transition;

use std::sync::Arc;

use sqlx::{SqliteConnection, SqlitePool, SqliteTransaction};
use tokio::sync::watch;
use uuid::Uuid;

pub(crate) use self::transition::{Claim, clip};
use crate::clock::millis;
use crate::job::{self, job_columns};
use crate::{Clock, Enqueued, Job, NewJob, database};

/// The jobs of one database. Clones share everything.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    pool: SqlitePool,
    clock: Box<dyn Clock>,
    /// Counts the calls of `notify`, so that none is missed between a look at the table and the wait for the next.
    wake: watch::Sender<u64>,
}

impl Store {
    /// The jobs in `pool`, which has been through [`migrate`](crate::migrate). A process makes one store for a database and clones it:
    /// [`notify`](Self::notify) reaches the workers of its own store and its clones.
    pub fn new(pool: SqlitePool, clock: impl Clock) -> Self {
        Self {
            inner: Arc::new(Inner {
                pool,
                clock: Box::new(clock),
                wake: watch::Sender::new(0),
            }),
        }
    }

    /// The database.
    pub fn pool(&self) -> &SqlitePool {
        &self.inner.pool
    }

    /// The store's time, in milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> i64 {
        self.inner.clock.now_ms()
    }

    /// Begins a write transaction: [`begin`](crate::begin) on this database.
    ///
    /// # Errors
    /// When no connection is free or the write lock is not had within 5 s.
    pub async fn begin(&self) -> sqlx::Result<SqliteTransaction<'static>> {
        database::begin(self.pool()).await
    }

    /// Enqueues a job in the caller's transaction, together with its domain row. Call [`notify`](Self::notify) after the commit.
    ///
    /// A key that the queue has seen before enqueues nothing and gives the id of the first job, in whatever state that is.
    ///
    /// # Errors
    /// When the statement fails, also when a job with the given id exists.
    pub async fn enqueue(
        &self,
        conn: &mut SqliteConnection,
        job: NewJob,
    ) -> sqlx::Result<Enqueued> {
        let now = self.now_ms();
        let inserted = sqlx::query(
            "INSERT INTO jobs (id, queue, state, payload, idempotency_key, max_attempts, due_at, created_at, updated_at)
             VALUES (?1, ?2, 'ready', ?3, ?4, ?5, ?6, ?7, ?7)
             ON CONFLICT (queue, idempotency_key) DO NOTHING",
        )
        .bind(job.id.to_string())
        .bind(&job.queue)
        .bind(&job.payload)
        .bind(&job.key)
        .bind(job.max_attempts.get())
        .bind(now.saturating_add(millis(job.delay)))
        .bind(now)
        .execute(&mut *conn)
        .await?
        .rows_affected();
        if inserted == 1 {
            return Ok(Enqueued {
                id: job.id,
                existing: false,
            });
        }
        let row = sqlx::query("SELECT id FROM jobs WHERE queue = ? AND idempotency_key = ?")
            .bind(&job.queue)
            .bind(&job.key)
            .fetch_one(conn)
            .await?;
        Ok(Enqueued {
            id: job::id(&row)?,
            existing: true,
        })
    }

    /// Cancels a job in the caller's transaction. False when it is unknown or already final.
    ///
    /// From the commit on, the job can neither complete nor write progress. Call [`notify`](Self::notify) after it: a worker of this process
    /// then cancels the running handler at once, otherwise at its next heartbeat.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn cancel(&self, conn: &mut SqliteConnection, id: Uuid) -> sqlx::Result<bool> {
        let changed = sqlx::query(
            "UPDATE jobs SET state = 'cancelled', updated_at = ? WHERE id = ? AND state IN ('ready', 'leased')",
        )
        .bind(self.now_ms())
        .bind(id.to_string())
        .execute(conn)
        .await?
        .rows_affected();
        Ok(changed == 1)
    }

    /// Has the workers of this process look at the database now rather than at their next poll or heartbeat. Never blocks.
    pub fn notify(&self) {
        self.inner
            .wake
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// The job with this id.
    ///
    /// # Errors
    /// When the query fails.
    pub async fn get(&self, id: Uuid) -> sqlx::Result<Option<Job>> {
        sqlx::query_as(concat!(
            "SELECT ",
            job_columns!(),
            " FROM jobs WHERE id = ?"
        ))
        .bind(id.to_string())
        .fetch_optional(self.pool())
        .await
    }

    /// Ends every lease of a queue now, so that the jobs of a killed predecessor start at once rather than when their leases run out. Gives
    /// the number of leases ended.
    ///
    /// For the start of a process that knows itself to be the only one on the database. A lease that was alive after all is lost: its
    /// handler is cancelled and its attempt wasted, but no effect is applied twice.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn expire_leases(&self, queue: &str) -> sqlx::Result<u64> {
        // A new token, or a holder that is still alive would renew the lease.
        let ended = sqlx::query(
            "UPDATE jobs SET due_at = ?1, updated_at = ?1, lease_token = lease_token + 1
             WHERE queue = ?2 AND state = 'leased'",
        )
        .bind(self.now_ms())
        .bind(queue)
        .execute(self.pool())
        .await?
        .rows_affected();
        self.notify();
        Ok(ended)
    }

    /// Sees every later [`notify`](Self::notify).
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.inner.wake.subscribe()
    }
}
