//! Requests that have been answered, so that a repeat gets the first answer (AIP-155).
//!
//! In one transaction: [`find`]; when it finds nothing, do the work and [`record`] what came of it.

use sha2::{Digest as _, Sha256};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{Error, is_taken};
use crate::note::Note;
use crate::time::Timestamp;

/// What tells one request from another: the same id from another caller, or for another method, is another request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestKey<'a> {
    /// The authenticated caller.
    pub caller: &'a str,
    /// The method's full name.
    pub method: &'a str,
    /// The id that the caller chose.
    pub request_id: Uuid,
}

/// A digest of what a request asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of an encoded request. The encoding has to be the same for the same content.
    pub fn of(request: &[u8]) -> Self {
        Self(Sha256::digest(request).into())
    }
}

impl std::fmt::Debug for Fingerprint {
    /// Prints nothing of the digest: short texts could be found by trying.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fingerprint(..)")
    }
}

/// The note that a request was answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The note.
    pub note_id: Uuid,
    /// Its revision at the time ([`super::notes::get_revision`]).
    pub revision: u32,
}

/// The answer that `key` was given, if it was seen before.
///
/// # Errors
///
/// [`Error::RequestIdReused`] when it was seen with other content.
pub async fn find(
    conn: &mut SqliteConnection,
    key: &RequestKey<'_>,
    fingerprint: &Fingerprint,
) -> Result<Option<Answer>, Error> {
    let found: Option<(Vec<u8>, String, i64)> = sqlx::query_as(
        "SELECT fingerprint, note_id, revision FROM requests WHERE caller = ? AND method = ? AND request_id = ?",
    )
    .bind(key.caller)
    .bind(key.method)
    .bind(key.request_id.to_string())
    .fetch_optional(conn)
    .await?;
    let Some((seen, note_id, revision)) = found else {
        return Ok(None);
    };
    if seen != fingerprint.0 {
        return Err(Error::RequestIdReused {
            request_id: key.request_id,
        });
    }
    Ok(Some(Answer {
        note_id: Uuid::parse_str(&note_id).map_err(|_| Error::Corrupt { column: "note_id" })?,
        revision: u32::try_from(revision).map_err(|_| Error::Corrupt { column: "revision" })?,
    }))
}

/// Remembers that `key` was answered with `note`, which is stored already.
///
/// # Errors
///
/// [`Error::RequestIdReused`] when `key` is taken, which [`find`] in the same transaction rules out.
pub async fn record(
    conn: &mut SqliteConnection,
    key: &RequestKey<'_>,
    fingerprint: &Fingerprint,
    note: &Note,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO requests (caller, method, request_id, fingerprint, note_id, revision, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(key.caller)
    .bind(key.method)
    .bind(key.request_id.to_string())
    .bind(fingerprint.0.as_slice())
    .bind(note.id().to_string())
    .bind(i64::from(note.revision()))
    .bind(now.as_millis())
    .execute(conn)
    .await
    .map_err(|error| {
        if is_taken(&error) {
            Error::RequestIdReused {
                request_id: key.request_id,
            }
        } else {
            Error::Database(error)
        }
    })?;
    Ok(())
}
