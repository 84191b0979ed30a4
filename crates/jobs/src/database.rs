//! Opening a service's database.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqlitePool, SqliteTransaction};

/// How long a statement waits for another writer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Writers take turns in SQLite; more connections only help readers.
const MAX_CONNECTIONS: u32 = 8;

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or the file could not be created or made private.
    #[error("cannot create the database file {}", path.display())]
    File {
        /// The database file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is there, but SQLite cannot use it.
    #[error("cannot open the database {}", path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: sqlx::Error,
    },
}

/// Opens the database at `path`, creating it and its folder where they are missing.
///
/// Write-ahead log, `synchronous=FULL` (a commit survives a power cut), foreign keys on, 5 s of patience with other writers. On Unix a folder
/// made here has mode 0700 and the file mode 0600, also when it existed; the log files beside it follow the file.
///
/// # Errors
/// [`OpenError::File`] when the folder or file cannot be made, [`OpenError::Database`] when it is not a database or cannot be locked.
pub async fn open(path: &Path) -> Result<SqlitePool, OpenError> {
    create_private(path)
        .await
        .map_err(|source| OpenError::File {
            path: path.to_owned(),
            source,
        })?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true);
    SqlitePoolOptions::new()
        .max_connections(MAX_CONNECTIONS)
        .connect_with(options)
        .await
        .map_err(|source| OpenError::Database {
            path: path.to_owned(),
            source,
        })
}

/// Begins a transaction that holds the write lock from its start.
///
/// Use it for every transaction that writes: a transaction that begins by reading and then writes fails at once with `SQLITE_BUSY` when
/// another has written in between, however long the busy timeout.
///
/// # Errors
/// When no connection is free or the lock is not had within 5 s.
pub async fn begin(pool: &SqlitePool) -> sqlx::Result<SqliteTransaction<'static>> {
    pool.begin_with("BEGIN IMMEDIATE").await
}

/// Whether the file of the database is where it was: SQLite goes on writing into one that was removed, and all of that is
/// lost with the process. For a health check, beside a write.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] names the file; anything else is what the operating system said.
pub async fn present(pool: &SqlitePool) -> io::Result<()> {
    let options = pool.connect_options();
    let path = options.get_filename();
    match tokio::fs::metadata(path).await {
        Ok(_) => Ok(()),
        Err(error) => Err(io::Error::new(
            error.kind(),
            format!(
                "the database {} is gone ({error}); restart the service once its folder is back",
                path.display()
            ),
        )),
    }
}

/// Creates or upgrades the tables of this crate. May be repeated, and several processes may do it at once.
///
/// Applied versions are kept in `_jobs_migrations`, so the service's own migrations run beside it in the same database as usual.
///
/// # Errors
/// When a statement fails, or the database was written by a newer version of this crate.
pub async fn migrate(pool: &SqlitePool) -> Result<(), MigrateError> {
    let mut migrator = sqlx::migrate!("./migrations");
    migrator.dangerous_set_table_name("_jobs_migrations");
    // sqlx takes no lock on SQLite; without one, two processes that start together would both create the tables.
    let mut tx = begin(pool).await?;
    // `run` takes whatever a connection can be had from, which keeps a caller's future from being `Send`.
    migrator.run_direct(None, &mut *tx, false).await?;
    tx.commit().await?;
    Ok(())
}

#[cfg(unix)]
async fn create_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    if let Some(folder) = path.parent() {
        tokio::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .await?;
    }
    let file = tokio::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .await?;
    if file.metadata().await?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(std::fs::Permissions::from_mode(0o600))
            .await?;
    }
    Ok(())
}

#[cfg(not(unix))]
async fn create_private(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => tokio::fs::create_dir_all(folder).await,
        None => Ok(()),
    }
}
