//! Transcriptions, their recordings and the requests for them, in SQLite.
//!
//! What belongs together is one transaction: a transcription, its recording, the request and the job are stored together
//! or not at all, and the recording is removed in the transaction in which the transcription ends.

mod attempt;
pub(crate) mod page;
mod row;

#[cfg(test)]
mod tests;

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use scribemed_jobs::{NewJob, SystemClock};
use scribemed_rpc::RequestId;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{SqliteConnection, SqlitePool};
use uuid::Uuid;

use self::page::Cursor;
use crate::changes::Changes;
use crate::error::Error;
use crate::transcription::{Origin, State, Transcription};

/// The tables of this service.
static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The queue of the transcriptions' jobs.
pub(crate) const QUEUE: &str = "transcriptions";

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file.
    #[error(transparent)]
    File(#[from] scribemed_jobs::OpenError),
    /// The tables.
    #[error("the tables of the database cannot be brought up to date")]
    Migrate(#[from] MigrateError),
    /// The work of a predecessor that was killed.
    #[error("what a predecessor left behind cannot be taken over")]
    TakeOver(#[from] sqlx::Error),
}

/// Who asked for something, by which id, and what it was.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The calling service.
    pub(crate) caller: String,
    /// The id that the caller chose.
    pub(crate) id: Uuid,
    /// Tells one content from another.
    pub(crate) fingerprint: [u8; 32],
}

/// What is to be heard.
pub(crate) enum Recording {
    /// The bytes of the file.
    Audio(Bytes),
    /// Where the file is.
    Uri(String),
}

/// A transcription to be stored.
pub(crate) struct NewTranscription {
    pub(crate) origin: Origin,
    pub(crate) recording: Recording,
    pub(crate) audio_duration: Option<Duration>,
    pub(crate) request: Option<Request>,
    /// The request id of the call, which the job goes on under.
    pub(crate) call: RequestId,
    pub(crate) max_attempts: NonZeroU32,
}

/// What a job is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Payload {
    /// The transcription.
    pub(crate) transcription_id: Uuid,
    /// The request id of the call that asked for it.
    pub(crate) request_id: Uuid,
}

impl Payload {
    fn encode(self) -> String {
        serde_json::json!({
            "transcription_id": self.transcription_id.to_string(),
            "request_id": self.request_id.to_string(),
        })
        .to_string()
    }

    /// What [`create`](Store::create) has written.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        let payload: serde_json::Value = serde_json::from_str(text).ok()?;
        let id = |field: &str| Uuid::parse_str(payload.get(field)?.as_str()?).ok();
        Some(Self {
            transcription_id: id("transcription_id")?,
            request_id: id("request_id")?,
        })
    }
}

/// The store. Clones share everything.
#[derive(Clone)]
pub(crate) struct Store {
    jobs: scribemed_jobs::Store,
    changes: Changes,
}

/// The columns of a transcription.
macro_rules! columns {
    () => {
        "id, state, progress, audio_duration_ms, model_id, model_sha256, confidence, text, failure_reason, \
         failure_message, created_at, updated_at"
    };
}

impl Store {
    /// Opens the database, and takes over the work of a predecessor that was killed. The caller has seen to it that it is
    /// the only one.
    pub(crate) async fn open(file: &Path) -> Result<Self, OpenError> {
        let pool = scribemed_jobs::open(file).await?;
        scribemed_jobs::migrate(&pool).await?;
        MIGRATIONS.run(&pool).await?;
        let store = Self {
            jobs: scribemed_jobs::Store::new(pool, SystemClock),
            changes: Changes::default(),
        };
        let resumed = store.jobs.expire_leases(QUEUE).await?;
        // What was heard before is not kept, so it has not begun.
        sqlx::query(
            "UPDATE transcriptions SET state = 'QUEUED', progress = 0, updated_at = ? WHERE state = 'RUNNING'",
        )
        .bind(store.jobs.now_ms())
        .execute(store.pool())
        .await?;
        if resumed > 0 {
            tracing::info!(resumed, "transcriptions that were interrupted start again");
        }
        Ok(store)
    }

    /// The jobs in the same database.
    pub(crate) fn jobs(&self) -> &scribemed_jobs::Store {
        &self.jobs
    }

    /// Who watches what.
    pub(crate) fn changes(&self) -> &Changes {
        &self.changes
    }

    /// A real write, to see whether it can be done: a full or read-only disk lets a transaction begin.
    pub(crate) async fn probe(&self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        scribemed_jobs::present(self.pool()).await?;
        let mut tx = self.jobs.begin().await?;
        sqlx::query("INSERT OR REPLACE INTO health (id, checked_at) VALUES (1, ?)")
            .bind(self.jobs.now_ms())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    fn pool(&self) -> &SqlitePool {
        self.jobs.pool()
    }

    /// The transcription as it is now, with its segments.
    pub(crate) async fn get(&self, id: Uuid) -> Result<Transcription, Error> {
        let found = find(&mut *self.pool().acquire().await?, id).await?;
        let mut transcription = found.ok_or(Error::NotFound { id })?;
        // Once it has succeeded it never changes, so two queries see the same.
        if transcription.state == State::Succeeded {
            let rows = sqlx::query(
                "SELECT position, start_ms, end_ms, text, confidence FROM segments
                 WHERE transcription_id = ? ORDER BY position",
            )
            .bind(id.to_string())
            .fetch_all(self.pool())
            .await?;
            transcription.segments = rows.iter().map(row::segment).collect::<Result<_, _>>()?;
        }
        Ok(transcription)
    }

    /// A page, newest first, without segments and text, and the token of the next page.
    pub(crate) async fn list(
        &self,
        filter: Option<State>,
        size: u16,
        token: &str,
    ) -> Result<(Vec<Transcription>, Option<String>), Error> {
        let after = Cursor::decode(token, filter)?;
        let rows = match filter {
            None => sqlx::query(concat!(
                "SELECT ",
                columns!(),
                " FROM transcriptions WHERE (created_at, id) < (?1, ?2) ORDER BY created_at DESC, id DESC LIMIT ?3"
            )),
            Some(_) => sqlx::query(concat!(
                "SELECT ",
                columns!(),
                " FROM transcriptions WHERE state = ?4 AND (created_at, id) < (?1, ?2)
                  ORDER BY created_at DESC, id DESC LIMIT ?3"
            )),
        }
        .bind(after.created_at)
        .bind(after.id.to_string())
        // One more than is shown tells whether there is a next page.
        .bind(i64::from(size) + 1);
        let rows = match filter {
            None => rows,
            Some(state) => rows.bind(state.as_str()),
        };
        let rows = rows.fetch_all(self.pool()).await?;
        let mut page = rows
            .iter()
            .map(|row| {
                row::transcription(row).map(|transcription| Transcription {
                    text: String::new(),
                    ..transcription
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let more = page.len() > usize::from(size);
        page.truncate(usize::from(size));
        let next = page
            .last()
            .filter(|_| more)
            .map(|last| Cursor::of(last).encode(filter));
        Ok((page, next))
    }

    /// The transcription that answered this request before, if any.
    pub(crate) async fn answered(&self, request: &Request) -> Result<Option<Transcription>, Error> {
        let found = answered(&mut *self.pool().acquire().await?, request).await?;
        match found {
            Some(id) => self.get(id).await.map(Some),
            None => Ok(None),
        }
    }

    /// Stores a transcription with everything that belongs to it, and queues its job; a repeated request gives the first
    /// one.
    pub(crate) async fn create(&self, new: NewTranscription) -> Result<Transcription, Error> {
        let id = Uuid::now_v7();
        let now = self.jobs.now_ms();
        let mut tx = self.jobs.begin().await?;
        // Two calls with the same id may have come this far together.
        if let Some(request) = &new.request
            && let Some(first) = answered(&mut tx, request).await?
        {
            drop(tx);
            return self.get(first).await;
        }
        sqlx::query(
            "INSERT INTO transcriptions (id, origin, state, audio_duration_ms, created_at, updated_at)
             VALUES (?1, ?2, 'QUEUED', ?3, ?4, ?4)",
        )
        .bind(id.to_string())
        .bind(new.origin.as_str())
        .bind(new.audio_duration.map(row::millis))
        .bind(now)
        .execute(&mut *tx)
        .await?;
        let (audio, uri) = match &new.recording {
            Recording::Audio(audio) => (Some(&audio[..]), None),
            Recording::Uri(uri) => (None, Some(uri.as_str())),
        };
        sqlx::query("INSERT INTO recordings (transcription_id, audio, uri) VALUES (?, ?, ?)")
            .bind(id.to_string())
            .bind(audio)
            .bind(uri)
            .execute(&mut *tx)
            .await?;
        if let Some(request) = &new.request {
            sqlx::query(
                "INSERT INTO requests (caller, request_id, fingerprint, transcription_id, created_at)
                 VALUES (?, ?, ?, ?, ?)",
            )
            .bind(&request.caller)
            .bind(request.id.to_string())
            .bind(&request.fingerprint[..])
            .bind(id.to_string())
            .bind(now)
            .execute(&mut *tx)
            .await?;
        }
        let payload = Payload {
            transcription_id: id,
            request_id: new.call.as_uuid(),
        };
        let job = NewJob::new(QUEUE, payload.encode())
            .id(id)
            .max_attempts(new.max_attempts);
        self.jobs.enqueue(&mut tx, job).await?;
        tx.commit().await?;
        self.jobs.notify();
        self.get(id).await
    }

    /// Withdraws a transcription and its job. One that was withdrawn before stays as it is.
    pub(crate) async fn cancel(&self, id: Uuid) -> Result<Transcription, Error> {
        let mut tx = self.jobs.begin().await?;
        let found = find(&mut tx, id).await?.ok_or(Error::NotFound { id })?;
        match found.state {
            State::Cancelled => return Ok(found),
            state @ (State::Succeeded | State::Failed) => {
                return Err(Error::Finished { id, state });
            }
            State::Queued | State::Running => {}
        }
        self.jobs.cancel(&mut tx, id).await?;
        attempt::forget_securely(&mut tx).await?;
        sqlx::query("UPDATE transcriptions SET state = 'CANCELLED', updated_at = ? WHERE id = ?")
            .bind(self.jobs.now_ms())
            .bind(id.to_string())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        self.jobs.notify();
        self.changes.notify(id);
        self.get(id).await
    }

    /// Lets go of the database.
    pub(crate) async fn close(self) {
        let pool = self.pool().clone();
        pool.close().await;
    }
}

async fn find(conn: &mut SqliteConnection, id: Uuid) -> Result<Option<Transcription>, Error> {
    let row = sqlx::query(concat!(
        "SELECT ",
        columns!(),
        " FROM transcriptions WHERE id = ?"
    ))
    .bind(id.to_string())
    .fetch_optional(conn)
    .await?;
    Ok(row.as_ref().map(row::transcription).transpose()?)
}

async fn answered(conn: &mut SqliteConnection, request: &Request) -> Result<Option<Uuid>, Error> {
    let row: Option<(Vec<u8>, String)> = sqlx::query_as(
        "SELECT fingerprint, transcription_id FROM requests WHERE caller = ? AND request_id = ?",
    )
    .bind(&request.caller)
    .bind(request.id.to_string())
    .fetch_optional(conn)
    .await?;
    let Some((fingerprint, id)) = row else {
        return Ok(None);
    };
    if fingerprint != request.fingerprint {
        return Err(Error::RequestIdReused { id: request.id });
    }
    let id = Uuid::parse_str(&id).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(Some(id))
}
