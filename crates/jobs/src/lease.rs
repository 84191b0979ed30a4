//! The right to work on a job.

use std::fmt;
use std::sync::Arc;

use sqlx::{SqliteConnection, SqliteTransaction};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Store;
use crate::store::Claim;

/// The right to work on one job, for as long as the worker renews it. Clones are the same lease.
///
/// A lease is lost when the job is cancelled, or when the worker could not renew it in time and another took the job over. The database
/// refuses everything that comes from a lost lease.
#[derive(Clone)]
pub struct Lease {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    claim: Claim,
    cancelled: CancellationToken,
}

/// Proof that a job's effect is committed. Only [`Lease::complete`] makes one.
#[derive(Debug)]
pub struct Done(());

/// Why the database did not accept something from a lease.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// The job was cancelled, or another worker has it. Nothing was written; stop working.
    #[error("the lease is lost")]
    Lost,
    /// The database failed. Nothing was written.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl Lease {
    pub(crate) fn new(store: Store, claim: Claim, cancelled: CancellationToken) -> Self {
        Self {
            inner: Arc::new(Inner {
                store,
                claim,
                cancelled,
            }),
        }
    }

    /// The job's id.
    pub fn id(&self) -> Uuid {
        self.inner.claim.job.id
    }

    /// What the enqueuer gave.
    pub fn payload(&self) -> &str {
        &self.inner.claim.job.payload
    }

    /// Which attempt this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.inner.claim.job.attempts
    }

    /// How many attempts there may be.
    pub fn max_attempts(&self) -> u32 {
        self.inner.claim.job.max_attempts
    }

    /// Cancelled when the handler should stop: the lease is lost, the job cancelled, or the worker shutting down. A handler that does not
    /// return within the worker's grace is aborted; what it runs on other threads is not, so those must look at this token.
    pub fn cancelled(&self) -> &CancellationToken {
        &self.inner.cancelled
    }

    /// Begins a write transaction in which the lease is held until the end: for progress, and for the effect.
    ///
    /// It keeps other writers out, so do the slow work before.
    ///
    /// # Errors
    /// [`LeaseError::Lost`], or [`LeaseError::Database`] when the write lock is not had within 5 s.
    pub async fn begin(&self) -> Result<SqliteTransaction<'static>, LeaseError> {
        let mut tx = self.inner.store.begin().await?;
        self.guard(&mut tx).await?;
        Ok(tx)
    }

    /// Makes a transaction that the caller began depend on the lease: on success the lease is held until that transaction ends.
    ///
    /// On a connection without a transaction it proves nothing about later statements.
    ///
    /// # Errors
    /// [`LeaseError::Lost`], after which the caller rolls back, or [`LeaseError::Database`].
    pub async fn guard(&self, conn: &mut SqliteConnection) -> Result<(), LeaseError> {
        let Inner { store, claim, .. } = &*self.inner;
        if store.hold(conn, claim.job.id, claim.token).await? {
            Ok(())
        } else {
            Err(LeaseError::Lost)
        }
    }

    /// Commits `tx`, which holds the job's effect, together with the job's end.
    ///
    /// # Errors
    /// [`LeaseError::Lost`] or [`LeaseError::Database`]; either way `tx` is rolled back.
    ///
    /// # Cancel safety
    /// Effect and end are committed together or not at all, also when the future is dropped; which of the two is then not known.
    pub async fn complete(&self, mut tx: SqliteTransaction<'_>) -> Result<Done, LeaseError> {
        let Inner { store, claim, .. } = &*self.inner;
        if store.mark_done(&mut tx, claim.job.id, claim.token).await? {
            tx.commit().await?;
            Ok(Done(()))
        } else {
            tx.rollback().await?;
            Err(LeaseError::Lost)
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("job", &self.inner.claim.job)
            .finish_non_exhaustive()
    }
}
