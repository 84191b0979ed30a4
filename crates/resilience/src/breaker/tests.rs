#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use Outcome::{Failure, Ignored, Overloaded, Success};

const OPEN_FOR: Duration = Duration::from_secs(30);

fn at(seconds: u64) -> Tick {
    Tick::ZERO.after(Duration::from_secs(seconds))
}

fn breaker() -> Breaker {
    Breaker::new(CircuitBreaker::DEFAULT)
}

/// One that opened at 0 s.
fn opened() -> Breaker {
    let breaker = breaker();
    run(&breaker, &[Failure; 5]);
    assert_eq!(breaker.state(at(0)), State::Open);
    breaker
}

/// One attempt after the other at 0 s; the last change.
fn run(breaker: &Breaker, outcomes: &[Outcome]) -> Option<State> {
    let mut change = None;
    for outcome in outcomes {
        let permit = breaker.admit(at(0)).unwrap();
        change = breaker.record(permit, *outcome, at(0));
    }
    change
}

#[test]
fn failures_in_a_row_open_it() {
    let check = |outcomes: &[Outcome], expect| {
        let breaker = breaker();
        let change = run(&breaker, outcomes);
        assert_eq!(breaker.state(at(0)), expect, "{outcomes:?}");
        assert_eq!(change.unwrap_or(State::Closed), expect, "{outcomes:?}");
    };
    let (f, s, o, i) = (Failure, Success, Overloaded, Ignored);
    check(&[], State::Closed);
    check(&[f; 4], State::Closed);
    check(&[f; 5], State::Open);
    check(&[f, f, f, f, s, f, f, f, f], State::Closed);
    check(&[f, f, f, f, s, f, f, f, f, f], State::Open);
    check(&[f, f, f, f, o, f], State::Open);
    check(&[f, f, f, f, i, f], State::Open);
    check(&[o; 20], State::Closed);
    check(&[i; 20], State::Closed);
}

#[test]
fn stays_open_for_its_time_and_says_how_long() {
    let breaker = opened();
    for (seconds, left) in [(0, 30), (1, 29), (29, 1)] {
        let left = Duration::from_secs(left);
        assert_eq!(breaker.admit(at(seconds)), Err(Open { retry_in: left }));
        assert_eq!(breaker.open_for(at(seconds)), left);
        assert_eq!(breaker.state(at(seconds)), State::Open);
    }
    assert_eq!(breaker.state(at(30)), State::HalfOpen);
    assert_eq!(breaker.open_for(at(30)), Duration::ZERO);
    let last = Tick::from_nanos(at(30).as_nanos() - 1);
    assert!(breaker.admit(last).is_err());
    assert!(breaker.admit(at(30)).is_ok());
}

#[test]
fn half_open_lets_few_through_and_successes_close_it() {
    let breaker = opened();
    let first = breaker.admit(at(30)).unwrap();
    let second = breaker.admit(at(30)).unwrap();
    assert!(breaker.admit(at(30)).is_err());
    assert_eq!(breaker.record(first, Success, at(31)), None);
    let third = breaker.admit(at(31)).unwrap();
    assert!(breaker.admit(at(31)).is_err());
    assert_eq!(breaker.record(second, Success, at(31)), Some(State::Closed));
    assert_eq!(breaker.state(at(31)), State::Closed);
    // A straggler of the half-open generation.
    assert_eq!(breaker.record(third, Failure, at(31)), None);
    assert_eq!(run(&breaker, &[Failure; 4]), None);
    assert_eq!(breaker.state(at(31)), State::Closed);
}

#[test]
fn a_failed_probe_opens_it_again_for_the_whole_time() {
    for outcome in [Failure, Overloaded] {
        let breaker = opened();
        let first = breaker.admit(at(30)).unwrap();
        let second = breaker.admit(at(30)).unwrap();
        assert_eq!(breaker.record(first, Success, at(30)), None);
        assert_eq!(breaker.record(second, outcome, at(40)), Some(State::Open));
        assert_eq!(breaker.open_for(at(40)), OPEN_FOR);
        // The success before the failure does not count the next time.
        let permit = breaker.admit(at(70)).unwrap();
        assert_eq!(breaker.record(permit, Success, at(70)), None);
        assert_eq!(breaker.state(at(70)), State::HalfOpen);
    }
}

#[test]
fn released_and_ignored_probes_give_their_slot_back() {
    let breaker = opened();
    for _ in 0..10 {
        let first = breaker.admit(at(30)).unwrap();
        let second = breaker.admit(at(30)).unwrap();
        assert!(breaker.admit(at(30)).is_err());
        breaker.release(first);
        assert_eq!(breaker.record(second, Ignored, at(30)), None);
    }
    assert_eq!(breaker.state(at(30)), State::HalfOpen);
}

#[test]
fn a_lost_probe_does_not_wedge_it() {
    let breaker = opened();
    let lost = breaker.admit(at(30)).unwrap();
    assert_eq!(
        breaker.record(breaker.admit(at(30)).unwrap(), Success, at(30)),
        None
    );
    let slow = breaker.admit(at(40)).unwrap();
    // Counted from the last probe that was given out.
    let left = |seconds| {
        Err(Open {
            retry_in: Duration::from_secs(seconds),
        })
    };
    assert_eq!(breaker.admit(at(40)), left(30));
    assert_eq!(breaker.admit(at(69)), left(1));
    let fresh = breaker.admit(at(70)).unwrap();
    // Those of before are stragglers now, and there is one slot left beside the fresh one.
    assert_eq!(breaker.record(lost, Failure, at(70)), None);
    breaker.release(slow);
    assert!(breaker.admit(at(70)).is_ok());
    assert!(breaker.admit(at(70)).is_err());
    // The success of before counts.
    assert_eq!(breaker.record(fresh, Success, at(70)), Some(State::Closed));
}

#[test]
fn stragglers_from_before_neither_open_nor_close() {
    let breaker = breaker();
    let stragglers: Vec<_> = (0..20).map(|_| breaker.admit(at(0)).unwrap()).collect();
    run(&breaker, &[Failure; 5]);
    for straggler in &stragglers[..5] {
        assert_eq!(breaker.record(*straggler, Success, at(1)), None);
        assert_eq!(breaker.record(*straggler, Failure, at(20)), None);
    }
    assert_eq!(breaker.open_for(at(1)), Duration::from_secs(29));
    let probe = breaker.admit(at(30)).unwrap();
    for straggler in &stragglers[5..10] {
        assert_eq!(breaker.record(*straggler, Success, at(30)), None);
        breaker.release(*straggler);
    }
    assert_eq!(breaker.record(probe, Success, at(30)), None);
    assert_eq!(
        breaker.record(breaker.admit(at(30)).unwrap(), Success, at(30)),
        Some(State::Closed)
    );
    for straggler in &stragglers[10..] {
        assert_eq!(breaker.record(*straggler, Failure, at(31)), None);
    }
    assert_eq!(breaker.state(at(31)), State::Closed);
}

#[test]
fn evidence_of_recovery_ends_the_wait() {
    let breaker = opened();
    assert!(breaker.probe_now(at(1)));
    assert!(!breaker.probe_now(at(1)));
    assert_eq!(breaker.state(at(1)), State::HalfOpen);
    assert_eq!(run(&breaker, &[Success; 2]), Some(State::Closed));
    assert!(!breaker.probe_now(at(1)));
    assert_eq!(breaker.state(at(1)), State::Closed);
}

#[test]
fn thresholds_out_of_range_are_moved_into_it() {
    let policy = |failure_threshold, success_threshold| CircuitBreaker {
        failure_threshold,
        success_threshold,
        open_for: Duration::ZERO,
    };
    let breaker = Breaker::new(policy(0, 0));
    assert_eq!(run(&breaker, &[Failure]), Some(State::Open));
    assert!(breaker.admit(at(0)).is_err());
    let probe = breaker.admit(at(1)).unwrap();
    assert!(breaker.admit(at(1)).is_err());
    assert_eq!(breaker.record(probe, Success, at(1)), Some(State::Closed));
    let breaker = Breaker::new(policy(u32::MAX, 1));
    assert_eq!(run(&breaker, &vec![Failure; 65_534]), None);
    assert_eq!(run(&breaker, &[Failure]), Some(State::Open));
}
