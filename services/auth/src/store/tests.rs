#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::PathBuf;

use tempfile::TempDir;
use uuid::Uuid;

use super::*;

const MINUTE: i64 = 60_000;
const NOW: i64 = 1_750_000_000_000;
/// When the first key retires that is rotated at [`NOW`]: 5 min to publish, 5 min of a token's life, 1 min of leeway.
const RETIRED: i64 = NOW + 11 * MINUTE;

fn database() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data").join("auth.db");
    (folder, path)
}

async fn signer(store: &Store, now_ms: i64) -> String {
    let mut conn = store.pool.acquire().await.unwrap();
    keys::signer(&mut conn, now_ms)
        .await
        .unwrap()
        .kid()
        .to_owned()
}

async fn published(store: &Store, now_ms: i64) -> Vec<String> {
    let keys = store.published(now_ms).await.unwrap();
    keys.iter().map(|key| key.kid().to_owned()).collect()
}

async fn private_halves(store: &Store) -> i64 {
    sqlx::query_scalar("SELECT count(private_key) FROM signing_keys")
        .fetch_one(&store.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn two_that_start_at_once_share_the_first_key() {
    let (_folder, path) = database();
    let _empty = scribemed_jobs::open(&path).await.unwrap();
    let (one, two) = tokio::join!(Store::open(&path, NOW), Store::open(&path, NOW));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(signer(&one, NOW).await, signer(&two, NOW).await);
    assert_eq!(published(&one, NOW).await.len(), 1);
}

#[tokio::test]
async fn what_a_key_is_good_for_follows_from_the_time() {
    let (_folder, path) = database();
    let store = Store::open(&path, NOW).await.unwrap();
    let old = signer(&store, NOW).await;
    let rotation = store.rotate("operator", None, NOW).await.unwrap();
    let new = rotation.kid.clone();
    assert_eq!(
        (rotation.activate_at, rotation.retire_at),
        (NOW + 5 * MINUTE, RETIRED)
    );
    let check = async |now_ms: i64, signs: &String, is_published: &[&String]| {
        assert_eq!(&signer(&store, now_ms).await, signs, "signer at {now_ms}");
        assert_eq!(
            published(&store, now_ms).await.iter().collect::<Vec<_>>(),
            is_published
        );
    };
    check(NOW, &old, &[&old, &new]).await;
    check(NOW + 5 * MINUTE - 1, &old, &[&old, &new]).await;
    check(NOW + 5 * MINUTE, &new, &[&old, &new]).await;
    check(RETIRED - 1, &new, &[&old, &new]).await;
    check(RETIRED, &new, &[&new]).await;
    // A clock that was set back to before the first key: the key that nobody can miss.
    check(0, &old, &[&old, &new]).await;
}

#[tokio::test]
async fn one_rotation_at_a_time() {
    let (_folder, path) = database();
    let store = Store::open(&path, NOW).await.unwrap();
    let first = store.rotate("operator", None, NOW).await.unwrap();
    let during = store
        .rotate("somebody", Some(Uuid::now_v7()), NOW + 5 * MINUTE - 1)
        .await;
    assert_eq!(during.unwrap(), first);

    // The first key is still published when the third is made, and keeps its end.
    let second = store
        .rotate("operator", None, NOW + 5 * MINUTE)
        .await
        .unwrap();
    assert_ne!(second.kid, first.kid);
    assert_eq!(second.retire_at, NOW + 16 * MINUTE);
    assert_eq!(published(&store, NOW + 5 * MINUTE).await.len(), 3);
    assert_eq!(published(&store, RETIRED).await, [first.kid, second.kid]);
}

#[tokio::test]
async fn a_repeat_within_a_day_gets_the_first_answer() {
    let (_folder, path) = database();
    let store = Store::open(&path, NOW).await.unwrap();
    let day = 24 * 60 * MINUTE;
    let id = Some(Uuid::now_v7());
    let first = store.rotate("operator", id, NOW).await.unwrap();
    assert_eq!(
        store.rotate("operator", id, NOW + day - 1).await.unwrap(),
        first
    );
    // The same id of another caller is another request.
    let other = store.rotate("other", id, NOW + day - 1).await.unwrap();
    assert_ne!(other.kid, first.kid);
    assert_eq!(
        store.rotate("operator", id, NOW + day).await.unwrap(),
        other
    );
}

#[tokio::test]
async fn a_retired_key_loses_its_private_half() {
    let (_folder, path) = database();
    let store = Store::open(&path, NOW).await.unwrap();
    store.rotate("operator", None, NOW).await.unwrap();
    store.rotate("operator", None, RETIRED - 1).await.unwrap();
    assert_eq!(private_halves(&store).await, 3);
    store.rotate("operator", None, RETIRED).await.unwrap();
    assert_eq!(private_halves(&store).await, 2);
}

#[tokio::test]
async fn keys_survive_a_restart_and_a_damaged_one_is_named() {
    let (_folder, path) = database();
    let store = Store::open(&path, NOW).await.unwrap();
    let kid = signer(&store, NOW).await;
    store.close().await;
    let store = Store::open(&path, NOW + 1).await.unwrap();
    assert_eq!(signer(&store, NOW + 1).await, kid);

    sqlx::query("UPDATE signing_keys SET private_key = 'SECRET'")
        .execute(&store.pool)
        .await
        .unwrap();
    store.close().await;
    let error = Store::open(&path, NOW).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("the stored signing key {kid} cannot be read")
    );
    assert!(!format!("{error:?}").contains("SECRET"));
}
