//! What only workers do to a job. Every change of a leased job is fenced: it names the lease's token and changes nothing once that is old.

use std::time::Duration;

use sqlx::{FromRow, Row, SqliteConnection};
use uuid::Uuid;

use super::Store;
use crate::Job;
use crate::clock::millis;
use crate::job::job_columns;

/// The longest reason that is kept, in bytes.
const MAX_REASON: usize = 1_000;

/// A job that a worker has just leased.
#[derive(Clone)]
pub(crate) struct Claim {
    pub(crate) job: Job,
    pub(crate) token: i64,
}

impl Claim {
    /// Whether this attempt is one too many: the last allowed one ended without an outcome.
    pub(crate) fn exhausted(&self) -> bool {
        self.job.attempts > self.job.max_attempts
    }

    /// Whether the job may be tried again when this attempt fails.
    pub(crate) fn attempts_left(&self) -> bool {
        self.job.attempts < self.job.max_attempts
    }
}

impl Store {
    /// Leases the job of the queue that has been due longest: ready, or leased by a worker that let the lease run out.
    ///
    /// An exhausted job is leased as well, because its death needs an owner like any attempt does.
    pub(crate) async fn claim(&self, queue: &str, lease: Duration) -> sqlx::Result<Option<Claim>> {
        let now = self.now_ms();
        let row = sqlx::query(concat!(
            "UPDATE jobs
             SET state = 'leased', attempts = attempts + 1, lease_token = lease_token + 1, due_at = ?1, updated_at = ?2
             WHERE id = (SELECT id FROM jobs WHERE queue = ?3 AND state IN ('ready', 'leased') AND due_at <= ?2
                         ORDER BY due_at, id LIMIT 1)
             RETURNING lease_token, ",
            job_columns!()
        ))
        .bind(now.saturating_add(millis(lease)))
        .bind(now)
        .bind(queue)
        .fetch_optional(self.pool())
        .await?;
        row.map(|row| {
            Ok(Claim {
                job: Job::from_row(&row)?,
                token: row.try_get("lease_token")?,
            })
        })
        .transpose()
    }

    /// When the next job of the queue can be claimed, if there is one.
    pub(crate) async fn next_due(&self, queue: &str) -> sqlx::Result<Option<i64>> {
        sqlx::query_scalar(
            "SELECT MIN(due_at) FROM jobs WHERE queue = ? AND state IN ('ready', 'leased')",
        )
        .bind(queue)
        .fetch_one(self.pool())
        .await
    }

    /// Checks that the lease is held, and renews it when a quarter of it is used. False when it is lost.
    pub(crate) async fn renew(&self, claim: &Claim, lease: Duration) -> sqlx::Result<bool> {
        let end: Option<i64> = sqlx::query_scalar(
            "SELECT due_at FROM jobs WHERE id = ? AND lease_token = ? AND state = 'leased'",
        )
        .bind(claim.job.id.to_string())
        .bind(claim.token)
        .fetch_optional(self.pool())
        .await?;
        let now = self.now_ms();
        match end {
            None => Ok(false),
            // A notification comes with every enqueue and must not cost a write each time.
            Some(end) if end.saturating_sub(now) > millis(lease) / 4 * 3 => Ok(true),
            Some(_) => {
                let renewed = sqlx::query(
                    "UPDATE jobs SET due_at = ? WHERE id = ? AND lease_token = ? AND state = 'leased'",
                )
                .bind(now.saturating_add(millis(lease)))
                .bind(claim.job.id.to_string())
                .bind(claim.token)
                .execute(self.pool())
                .await?;
                Ok(renewed.rows_affected() == 1)
            }
        }
    }

    /// Checks that the lease is held, by a write, so that it stays so until the transaction ends.
    pub(crate) async fn hold(
        &self,
        conn: &mut SqliteConnection,
        id: Uuid,
        token: i64,
    ) -> sqlx::Result<bool> {
        let held = sqlx::query(
            "UPDATE jobs SET updated_at = ? WHERE id = ? AND lease_token = ? AND state = 'leased'",
        )
        .bind(self.now_ms())
        .bind(id.to_string())
        .bind(token)
        .execute(conn)
        .await?;
        Ok(held.rows_affected() == 1)
    }

    /// Leased to done. False when the lease is lost.
    pub(crate) async fn mark_done(
        &self,
        conn: &mut SqliteConnection,
        id: Uuid,
        token: i64,
    ) -> sqlx::Result<bool> {
        let done = sqlx::query(
            "UPDATE jobs SET state = 'done', updated_at = ? WHERE id = ? AND lease_token = ? AND state = 'leased'",
        )
        .bind(self.now_ms())
        .bind(id.to_string())
        .bind(token)
        .execute(conn)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Leased to dead. `None` when the lease is lost.
    pub(crate) async fn mark_dead(
        &self,
        conn: &mut SqliteConnection,
        claim: &Claim,
        reason: &str,
    ) -> sqlx::Result<Option<Job>> {
        sqlx::query_as(concat!(
            "UPDATE jobs SET state = 'dead', attempts = MIN(attempts, max_attempts), last_error = ?, updated_at = ?
             WHERE id = ? AND lease_token = ? AND state = 'leased'
             RETURNING ",
            job_columns!()
        ))
        .bind(clip(reason))
        .bind(self.now_ms())
        .bind(claim.job.id.to_string())
        .bind(claim.token)
        .fetch_optional(conn)
        .await
    }

    /// Leased to ready after a failed attempt, due after `delay`. False when the lease is lost.
    pub(crate) async fn retry(
        &self,
        claim: &Claim,
        delay: Duration,
        reason: &str,
    ) -> sqlx::Result<bool> {
        self.put_back(claim, delay, 0, Some(reason)).await
    }

    /// Leased to ready, due after `delay`, as if the attempt had not been made. False when the lease is lost.
    pub(crate) async fn give_back(
        &self,
        claim: &Claim,
        delay: Duration,
        reason: Option<&str>,
    ) -> sqlx::Result<bool> {
        self.put_back(claim, delay, 1, reason).await
    }

    async fn put_back(
        &self,
        claim: &Claim,
        delay: Duration,
        uncounted: u32,
        reason: Option<&str>,
    ) -> sqlx::Result<bool> {
        let now = self.now_ms();
        let changed = sqlx::query(
            "UPDATE jobs
             SET state = 'ready', attempts = attempts - ?, due_at = ?, last_error = COALESCE(?, last_error), updated_at = ?
             WHERE id = ? AND lease_token = ? AND state = 'leased'",
        )
        .bind(uncounted)
        .bind(now.saturating_add(millis(delay)))
        .bind(reason.map(clip))
        .bind(now)
        .bind(claim.job.id.to_string())
        .bind(claim.token)
        .execute(self.pool())
        .await?
        .rows_affected();
        // An idle worker has planned its sleep without this job.
        self.notify();
        Ok(changed == 1)
    }
}

/// A reason cut to the length that is kept.
pub(crate) fn clip(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(MAX_REASON)]
}
