//! What a job is.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};
use uuid::Uuid;

const DEFAULT_MAX_ATTEMPTS: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);

/// A job to be enqueued.
#[derive(Clone)]
pub struct NewJob {
    pub(crate) id: Uuid,
    pub(crate) queue: String,
    pub(crate) payload: String,
    pub(crate) key: Option<String>,
    pub(crate) max_attempts: NonZeroU32,
    pub(crate) delay: Duration,
}

impl NewJob {
    /// A job for the workers of `queue`, due at once, with up to 5 attempts. The payload is opaque to this crate; JSON by custom.
    pub fn new(queue: impl Into<String>, payload: impl Into<String>) -> Self {
        Self {
            id: Uuid::now_v7(),
            queue: queue.into(),
            payload: payload.into(),
            key: None,
            max_attempts: DEFAULT_MAX_ATTEMPTS,
            delay: Duration::ZERO,
        }
    }

    /// Uses this id, such as that of the domain row, in place of a new UUIDv7. It must be unique.
    #[must_use]
    pub fn id(mut self, id: Uuid) -> Self {
        self.id = id;
        self
    }

    /// Sets the idempotency key: a queue takes each key once, for ever, whatever became of its job.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sets how often the job may be started before it goes to `dead`. Default 5.
    #[must_use]
    pub fn max_attempts(mut self, max_attempts: NonZeroU32) -> Self {
        self.max_attempts = max_attempts;
        self
    }

    /// Sets how long after being enqueued the job may first start. Default 0.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

/// The answer to an enqueue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enqueued {
    /// The new job, or the one that holds the idempotency key already.
    pub id: Uuid,
    /// True when the key was taken and nothing was enqueued.
    pub existing: bool,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Waits for a worker, or for its next attempt to be due.
    Ready,
    /// A worker holds it, or held it and vanished.
    Leased,
    /// Finished, and its effect is in the database.
    Done,
    /// Given up; `last_error` says why.
    Dead,
    /// Withdrawn before it finished.
    Cancelled,
}

impl State {
    const ALL: [Self; 5] = [
        Self::Ready,
        Self::Leased,
        Self::Done,
        Self::Dead,
        Self::Cancelled,
    ];

    /// The name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Leased => "leased",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the job never changes again.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Dead | Self::Cancelled)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A job as the database has it. Times are milliseconds since the Unix epoch.
#[derive(Clone, PartialEq, Eq)]
pub struct Job {
    /// The job's id.
    pub id: Uuid,
    /// The queue it was enqueued to.
    pub queue: String,
    /// Where it stands.
    pub state: State,
    /// What the enqueuer gave.
    pub payload: String,
    /// The idempotency key, if it has one.
    pub key: Option<String>,
    /// Attempts started so far.
    pub attempts: u32,
    /// Attempts allowed.
    pub max_attempts: u32,
    /// Ready: the earliest start. Leased: the end of the lease. Otherwise without meaning.
    pub due_at: i64,
    /// Why the latest attempt failed or was put off, or why the job is dead.
    pub last_error: Option<String>,
    /// When it was enqueued.
    pub created_at: i64,
    /// When it last changed.
    pub updated_at: i64,
}

impl fmt::Debug for Job {
    // The payload and the key are the service's, and may be clinical.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("id", &self.id)
            .field("queue", &self.queue)
            .field("state", &self.state)
            .field("attempts", &self.attempts)
            .field("max_attempts", &self.max_attempts)
            .field("due_at", &self.due_at)
            .field("last_error", &self.last_error)
            .finish_non_exhaustive()
    }
}

/// The columns that make a [`Job`], for SELECT and RETURNING.
macro_rules! job_columns {
    () => {
        "id, queue, state, payload, idempotency_key, attempts, max_attempts, due_at, last_error, created_at, updated_at"
    };
}
pub(crate) use job_columns;

impl FromRow<'_, SqliteRow> for Job {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        let state: String = row.try_get("state")?;
        Ok(Self {
            id: id(row)?,
            queue: row.try_get("queue")?,
            state: State::ALL
                .into_iter()
                .find(|known| known.as_str() == state)
                .ok_or_else(|| decode("state", format!("unknown state {state:?}")))?,
            payload: row.try_get("payload")?,
            key: row.try_get("idempotency_key")?,
            attempts: row.try_get("attempts")?,
            max_attempts: row.try_get("max_attempts")?,
            due_at: row.try_get("due_at")?,
            last_error: row.try_get("last_error")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

/// The `id` column of a row.
pub(crate) fn id(row: &SqliteRow) -> sqlx::Result<Uuid> {
    let text: String = row.try_get("id")?;
    Uuid::parse_str(&text).map_err(|error| decode("id", error))
}

fn decode(
    column: &str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: source.into(),
    }
}
