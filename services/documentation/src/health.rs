//! Whether the store can be written, told through `grpc.health.v1`.

use scribemed_jobs::Store;
use scribemed_server::Check;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The check of this store.
pub(crate) fn check(store: &Store) -> Check {
    let store = store.clone();
    Check::new("store", move || {
        let store = store.clone();
        async move { write(&store).await }
    })
}

/// A real write: a full or read-only disk lets a transaction begin.
async fn write(store: &Store) -> Result<(), BoxError> {
    scribemed_jobs::present(store.pool()).await?;
    let mut tx = store.begin().await?;
    sqlx::query("INSERT OR REPLACE INTO health (id, checked_at) VALUES (1, ?)")
        .bind(store.now_ms())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_store_that_cannot_be_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("notes.db");
        let pool = crate::store::open(&file).await.unwrap();
        let store = Store::new(pool.clone(), scribemed_jobs::SystemClock);
        let run = async |sql: &'static str| sqlx::query(sql).execute(&pool).await.unwrap();
        write(&store).await.unwrap();
        run("ALTER TABLE health RENAME TO gone").await;
        let failed = write(&store).await.unwrap_err();
        assert!(failed.to_string().contains("no such table"), "{failed}");
        run("ALTER TABLE gone RENAME TO health").await;
        write(&store).await.unwrap();

        // Another writer that does not end: the check runs into its time.
        let other = scribemed_jobs::open(&file).await.unwrap();
        let held = scribemed_jobs::begin(&other).await.unwrap();
        let waits = tokio::time::timeout(Duration::from_millis(100), write(&store)).await;
        assert!(waits.is_err(), "{waits:?}");
        drop(held);
        write(&store).await.unwrap();

        let away = folder.path().join("away.db");
        std::fs::rename(&file, &away).unwrap();
        let gone = write(&store).await.unwrap_err();
        assert!(gone.to_string().contains("notes.db is gone"), "{gone}");
        std::fs::rename(&away, &file).unwrap();
        write(&store).await.unwrap();
    }
}
