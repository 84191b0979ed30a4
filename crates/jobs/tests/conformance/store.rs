//! Enqueueing and cancelling.

use std::time::Duration;

use scribemed_jobs::{Enqueued, NewJob, State};
use uuid::Uuid;

use crate::support::{Call, Fixture, NOW, QUEUE, cancel, enqueue, once, puppet};

#[tokio::test]
async fn a_job_exists_exactly_when_its_transaction_commits() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;

    let mut tx = store.begin().await.unwrap();
    let lost = store
        .enqueue(&mut tx, NewJob::new(QUEUE, "{}"))
        .await
        .unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(store.get(lost.id).await.unwrap(), None);

    let id = Uuid::now_v7();
    enqueue(
        store,
        NewJob::new(QUEUE, r#"{"audio":"a1"}"#).id(id).key("k"),
    )
    .await;
    let job = fixture.job(id).await;
    assert_eq!(job.queue, QUEUE);
    assert_eq!(job.payload, r#"{"audio":"a1"}"#);
    assert_eq!(job.key.as_deref(), Some("k"));
    assert_eq!(job.state, State::Ready);
    assert_eq!((job.attempts, job.max_attempts), (0, 5));
    assert_eq!(
        (job.due_at, job.created_at, job.updated_at),
        (NOW, NOW, NOW)
    );
}

#[tokio::test]
async fn a_repeated_key_gives_the_first_job() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let first = enqueue(store, NewJob::new(QUEUE, "1").key("request-7")).await;

    let mut tx = store.begin().await.unwrap();
    let again = store
        .enqueue(&mut tx, NewJob::new(QUEUE, "2").key("request-7"))
        .await
        .unwrap();
    let elsewhere = store
        .enqueue(&mut tx, NewJob::new("draft", "3").key("request-7"))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        again,
        Enqueued {
            id: first,
            existing: true
        }
    );
    assert!(!elsewhere.existing && elsewhere.id != first);
    assert_eq!(fixture.job(first).await.payload, "1");

    let (worker, mut calls) = puppet(store);
    once(&worker, &mut calls, Call::finish).await;
    let late = enqueue(store, NewJob::new(QUEUE, "4").key("request-7")).await;
    assert_eq!(late, first, "also when the first job is done");
    assert_eq!(worker.run_once().await.unwrap(), None);
}

#[tokio::test]
async fn jobs_without_a_key_are_all_different() {
    let fixture = Fixture::new().await;
    assert_ne!(fixture.enqueue().await, fixture.enqueue().await);
}

#[tokio::test]
async fn an_id_is_taken_once() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue().await;
    let mut tx = fixture.store.begin().await.unwrap();
    let again = fixture
        .store
        .enqueue(&mut tx, NewJob::new(QUEUE, "{}").id(id))
        .await;
    assert!(again.is_err());
}

#[tokio::test]
async fn a_delayed_job_waits() {
    let fixture = Fixture::new().await;
    let (worker, mut calls) = puppet(&fixture.store);
    let job = NewJob::new(QUEUE, "{}").delay(Duration::from_secs(60));
    enqueue(&fixture.store, job).await;
    fixture.clock.advance(Duration::from_millis(59_999));
    assert_eq!(worker.run_once().await.unwrap(), None);
    fixture.clock.advance(Duration::from_millis(1));
    once(&worker, &mut calls, Call::finish).await;
}

#[tokio::test]
async fn jobs_are_taken_in_the_order_in_which_they_are_due() {
    let fixture = Fixture::new().await;
    let (worker, mut calls) = puppet(&fixture.store);
    let mut expected = Vec::new();
    for delay in [30, 10, 20, 20] {
        let job = NewJob::new(QUEUE, "{}").delay(Duration::from_secs(delay));
        expected.push((delay, enqueue(&fixture.store, job).await));
    }
    expected.sort();
    fixture.clock.advance(Duration::from_secs(60));
    for (_, id) in expected {
        once(&worker, &mut calls, async |call| {
            assert_eq!(call.lease.id(), id);
            call.finish().await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_cancelled_job_never_runs() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue().await;
    assert!(cancel(&fixture.store, id).await);
    assert!(!cancel(&fixture.store, id).await, "it is final already");
    assert!(!cancel(&fixture.store, Uuid::now_v7()).await, "unknown");
    assert_eq!(fixture.job(id).await.state, State::Cancelled);
    let (worker, _calls) = puppet(&fixture.store);
    assert_eq!(worker.run_once().await.unwrap(), None);
}

#[tokio::test]
async fn a_done_job_cannot_be_cancelled() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue().await;
    let (worker, mut calls) = puppet(&fixture.store);
    once(&worker, &mut calls, Call::finish).await;
    assert!(!cancel(&fixture.store, id).await);
    assert_eq!(fixture.job(id).await.state, State::Done);
}

#[tokio::test]
async fn a_worker_leaves_other_queues_alone() {
    let fixture = Fixture::new().await;
    enqueue(&fixture.store, NewJob::new("draft", "{}")).await;
    let (worker, _calls) = puppet(&fixture.store);
    assert_eq!(worker.run_once().await.unwrap(), None);
}
