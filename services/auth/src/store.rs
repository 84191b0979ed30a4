//! What the service keeps: its signing keys, and the assertions and requests that must not count twice.

mod assertions;
mod keys;
mod rotation;

use std::path::Path;

use scribemed_jobs::OpenError;
use sqlx::SqlitePool;
use sqlx::migrate::{MigrateError, Migrator};

pub(crate) use rotation::{MAX_AGE, Rotation};

/// The tables of this service.
static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The tables could not be brought up to date.
    #[error("the tables could not be brought up to date")]
    Migrate(#[from] MigrateError),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// A stored key cannot be read.
    #[error("the stored signing key {kid} cannot be read")]
    Key {
        /// Which.
        kid: String,
        /// What is wrong with it.
        source: scribemed_auth::keys::Error,
    },
    /// The stored keys make no key set.
    #[error("the stored signing keys make no key set")]
    KeySet(#[source] scribemed_auth::keys::Error),
    /// A key could not be made.
    #[error("a signing key could not be made")]
    Generate(#[source] scribemed_auth::keys::Error),
    /// There is no key to sign with, although one is made at the start and one stays when keys are rotated.
    #[error("there is no signing key")]
    NoKey,
}

/// The database. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pool: SqlitePool,
}

impl Store {
    /// Opens the database, makes it and its first key where they are missing, and checks that it can be written.
    pub(crate) async fn open(path: &Path, now_ms: i64) -> Result<Self, Error> {
        let pool = scribemed_jobs::open(path).await?;
        let store = Self { pool };
        // sqlx takes no lock on SQLite; without one, two processes that start together would both create the tables.
        let mut tx = scribemed_jobs::begin(&store.pool).await?;
        MIGRATIONS.run_direct(None, &mut *tx, false).await?;
        keys::ensure(&mut tx, now_ms).await?;
        keys::signer(&mut tx, now_ms).await?;
        tx.commit().await?;
        store.probe().await?;
        Ok(store)
    }

    /// Whether the database's file is still there.
    pub(crate) async fn present(&self) -> std::io::Result<()> {
        scribemed_jobs::present(&self.pool).await
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

#[cfg(test)]
mod tests;
