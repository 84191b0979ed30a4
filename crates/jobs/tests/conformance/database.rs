//! Opening and migrating.

use std::borrow::Cow;

use scribemed_jobs::OpenError;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{SqlSafeStr, SqlitePool};

use crate::support::Fixture;

async fn pragma(pool: &SqlitePool, query: &'static str) -> String {
    sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
}

async fn number(pool: &SqlitePool, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn a_database_has_the_house_settings() {
    let fixture = Fixture::new().await;
    let pool = fixture.store.pool();
    assert_eq!(pragma(pool, "PRAGMA journal_mode").await, "wal");
    assert_eq!(number(pool, "PRAGMA synchronous").await, 2, "FULL");
    assert_eq!(number(pool, "PRAGMA foreign_keys").await, 1);
    assert_eq!(number(pool, "PRAGMA busy_timeout").await, 5_000);
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_created_is_private() {
    use std::fs::{File, Permissions, metadata};
    use std::os::unix::fs::PermissionsExt;

    let root = tempfile::tempdir().unwrap();
    let mode = |path: &std::path::Path| metadata(path).unwrap().permissions().mode() & 0o777;

    let folder = root.path().join("data/transcription");
    let pool = scribemed_jobs::open(&folder.join("jobs.db")).await.unwrap();
    scribemed_jobs::migrate(&pool).await.unwrap();
    assert_eq!(mode(&root.path().join("data")), 0o700);
    assert_eq!(mode(&folder), 0o700);
    for file in ["jobs.db", "jobs.db-wal", "jobs.db-shm"] {
        assert_eq!(mode(&folder.join(file)), 0o600, "{file}");
    }

    let open_to_all = root.path().join("old.db");
    File::create(&open_to_all)
        .unwrap()
        .set_permissions(Permissions::from_mode(0o644))
        .unwrap();
    scribemed_jobs::open(&open_to_all).await.unwrap();
    assert_eq!(mode(&open_to_all), 0o600);
}

#[tokio::test]
async fn what_cannot_be_opened_says_which_file() {
    let root = tempfile::tempdir().unwrap();
    let text = root.path().join("notes.txt");
    std::fs::write(
        &text,
        "this is no database, but it is long enough".repeat(50),
    )
    .unwrap();

    let error = scribemed_jobs::open(&text).await.unwrap_err();
    assert!(matches!(error, OpenError::Database { .. }), "{error:?}");
    assert!(error.to_string().contains("notes.txt"));

    let error = scribemed_jobs::open(&text.join("jobs.db"))
        .await
        .unwrap_err();
    assert!(matches!(error, OpenError::File { .. }), "{error:?}");
    assert!(error.to_string().contains("notes.txt/jobs.db"));
}

#[tokio::test]
async fn processes_that_start_together_migrate_once() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("jobs.db");
    let migrate = async || {
        let pool = scribemed_jobs::open(&path).await.unwrap();
        scribemed_jobs::migrate(&pool).await.unwrap();
        pool
    };
    let (pool, ..) = tokio::join!(migrate(), migrate(), migrate(), migrate());
    scribemed_jobs::migrate(&pool).await.unwrap();
    assert_eq!(number(&pool, "SELECT COUNT(*) FROM jobs").await, 0);
}

#[tokio::test]
async fn the_services_own_migrations_run_beside_ours() {
    let root = tempfile::tempdir().unwrap();
    let pool = scribemed_jobs::open(&root.path().join("notes.db"))
        .await
        .unwrap();
    // Version 1, as ours has.
    let domain = Migrator::with_migrations(vec![Migration::new(
        1,
        Cow::Borrowed("notes"),
        MigrationType::Simple,
        "CREATE TABLE notes (id TEXT PRIMARY KEY, job TEXT REFERENCES jobs (id))".into_sql_str(),
        false,
    )]);
    for _ in 0..2 {
        scribemed_jobs::migrate(&pool).await.unwrap();
        domain.run(&pool).await.unwrap();
    }
    assert_eq!(number(&pool, "SELECT COUNT(*) FROM notes").await, 0);
}

#[tokio::test]
async fn the_claim_reads_unfinished_jobs_only() {
    let fixture = Fixture::new().await;
    let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(
        "EXPLAIN QUERY PLAN SELECT id FROM jobs WHERE queue = ?1 AND state IN ('ready', 'leased') AND due_at <= ?2
         ORDER BY due_at, id LIMIT 1",
    )
    .bind("transcribe")
    .bind(0)
    .fetch_all(fixture.store.pool())
    .await
    .unwrap();
    let steps: Vec<_> = plan.into_iter().map(|step| step.3).collect();
    assert_eq!(
        steps,
        ["SEARCH jobs USING INDEX jobs_due (queue=? AND due_at<?)"]
    );
}
