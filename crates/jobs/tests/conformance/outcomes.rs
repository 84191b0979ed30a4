//! What becomes of a job after an attempt.

use std::time::Duration;

use scribemed_jobs::{Failure, State, Store};

use crate::support::{Call, Fixture, NOW, database, once, puppet, puppet_failing_burials};

#[tokio::test]
async fn effect_and_end_are_committed_together() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue().await;
    let (worker, mut calls) = puppet(&fixture.store);
    once(&worker, &mut calls, async |call| {
        let mut tx = call.lease.begin().await.unwrap();
        sqlx::query("INSERT INTO effects (job, what) VALUES ('', 'written')")
            .execute(&mut *tx)
            .await
            .unwrap();
        assert_eq!(fixture.effects().await, [""; 0]);
        assert_eq!(fixture.job(id).await.state, State::Leased);
        let done = call.lease.complete(tx).await.unwrap();
        assert_eq!(fixture.effects().await, ["written"]);
        assert_eq!(fixture.job(id).await.state, State::Done);
        call.answer(Ok(done));
    })
    .await;
    assert_eq!(worker.run_once().await.unwrap(), None);
}

#[tokio::test]
async fn a_failed_attempt_waits_for_its_backoff_also_over_a_restart() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue().await;
    for (attempt, wait) in [(1, 1_000), (2, 2_000)] {
        // Each attempt in a store opened anew: nothing but the file remembers.
        let store = Store::new(database(&fixture.path()).await, fixture.clock.clone());
        let (worker, mut calls) = puppet(&store);
        once(&worker, &mut calls, async |call| {
            assert_eq!(call.lease.attempt(), attempt);
            assert_eq!(call.lease.max_attempts(), 3);
            call.fail("the engine is out of memory");
        })
        .await;
        let failed_at = store.now_ms();
        let job = fixture.job(id).await;
        assert_eq!(job.state, State::Ready);
        assert_eq!(job.attempts, attempt);
        assert_eq!(job.due_at, failed_at + wait);
        assert_eq!(
            job.last_error.as_deref(),
            Some("the engine is out of memory")
        );

        let almost = Duration::from_millis(wait.unsigned_abs() - 1);
        fixture.clock.advance(almost);
        assert_eq!(worker.run_once().await.unwrap(), None);
        fixture.clock.advance(Duration::from_millis(1));
    }
}

#[tokio::test]
async fn the_last_failed_attempt_is_the_death_of_job_and_domain_row() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue_with(2).await;
    let (worker, mut calls) = puppet(&fixture.store);
    once(&worker, &mut calls, async |call| call.fail("first")).await;
    assert_eq!(fixture.graves().await, [""; 0]);
    fixture.clock.advance(Duration::from_secs(1));
    once(&worker, &mut calls, async |call| call.fail("second")).await;
    let job = fixture.job(id).await;
    assert_eq!((job.state, job.attempts), (State::Dead, 2));
    assert_eq!(job.last_error.as_deref(), Some("second"));
    assert_eq!(fixture.graves().await, ["second"]);
    fixture.clock.advance(Duration::from_secs(3_600));
    assert_eq!(worker.run_once().await.unwrap(), None);
}

#[tokio::test]
async fn what_cannot_succeed_dies_at_once() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue().await;
    let (worker, mut calls) = puppet(&fixture.store);
    once(&worker, &mut calls, async |call| {
        call.answer(Err(Failure::Dead("not audio".to_owned())));
    })
    .await;
    let job = fixture.job(id).await;
    assert_eq!((job.state, job.attempts), (State::Dead, 1));
    assert_eq!(fixture.graves().await, ["not audio"]);
}

#[tokio::test]
async fn job_and_domain_row_die_in_one_transaction() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue().await;
    // Each failing burial has written its row before it fails.
    let (worker, mut calls) = puppet_failing_burials(&fixture.store, 2);
    once(&worker, &mut calls, async |call| {
        call.answer(Err(Failure::Dead("not audio".to_owned())));
    })
    .await;
    assert_eq!(fixture.job(id).await.state, State::Dead);
    assert_eq!(fixture.graves().await, ["not audio"]);
}

#[tokio::test]
async fn a_job_whose_domain_refuses_its_death_is_not_dead() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue_with(1).await;
    let (worker, mut calls) = puppet_failing_burials(&fixture.store, 5);
    once(&worker, &mut calls, async |call| call.fail("no space left")).await;
    assert_eq!(fixture.job(id).await.state, State::Leased);
    assert_eq!(fixture.graves().await, [""; 0]);

    fixture.clock.advance(Duration::from_secs(30));
    assert_eq!(worker.run_once().await.unwrap(), Some(id));
    assert!(calls.is_empty(), "its one attempt is used up");
    assert_eq!(fixture.job(id).await.state, State::Dead);
    assert_eq!(fixture.graves().await.len(), 1);
}

#[tokio::test]
async fn a_panic_is_a_failed_attempt() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue().await;
    let (worker, mut calls) = puppet(&fixture.store);
    once(&worker, &mut calls, async |call| call.panic()).await;
    let job = fixture.job(id).await;
    assert_eq!((job.state, job.attempts), (State::Ready, 1));
    assert_eq!(job.last_error.as_deref(), Some("the handler panicked"));
    fixture.clock.advance(Duration::from_secs(1));
    once(&worker, &mut calls, Call::finish).await;
    assert_eq!(fixture.effects().await, ["attempt 2"]);
}

#[tokio::test]
async fn putting_off_uses_up_no_attempt() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue_with(1).await;
    let (worker, mut calls) = puppet(&fixture.store);
    for round in 1..=5 {
        once(&worker, &mut calls, async |call| {
            assert_eq!(call.lease.attempt(), 1);
            let wait = Duration::from_secs(10);
            call.answer(Err(Failure::Snooze(
                wait,
                "transcription is away".to_owned(),
            )));
        })
        .await;
        let job = fixture.job(id).await;
        assert_eq!((job.state, job.attempts), (State::Ready, 0));
        assert_eq!(job.due_at, NOW + round * 10_000);
        assert_eq!(job.last_error.as_deref(), Some("transcription is away"));
        assert_eq!(worker.run_once().await.unwrap(), None);
        fixture.clock.advance(Duration::from_secs(10));
    }
    once(&worker, &mut calls, Call::finish).await;
    assert_eq!(fixture.job(id).await.state, State::Done);
}

#[tokio::test]
async fn a_long_reason_is_cut_at_a_character() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue().await;
    let (worker, mut calls) = puppet(&fixture.store);
    once(&worker, &mut calls, async |call| {
        call.fail(&"ü".repeat(5_000));
    })
    .await;
    let reason = fixture.job(id).await.last_error.unwrap();
    assert_eq!(reason, "ü".repeat(500));
}
