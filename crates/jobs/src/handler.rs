//! What a service implements.

use std::future::Future;
use std::time::Duration;

use sqlx::SqliteConnection;

use crate::{Done, Job, Lease, LeaseError};

/// Any error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Does the jobs of one queue. Both methods are written as plain `async fn`.
///
/// ```
/// use scribemed_jobs::{BoxError, Done, Failure, Handler, Job, Lease};
/// use sqlx::SqliteConnection;
///
/// struct Greet;
///
/// impl Handler for Greet {
///     async fn run(&self, lease: Lease) -> Result<Done, Failure> {
///         let greeting = format!("hello, {}", lease.payload());
///         let mut tx = lease.begin().await?;
///         sqlx::query("UPDATE greetings SET text = ?, state = 'ready' WHERE id = ?")
///             .bind(greeting)
///             .bind(lease.id().to_string())
///             .execute(&mut *tx)
///             .await?;
///         Ok(lease.complete(tx).await?)
///     }
///
///     async fn dead(&self, conn: &mut SqliteConnection, job: &Job, reason: &str) -> Result<(), BoxError> {
///         sqlx::query("UPDATE greetings SET state = 'failed', error = ? WHERE id = ?")
///             .bind(reason)
///             .bind(job.id.to_string())
///             .execute(conn)
///             .await?;
///         Ok(())
///     }
/// }
/// ```
pub trait Handler: Send + Sync + 'static {
    /// Does the job, and commits its effect with [`Lease::complete`].
    ///
    /// May run again for the same job, so effects outside the database must bear repetition. Stops soon after [`Lease::cancelled`]; what it
    /// returns then does not count, unless it is done or [`Failure::Dead`]. A panic is a failed attempt.
    ///
    /// # Errors
    /// What is to become of the job.
    ///
    /// # Cancel safety
    /// The future is dropped when it outlasts the worker's grace after [`Lease::cancelled`], or when the worker itself is dropped.
    fn run(&self, lease: Lease) -> impl Future<Output = Result<Done, Failure>> + Send;

    /// Records in the domain's own tables that the job is dead, in the transaction in which it dies. Also called when the job died of a
    /// crash, by a worker that never ran it.
    ///
    /// # Errors
    /// Then the transaction is rolled back, and the job is taken up again when its lease runs out.
    fn dead(
        &self,
        conn: &mut SqliteConnection,
        job: &Job,
        reason: &str,
    ) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// What is to become of a job that was not done.
///
/// Reasons are for operators: they are logged and kept, up to 1,000 bytes. They say what failed, never what a patient said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Try again after the worker's backoff, as long as attempts are left; then the job is dead.
    Retry(String),
    /// Try again after this time. Not counted as an attempt: for a peer that is away or a file that is not there yet. The handler itself must
    /// know when to give up.
    Snooze(Duration, String),
    /// Trying again cannot help.
    Dead(String),
}

impl From<LeaseError> for Failure {
    fn from(error: LeaseError) -> Self {
        match error {
            // The worker's write is fenced as well, so this retry does not reach a job that is another's.
            LeaseError::Lost => Self::Retry(error.to_string()),
            LeaseError::Database(source) => source.into(),
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Retry(format!("database: {error}"))
    }
}
