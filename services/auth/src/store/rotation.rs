//! Rotation: a new key is published at once, signs when every verifier has had the time to fetch it, and the key before
//! it stays published until its last token has expired.

use std::time::Duration;

use scribemed_auth::token::DEFAULT_LIFETIME;
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{Error, Store, keys};

/// From the publication of a key to its first signature. Longer than [`MAX_AGE`], so that every verifier that keeps to it
/// knows the key by then.
pub(crate) const PROPAGATION: Duration = Duration::from_mins(5);
/// How long a verifier may use a key set before it asks again.
pub(crate) const MAX_AGE: Duration = Duration::from_mins(4);
/// From the last signature of a key to its retirement: the life of a token and what verifiers' clocks may lag behind.
const LAST_TOKEN: Duration = DEFAULT_LIFETIME.saturating_add(Duration::from_secs(60));
/// How long a repeat of a request gets the first answer.
const REMEMBERED: Duration = Duration::from_hours(24);

/// A change of keys.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Rotation {
    /// The new key.
    pub(crate) kid: String,
    /// When it begins to sign.
    pub(crate) activate_at: i64,
    /// When the key before it leaves the key set.
    pub(crate) retire_at: i64,
}

impl Store {
    /// Makes a new key, or gives the rotation that is under way, or the one that answered this request of `caller` before.
    ///
    /// # Cancel safety
    /// It is done or not; when it was and the answer is lost, a repeat finds it under way.
    pub(crate) async fn rotate(
        &self,
        caller: &str,
        request_id: Option<Uuid>,
        now_ms: i64,
    ) -> Result<Rotation, Error> {
        let mut tx = scribemed_jobs::begin(&self.pool).await?;
        keys::forget_retired(&mut tx, now_ms).await?;
        let rotation = match request_id {
            Some(id) => once(&mut tx, caller, id, now_ms).await?,
            None => rotate(&mut tx, now_ms).await?,
        };
        tx.commit().await?;
        Ok(rotation)
    }
}

async fn once(
    conn: &mut SqliteConnection,
    caller: &str,
    request_id: Uuid,
    now_ms: i64,
) -> Result<Rotation, Error> {
    sqlx::query("DELETE FROM rotations WHERE created_at <= ?")
        .bind(now_ms - millis(REMEMBERED))
        .execute(&mut *conn)
        .await?;
    let answered = sqlx::query_as(
        "SELECT kid, activate_at, retire_at FROM rotations WHERE caller = ? AND request_id = ?",
    )
    .bind(caller)
    .bind(request_id.to_string())
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(rotation) = answered {
        return Ok(rotation);
    }
    let rotation = rotate(conn, now_ms).await?;
    sqlx::query(
        "INSERT INTO rotations (caller, request_id, kid, activate_at, retire_at, created_at) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(caller)
    .bind(request_id.to_string())
    .bind(&rotation.kid)
    .bind(rotation.activate_at)
    .bind(rotation.retire_at)
    .bind(now_ms)
    .execute(conn)
    .await?;
    Ok(rotation)
}

async fn rotate(conn: &mut SqliteConnection, now_ms: i64) -> Result<Rotation, Error> {
    let under_way = sqlx::query_as(
        "SELECT new.kid, new.activate_at, max(old.retire_at) AS retire_at
         FROM signing_keys AS new JOIN signing_keys AS old ON old.retire_at > new.activate_at
         WHERE new.retire_at IS NULL AND new.activate_at > ? GROUP BY new.kid",
    )
    .bind(now_ms)
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(rotation) = under_way {
        return Ok(rotation);
    }
    let activate_at = now_ms + millis(PROPAGATION);
    let retire_at = activate_at + millis(LAST_TOKEN);
    sqlx::query("UPDATE signing_keys SET retire_at = ? WHERE retire_at IS NULL")
        .bind(retire_at)
        .execute(&mut *conn)
        .await?;
    let kid = keys::create(conn, activate_at, now_ms).await?;
    tracing::info!(kid, "a new signing key was made");
    Ok(Rotation {
        kid,
        activate_at,
        retire_at,
    })
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
