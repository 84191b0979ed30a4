//! Notes on disk, in `SQLite`.
//!
//! Every function takes a connection, so that a caller can put several into one transaction: a note, the request that
//! asked for it and the job that will draft it are stored together or not at all. A transaction that writes is begun
//! with [`scribemed_jobs::begin`], so that it waits for its turn at the start instead of failing at its first write.

pub mod notes;
pub mod page;
pub mod requests;
mod row;

use std::path::Path;

use sqlx::SqlitePool;
use sqlx::migrate::{MigrateError, Migrator};
use uuid::Uuid;

use crate::note::Etag;

/// The tables of this service.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such note.
    #[error("there is no note {id}")]
    NotFound {
        /// The id that was asked for.
        id: Uuid,
    },
    /// There is a note with this id already.
    #[error("there is a note {id} already")]
    AlreadyExists {
        /// The id.
        id: Uuid,
    },
    /// Somebody else saved the note first.
    #[error("the note {id} has changed: its etag is now \"{current}\"")]
    EtagMismatch {
        /// The note.
        id: Uuid,
        /// The etag of the note as it is.
        current: Etag,
    },
    /// The note is signed and cannot be changed.
    #[error("the note {id} is signed and cannot be changed")]
    Signed {
        /// The note.
        id: Uuid,
    },
    /// The page token is not one of ours, or belongs to a list with other filters.
    #[error("the page token does not belong to this list")]
    PageToken,
    /// The request id has been used for a request with other content.
    #[error("the request id {request_id} has been used for another request")]
    RequestIdReused {
        /// The request id.
        request_id: Uuid,
    },
    /// What is stored cannot be read.
    #[error("a stored note cannot be read: its {column} is not valid")]
    Corrupt {
        /// The column at fault. The value is left out, as it may be text about a patient.
        column: &'static str,
    },
    /// The database could not be opened.
    #[error(transparent)]
    Open(#[from] scribemed_jobs::OpenError),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// The tables could not be brought up to date.
    #[error("the tables could not be brought up to date")]
    Migrate(#[from] MigrateError),
}

/// Opens the database at `file`, makes it if there is none, and brings its tables up to date, those of the jobs included.
///
/// # Errors
///
/// [`Error::Open`] when the file cannot be opened, [`Error::Migrate`] when it is not one of ours.
pub async fn open(file: &Path) -> Result<SqlitePool, Error> {
    let pool = scribemed_jobs::open(file).await?;
    scribemed_jobs::migrate(&pool).await?;
    MIGRATIONS.run(&pool).await?;
    Ok(pool)
}

/// Whether a row with this key is there already.
fn is_taken(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

#[cfg(test)]
mod tests;
