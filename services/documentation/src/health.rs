//! Whether the store can be written, told through `grpc.health.v1`.

use std::time::Duration;

use scribemed_jobs::Store;
use scribemed_server::{Health, Status};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// Between two checks.
const INTERVAL: Duration = Duration::from_secs(5);

/// Checks the store until `shutdown`, and sets the health of `services` by it.
pub(crate) async fn keep(
    store: Store,
    health: Health,
    services: Vec<&'static str>,
    shutdown: CancellationToken,
) {
    let mut interval = tokio::time::interval(INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = interval.tick() => {}
        }
        let status = check(&store).await;
        for service in &services {
            health.set(service, status);
        }
    }
}

async fn check(store: &Store) -> Status {
    match write(store).await {
        Ok(()) => Status::Serving,
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "the store cannot be written");
            Status::NotServing
        }
    }
}

/// A real write: a full or read-only disk lets a transaction begin.
async fn write(store: &Store) -> sqlx::Result<()> {
    let mut tx = store.begin().await?;
    sqlx::query("INSERT OR REPLACE INTO health (id, checked_at) VALUES (1, ?)")
        .bind(store.now_ms())
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[tokio::test]
    async fn a_store_that_cannot_be_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let pool = crate::store::open(&folder.path().join("notes.db"))
            .await
            .unwrap();
        let store = Store::new(pool.clone(), scribemed_jobs::SystemClock);
        let run = async |sql: &'static str| sqlx::query(sql).execute(&pool).await.unwrap();
        assert_eq!(check(&store).await, Status::Serving);
        run("ALTER TABLE health RENAME TO gone").await;
        assert_eq!(check(&store).await, Status::NotServing);
        run("ALTER TABLE gone RENAME TO health").await;
        assert_eq!(check(&store).await, Status::Serving);
    }
}
