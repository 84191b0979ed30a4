//! Signing keys. What a key is good for follows from its times: it is published until it retires, and the newest one that
//! is active signs.

use aws_lc_rs::signature::Ed25519KeyPair;
use scribemed_auth::{Jwk, KeySet, SigningKey, keys};
use sqlx::SqliteConnection;

use super::{Error, Store};

impl Store {
    /// The keys that verify tokens: each that signs, will sign, or signed a token that is still alive.
    pub(crate) async fn published(&self, now_ms: i64) -> Result<KeySet, Error> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT kid, x FROM signing_keys WHERE retire_at IS NULL OR retire_at > ? ORDER BY activate_at",
        )
        .bind(now_ms)
        .fetch_all(&self.pool)
        .await?;
        let mut published = Vec::with_capacity(rows.len());
        for (kid, x) in rows {
            let key = Jwk::from_parts(kid.as_str(), &x);
            published.push(key.map_err(|source| Error::Key { kid, source })?);
        }
        KeySet::new(published).map_err(Error::KeySet)
    }
}

/// The key that signs now.
pub(super) async fn signer(conn: &mut SqliteConnection, now_ms: i64) -> Result<SigningKey, Error> {
    // A clock that was set back may leave no key active: the one that becomes active first is published already.
    let row: Option<(String, String)> = sqlx::query_as(
        "SELECT kid, private_key FROM signing_keys WHERE private_key IS NOT NULL
         ORDER BY activate_at > ?1, CASE WHEN activate_at <= ?1 THEN -activate_at ELSE activate_at END LIMIT 1",
    )
    .bind(now_ms)
    .fetch_optional(conn)
    .await?;
    let (kid, pem) = row.ok_or(Error::NoKey)?;
    SigningKey::from_pem(&pem).map_err(|source| Error::Key { kid, source })
}

/// Makes the first key, which signs at once.
pub(super) async fn ensure(conn: &mut SqliteConnection, now_ms: i64) -> Result<(), Error> {
    let (count,): (i64,) = sqlx::query_as("SELECT count(*) FROM signing_keys")
        .fetch_one(&mut *conn)
        .await?;
    if count == 0 {
        let kid = create(conn, now_ms, now_ms).await?;
        tracing::info!(kid, "the first signing key was made");
    }
    Ok(())
}

/// Makes a key and gives its id. The key before it must have got its `retire_at` already.
pub(super) async fn create(
    conn: &mut SqliteConnection,
    activate_at: i64,
    now_ms: i64,
) -> Result<String, Error> {
    let pem = generate().map_err(Error::Generate)?;
    let key = SigningKey::from_pem(&pem).map_err(Error::Generate)?;
    sqlx::query(
        "INSERT INTO signing_keys (kid, x, private_key, created_at, activate_at) VALUES (?, ?, ?, ?, ?)",
    )
    .bind(key.kid())
    .bind(key.public().x())
    .bind(pem)
    .bind(now_ms)
    .bind(activate_at)
    .execute(conn)
    .await?;
    Ok(key.kid().to_owned())
}

/// Deletes the private halves of keys that have left the key set; what they could sign, nobody accepts.
pub(super) async fn forget_retired(conn: &mut SqliteConnection, now_ms: i64) -> Result<(), Error> {
    // What is deleted is overwritten in the file.
    sqlx::query("PRAGMA secure_delete = ON")
        .execute(&mut *conn)
        .await?;
    sqlx::query(
        "UPDATE signing_keys SET private_key = NULL WHERE private_key IS NOT NULL AND retire_at <= ?",
    )
    .bind(now_ms)
    .execute(conn)
    .await?;
    Ok(())
}

/// A new private key as PKCS#8 PEM.
fn generate() -> Result<String, keys::Error> {
    let pair = Ed25519KeyPair::generate().map_err(|_| keys::Error::Crypto)?;
    let document = pair.to_pkcs8v1().map_err(|_| keys::Error::Crypto)?;
    Ok(pem::encode(&pem::Pem::new(
        "PRIVATE KEY",
        document.as_ref(),
    )))
}
