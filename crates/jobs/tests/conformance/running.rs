//! The worker's loop: starting, waking, stopping.

use std::num::NonZeroUsize;
use std::time::Duration;

use scribemed_jobs::{Clock, ManualClock, State, Store};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::support::{Fixture, NOW, QUEUE, database, enqueue, puppet, within};

#[tokio::test]
async fn an_idle_worker_starts_at_once_when_notified() {
    let fixture = Fixture::new().await;
    let (worker, mut calls) = puppet(&fixture.store);
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(worker.run(shutdown.clone()));
    // Were these left to the poll of 1 s, the test would run out of its minute.
    within(async {
        for _ in 0..100 {
            let id = fixture.enqueue().await;
            calls.next().await.finish().await;
            fixture.job_when(id, |job| job.state == State::Done).await;
        }
    })
    .await;
    shutdown.cancel();
    within(running).await.unwrap();
    assert_eq!(fixture.effects().await.len(), 100);
}

#[tokio::test]
async fn jobs_of_another_process_are_found_by_polling() {
    let fixture = Fixture::new().await;
    let (worker, mut calls) = puppet(&fixture.store);
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(worker.poll(Duration::from_millis(5)).run(shutdown.clone()));
    let other = fixture.other_process().await;
    for _ in 0..3 {
        enqueue(&other, scribemed_jobs::NewJob::new(QUEUE, "{}")).await;
        calls.next().await.finish().await;
    }
    shutdown.cancel();
    within(running).await.unwrap();
}

#[tokio::test]
async fn no_more_jobs_run_at_once_than_allowed() {
    let fixture = Fixture::new().await;
    for _ in 0..4 {
        fixture.enqueue().await;
    }
    let (worker, mut calls) = puppet(&fixture.store);
    let worker = worker.concurrency(NonZeroUsize::new(3).unwrap());
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(worker.run(shutdown.clone()));
    let (first, second, third) = (calls.next().await, calls.next().await, calls.next().await);
    fixture.store.notify();
    assert_eq!(leased(&fixture.store).await, 3);
    assert!(calls.is_empty());
    second.finish().await;
    let fourth = calls.next().await;
    for call in [first, third, fourth] {
        call.finish().await;
    }
    shutdown.cancel();
    within(running).await.unwrap();
    assert_eq!(fixture.effects().await.len(), 4);
}

async fn leased(store: &Store) -> i64 {
    sqlx::query_scalar("SELECT COUNT(*) FROM jobs WHERE state = 'leased'")
        .fetch_one(store.pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_panicking_handler_does_not_end_the_worker() {
    let fixture = Fixture::new().await;
    let first = fixture.enqueue().await;
    let (worker, mut calls) = puppet(&fixture.store);
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(worker.run(shutdown.clone()));
    calls.next().await.panic();
    fixture
        .job_when(first, |job| job.state == State::Ready)
        .await;
    let second = fixture.enqueue().await;
    calls.next().await.finish().await;
    fixture
        .job_when(second, |job| job.state == State::Done)
        .await;
    shutdown.cancel();
    within(running).await.unwrap();
}

#[tokio::test]
async fn shutdown_gives_unfinished_jobs_back_as_if_never_started() {
    let fixture = Fixture::new().await;
    let (running_job, waiting_job) = (fixture.enqueue_with(1).await, fixture.enqueue().await);
    let (worker, mut calls) = puppet(&fixture.store);
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(worker.run(shutdown.clone()));
    let call = calls.next().await;
    shutdown.cancel();
    within(call.lease.cancelled().cancelled()).await;
    call.fail("told to stop");
    within(running).await.unwrap();

    for id in [running_job, waiting_job] {
        let job = fixture.job(id).await;
        assert_eq!((job.state, job.attempts), (State::Ready, 0));
        assert_eq!(job.due_at, NOW);
        assert_eq!(job.last_error, None);
    }
    let (worker, mut calls) = puppet(&fixture.other_process().await);
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(worker.run(shutdown.clone()));
    for id in [running_job, waiting_job] {
        let call = calls.next().await;
        assert_eq!((call.lease.id(), call.lease.attempt()), (id, 1));
        call.finish().await;
    }
    shutdown.cancel();
    within(running).await.unwrap();
}

#[tokio::test]
async fn shutdown_does_not_wait_for_a_handler_that_ignores_it() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue().await;
    let (worker, mut calls) = puppet(&fixture.store);
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(worker.grace(Duration::from_millis(1)).run(shutdown.clone()));
    let mut call = calls.next().await;
    shutdown.cancel();
    within(running).await.unwrap();
    within(call.aborted()).await;
    let job = fixture.job(id).await;
    assert_eq!((job.state, job.attempts), (State::Ready, 0));
}

#[tokio::test]
async fn what_is_finished_during_shutdown_is_done() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue().await;
    let (worker, mut calls) = puppet(&fixture.store);
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(worker.run(shutdown.clone()));
    let call = calls.next().await;
    shutdown.cancel();
    within(call.lease.cancelled().cancelled()).await;
    call.finish().await;
    within(running).await.unwrap();
    assert_eq!(fixture.job(id).await.state, State::Done);
    assert_eq!(fixture.effects().await, ["attempt 1"]);
}

/// Says when it is read, which every claim does once.
struct TickingClock {
    clock: ManualClock,
    reads: mpsc::UnboundedSender<()>,
}

impl Clock for TickingClock {
    fn now_ms(&self) -> i64 {
        // The test stops listening when it has seen enough.
        let _ = self.reads.send(());
        self.clock.now_ms()
    }
}

#[tokio::test]
async fn a_failing_database_does_not_end_the_worker() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue().await;
    let rename = async |statement: &'static str| {
        sqlx::query(statement)
            .execute(fixture.store.pool())
            .await
            .unwrap();
    };
    rename("ALTER TABLE jobs RENAME TO hidden").await;

    let (reads, mut claims) = mpsc::unbounded_channel();
    let clock = TickingClock {
        clock: fixture.clock.clone(),
        reads,
    };
    let store = Store::new(database_without_migration(&fixture).await, clock);
    let (worker, mut calls) = puppet(&store);
    assert!(worker.run_once().await.is_err());
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(worker.run(shutdown.clone()));
    // The claim that failed above, one that failed in the loop, and one that shows that the loop went on.
    for _ in 0..3 {
        within(claims.recv()).await.unwrap();
    }
    rename("ALTER TABLE hidden RENAME TO jobs").await;
    calls.next().await.finish().await;
    shutdown.cancel();
    within(running).await.unwrap();
    assert_eq!(fixture.job(id).await.state, State::Done);
}

async fn database_without_migration(fixture: &Fixture) -> sqlx::SqlitePool {
    scribemed_jobs::open(&fixture.path()).await.unwrap()
}

#[tokio::test]
async fn stopping_an_idle_worker_takes_no_poll() {
    let fixture = Fixture::new().await;
    let pool = database(&fixture.path()).await;
    let (worker, _calls) = puppet(&Store::new(pool, fixture.clock.clone()));
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    within(worker.run(shutdown)).await;
}
