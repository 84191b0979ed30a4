//! Holding, renewing and losing a lease.

use std::time::Duration;

use scribemed_jobs::{LeaseError, State, Store, SystemClock};
use tokio_util::sync::CancellationToken;

use crate::support::{Call, Fixture, LEASE, NOW, apply, cancel, database, once, puppet, within};

#[tokio::test]
async fn a_hung_job_is_taken_over_and_its_old_holder_is_shut_out() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue().await;
    let (hung, mut hung_calls) = puppet(&fixture.store);
    let other = fixture.other_process().await;
    let (rescuer, mut calls) = puppet(&other);

    once(&hung, &mut hung_calls, async |old| {
        // A transaction that was begun in time does not help either.
        let mut early = fixture.store.pool().begin().await.unwrap();
        fixture.clock.advance(Duration::from_millis(29_999));
        assert_eq!(rescuer.run_once().await.unwrap(), None);
        fixture.clock.advance(Duration::from_millis(1));
        once(&rescuer, &mut calls, Call::finish).await;

        let progress = old.lease.begin().await;
        assert!(matches!(progress, Err(LeaseError::Lost)));
        sqlx::query("INSERT INTO effects (job, what) VALUES ('', 'too late')")
            .execute(&mut *early)
            .await
            .unwrap();
        let guarded = old.lease.guard(&mut early).await;
        assert!(matches!(guarded, Err(LeaseError::Lost)));
        let completed = old.lease.complete(early).await;
        assert!(matches!(completed, Err(LeaseError::Lost)));
        old.fail("and its verdict does not count");
    })
    .await;

    assert_eq!(fixture.effects().await, ["attempt 2"]);
    let job = fixture.job(id).await;
    assert_eq!((job.state, job.attempts), (State::Done, 2));
    assert_eq!(job.last_error, None);
}

#[tokio::test]
async fn an_old_holder_is_shut_out_while_the_new_one_works() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue().await;
    let (first, mut first_calls) = puppet(&fixture.store);
    let (second, mut second_calls) = puppet(&fixture.other_process().await);
    once(&first, &mut first_calls, async |old| {
        fixture.clock.advance(LEASE);
        once(&second, &mut second_calls, async |new| {
            assert!(matches!(apply(&old.lease).await, Err(LeaseError::Lost)));
            let unguarded = fixture.store.begin().await.unwrap();
            let completed = old.lease.complete(unguarded).await;
            assert!(matches!(completed, Err(LeaseError::Lost)));
            old.fail("the old holder must not put the job back");
            let mut tx = new.lease.begin().await.unwrap();
            sqlx::query("INSERT INTO effects (job, what) VALUES ('', 'progress')")
                .execute(&mut *tx)
                .await
                .unwrap();
            tx.commit().await.unwrap();
            new.finish().await;
        })
        .await;
    })
    .await;
    assert_eq!(fixture.effects().await, ["progress", "attempt 2"]);
    assert_eq!(fixture.job(id).await.state, State::Done);
}

#[tokio::test]
async fn a_worker_that_finds_its_lease_lost_cancels_the_handler() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue().await;
    let (worker, mut calls) = puppet(&fixture.store);
    let (rescuer, mut rescuer_calls) = puppet(&fixture.other_process().await);
    once(&worker, &mut calls, async |old| {
        fixture.clock.advance(LEASE);
        once(&rescuer, &mut rescuer_calls, Call::finish).await;
        assert!(!old.lease.cancelled().is_cancelled());
        fixture.store.notify();
        within(old.lease.cancelled().cancelled()).await;
        old.fail("cancelled");
    })
    .await;
    assert_eq!(fixture.job(id).await.state, State::Done);
}

#[tokio::test]
async fn a_job_that_works_for_longer_than_its_lease_keeps_it() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue().await;
    let (worker, mut calls) = puppet(&fixture.store);
    let (other, _other_calls) = puppet(&fixture.other_process().await);
    once(&worker, &mut calls, async |call| {
        for _ in 0..5 {
            fixture.clock.advance(Duration::from_secs(20));
            let end = fixture.store.now_ms() + 30_000;
            // A notification has the worker do at once what its heartbeat does.
            fixture.store.notify();
            fixture.job_when(id, |job| job.due_at == end).await;
            assert_eq!(other.run_once().await.unwrap(), None);
        }
        call.finish().await;
    })
    .await;
    assert_eq!(fixture.effects().await, ["attempt 1"]);
}

#[tokio::test]
async fn the_heartbeat_renews_without_being_asked() {
    let fixture = Fixture::new().await;
    let store = Store::new(database(&fixture.path()).await, SystemClock);
    let id = fixture.enqueue().await;
    let (worker, mut calls) = puppet(&store);
    let worker = worker.lease(Duration::from_millis(90));
    once(&worker, &mut calls, async |call| {
        let mut end = NOW;
        for _ in 0..4 {
            end = fixture.job_when(id, |job| job.due_at > end).await.due_at;
        }
        call.finish().await;
    })
    .await;
    assert_eq!(fixture.effects().await, ["attempt 1"]);
}

#[tokio::test]
async fn cancelling_a_running_job_stops_it_and_nothing_of_it_stays() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue().await;
    let (worker, mut calls) = puppet(&fixture.store);
    once(&worker, &mut calls, async |call| {
        assert!(cancel(&fixture.store, id).await);
        within(call.lease.cancelled().cancelled()).await;
        assert!(matches!(apply(&call.lease).await, Err(LeaseError::Lost)));
        call.fail("cancelled");
    })
    .await;
    let job = fixture.job(id).await;
    assert_eq!((job.state, job.last_error), (State::Cancelled, None));
    assert_eq!(fixture.effects().await, [""; 0]);
    fixture.clock.advance(LEASE * 2);
    assert_eq!(worker.run_once().await.unwrap(), None);
}

#[tokio::test]
async fn a_cancelled_handler_that_does_not_return_is_aborted() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue().await;
    let (worker, mut calls) = puppet(&fixture.store);
    let worker = worker.grace(Duration::from_millis(1));
    once(&worker, &mut calls, async |mut call| {
        assert!(cancel(&fixture.store, id).await);
        within(call.aborted()).await;
    })
    .await;
    assert_eq!(fixture.job(id).await.state, State::Cancelled);
}

#[tokio::test]
async fn leases_of_a_killed_predecessor_can_be_ended_at_once() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue().await;
    let (dead, mut dead_calls) = puppet(&fixture.store);
    let next = fixture.other_process().await;
    let (worker, mut calls) = puppet(&next);
    once(&dead, &mut dead_calls, async |old| {
        assert_eq!(worker.run_once().await.unwrap(), None);
        assert_eq!(next.expire_leases("another queue").await.unwrap(), 0);
        assert_eq!(next.expire_leases("transcribe").await.unwrap(), 1);
        assert!(matches!(old.lease.begin().await, Err(LeaseError::Lost)));
        once(&worker, &mut calls, Call::finish).await;
        old.fail("it was not dead after all");
    })
    .await;
    assert_eq!(fixture.job(id).await.state, State::Done);
    assert_eq!(fixture.effects().await, ["attempt 2"]);
}

#[tokio::test]
async fn a_dropped_worker_leaves_the_job_to_the_next() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue().await;
    let (worker, mut calls) = puppet(&fixture.store);
    let running = tokio::spawn(worker.run(CancellationToken::new()));
    let mut call = calls.next().await;
    running.abort();
    within(call.aborted()).await;
    assert_eq!(fixture.job(id).await.state, State::Leased);
    fixture.clock.advance(LEASE);
    let (worker, mut calls) = puppet(&fixture.store);
    once(&worker, &mut calls, Call::finish).await;
    assert_eq!(fixture.job(id).await.state, State::Done);
}
