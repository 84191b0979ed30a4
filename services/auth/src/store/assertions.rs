//! Assertions that were taken, so that none is taken twice.

use scribemed_auth::SigningKey;
use scribemed_auth::assertion::Claims;
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{Error, Store, keys};
use crate::time::to_millis;

impl Store {
    /// Takes an assertion and gives the key to sign with now; `None` when it was taken before.
    ///
    /// # Cancel safety
    /// The assertion is taken or not; when it was and the answer is lost, the client makes a new one.
    pub(crate) async fn take(
        &self,
        claims: &Claims,
        now_ms: i64,
    ) -> Result<Option<SigningKey>, Error> {
        let mut tx = scribemed_jobs::begin(&self.pool).await?;
        sqlx::query("DELETE FROM used_assertions WHERE forget_after < ?")
            .bind(now_ms)
            .execute(&mut *tx)
            .await?;
        let forget_after = to_millis(claims.forget_after());
        if !insert(&mut tx, claims.client(), claims.jti(), forget_after).await? {
            return Ok(None);
        }
        keys::forget_retired(&mut tx, now_ms).await?;
        let key = keys::signer(&mut tx, now_ms).await?;
        tx.commit().await?;
        Ok(Some(key))
    }

    /// Writes, to see whether it can be done.
    pub(crate) async fn probe(&self) -> Result<(), Error> {
        let mut tx = scribemed_jobs::begin(&self.pool).await?;
        // No client has an empty name.
        insert(&mut tx, "", &Uuid::now_v7().to_string(), 0).await?;
        sqlx::query("DELETE FROM used_assertions WHERE client = ''")
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Whether it was not there before.
async fn insert(
    conn: &mut SqliteConnection,
    client: &str,
    jti: &str,
    forget_after: i64,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "INSERT INTO used_assertions (client, jti, forget_after) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(client)
    .bind(jti)
    .bind(forget_after)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
