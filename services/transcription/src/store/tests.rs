#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use super::*;
use crate::engine::{Model, Segment};
use crate::transcription::Transcript;

async fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("transcription.db"))
        .await
        .unwrap();
    (folder, store)
}

fn new(audio: &[u8], request: Option<Request>) -> NewTranscription {
    NewTranscription {
        origin: Origin::V2,
        recording: Recording::Audio(Bytes::copy_from_slice(audio)),
        audio_duration: Some(Duration::from_secs(3)),
        request,
        call: RequestId::generate(),
        max_attempts: NonZeroU32::MIN,
    }
}

async fn recordings(store: &Store) -> i64 {
    sqlx::query_scalar("SELECT COUNT(*) FROM recordings")
        .fetch_one(store.pool())
        .await
        .unwrap()
}

fn transcript() -> Transcript {
    Transcript {
        segments: vec![Segment {
            index: 0,
            start: Duration::from_millis(10),
            end: Duration::from_millis(990),
            text: "good morning".to_owned(),
            confidence: Some(0.5),
        }],
        model: Model {
            id: "scripted".to_owned(),
            sha256: None,
        },
        audio_duration: Duration::from_secs(1),
    }
}

#[tokio::test]
async fn pages_are_newest_first_and_do_not_overlap() {
    let (_folder, store) = store().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(store.create(new(b"audio", None)).await.unwrap().id);
    }
    made.reverse();
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let (page, next) = store.list(None, 2, &token).await.unwrap();
        seen.extend(page.iter().map(|transcription| transcription.id));
        let Some(next) = next else { break };
        token = next;
        // What comes in between belongs to a first page, not to this one.
        store.create(new(b"audio", None)).await.unwrap();
    }
    assert_eq!(seen, made);

    store.cancel(made[1]).await.unwrap();
    let (page, next) = store.list(Some(State::Cancelled), 1, "").await.unwrap();
    assert_eq!((page.len(), page[0].id, next), (1, made[1], None));
    let refused = store.list(Some(State::Queued), 2, &token).await;
    assert!(matches!(refused, Err(Error::PageToken)));
}

#[tokio::test]
async fn the_recording_goes_with_the_end() {
    let (_folder, store) = store().await;
    let id = store.create(new(b"audio", None)).await.unwrap().id;
    let mut tx = store.jobs.begin().await.unwrap();
    store
        .set_running(&mut tx, id, &transcript().model)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(recordings(&store).await, 1);
    let mut tx = store.jobs.begin().await.unwrap();
    store
        .set_succeeded(&mut tx, id, &transcript())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(recordings(&store).await, 0);
    let found = store.get(id).await.unwrap();
    assert_eq!(
        (found.text.as_str(), found.segments.len()),
        ("good morning", 1)
    );
    // What has ended stays as it is.
    let mut tx = store.jobs.begin().await.unwrap();
    assert!(store.set_queued(&mut tx, id).await.is_err());
}

#[tokio::test]
async fn no_sound_of_a_removed_recording_is_left_in_the_file() {
    let (folder, store) = store().await;
    let voice = b"the voice of a patient".repeat(1_000);
    let id = store.create(new(&voice, None)).await.unwrap().id;
    store.cancel(id).await.unwrap();
    store.close().await;
    let file = std::fs::read(folder.path().join("transcription.db")).unwrap();
    let needle = b"the voice of a patient";
    assert!(!file.windows(needle.len()).any(|found| found == needle));
}

#[tokio::test]
async fn a_repeat_at_the_same_time_makes_one_transcription() {
    let (_folder, store) = store().await;
    let request = Request {
        caller: "documentation".to_owned(),
        id: Uuid::now_v7(),
        fingerprint: [7; 32],
    };
    let both = tokio::join!(
        store.create(new(b"audio", Some(request.clone()))),
        store.create(new(b"audio", Some(request.clone())))
    );
    assert_eq!(both.0.unwrap().id, both.1.unwrap().id);
    assert_eq!(recordings(&store).await, 1);

    let other = Request {
        fingerprint: [8; 32],
        ..request.clone()
    };
    let refused = store.create(new(b"other", Some(other))).await;
    assert!(matches!(refused, Err(Error::RequestIdReused { .. })));
    // The id is that caller's own.
    let someone = Request {
        caller: "gateway".to_owned(),
        ..request
    };
    store.create(new(b"audio", Some(someone))).await.unwrap();
    assert_eq!(recordings(&store).await, 2);
}

#[tokio::test]
async fn a_store_that_cannot_be_written_is_told() {
    let (folder, store) = store().await;
    let probe = async || store.probe().await.map_err(|error| error.to_string());
    assert_eq!(probe().await, Ok(()));
    let full = "CREATE TRIGGER full BEFORE INSERT ON health BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    sqlx::query(full).execute(store.pool()).await.unwrap();
    assert!(probe().await.unwrap_err().contains("the disk is full"));
    sqlx::query("DROP TRIGGER full")
        .execute(store.pool())
        .await
        .unwrap();
    assert_eq!(probe().await, Ok(()));
    std::fs::remove_file(folder.path().join("transcription.db")).unwrap();
    let gone = probe().await.unwrap_err();
    assert!(gone.contains("transcription.db is gone"), "{gone}");
}
