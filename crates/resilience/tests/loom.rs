//! Model checks of the lock-free policies: loom runs each of these under every interleaving and every reordering that the memory
//! model allows. `RUSTFLAGS="--cfg loom" cargo test -p scribemed-resilience --release --test loom`, in a target folder of
//! its own: the flag rebuilds everything.
#![cfg(loom)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use loom::sync::Arc;
use loom::thread;
use rand::SeedableRng;
use rand::rngs::StdRng;
use scribemed_resilience::Tick;
use scribemed_resilience::adaptive::{self, AdaptiveThrottle};
use scribemed_resilience::breaker::{Breaker, Permit, State};
use scribemed_resilience::budget::{self, Budget};
use scribemed_resilience::ewma::PeakEwma;
use scribemed_resilience::ledger::{Ledger, Tally};
use scribemed_resilience::outcome::Outcome;
use scribemed_resilience::throttle::RetryThrottle;
use scribemed_rpc::policy::{CircuitBreaker, RetryThrottling};

fn at(millis: u64) -> Tick {
    Tick::ZERO.after(Duration::from_millis(millis))
}

/// Runs each on a thread of its own and gives what they return.
fn together<S, T>(shared: S, threads: &[fn(&S) -> T]) -> (Arc<S>, Vec<T>)
where
    S: Send + Sync + 'static,
    T: Send + 'static,
{
    let shared = Arc::new(shared);
    // The last one runs here: loom counts the thread that it starts with.
    let (here, elsewhere) = threads.split_last().unwrap();
    let handles: Vec<_> = elsewhere
        .iter()
        .map(|&run| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || run(&shared))
        })
        .collect();
    let last = here(&shared);
    let mut results: Vec<_> = handles
        .into_iter()
        .map(|handle| handle.join().unwrap())
        .collect();
    results.push(last);
    (shared, results)
}

/// As `loom::model`, with at most 3 preemptions where `LOOM_MAX_PREEMPTIONS` says nothing: with any number
/// of them the larger models take minutes.
fn model(check: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(check);
}

fn granted(results: &[bool]) -> usize {
    results.iter().filter(|&&yes| yes).count()
}

mod throttle {
    use super::*;

    fn full() -> RetryThrottle {
        RetryThrottle::new(RetryThrottling {
            max_tokens: 4,
            token_ratio: 1.0,
        })
    }

    #[test]
    fn no_failure_is_lost() {
        loom::model(|| {
            let fail = |throttle: &RetryThrottle| throttle.on_failure();
            let (throttle, _) = together(full(), &[fail, fail, fail]);
            assert!((throttle.tokens() - 1.0).abs() < 1e-9);
        });
    }

    #[test]
    fn a_success_meets_failures_in_some_order() {
        loom::model(|| {
            let fail = |throttle: &RetryThrottle| throttle.on_failure();
            let (throttle, _) = together(full(), &[|throttle| throttle.on_success(), fail, fail]);
            // First it finds the bucket full; later it gives one back.
            assert!(
                [2.0, 3.0].contains(&throttle.tokens()),
                "{}",
                throttle.tokens()
            );
        });
    }
}

/// Two stretches of calls of half a second each; reservations are remembered for three.
mod budgets {
    use super::*;

    fn budget(ratio: f64, min_per_second: u32) -> Budget {
        Budget::new(budget::Config {
            ratio,
            window: Duration::from_secs(1),
            min_per_second,
        })
    }

    #[test]
    fn never_grants_more_than_there_is() {
        model(|| {
            let ask = |budget: &Budget| budget.try_reserve(at(0));
            let (budget, results) = together(budget(0.0, 2), &[ask, ask, ask]);
            assert_eq!(granted(&results), 2);
            assert_eq!(budget.available(at(0)), 0);
        });
    }

    #[test]
    fn nor_while_stretches_end() {
        model(|| {
            let (budget, results) = together(
                budget(0.0, 2),
                &[
                    |budget| budget.try_reserve(at(0)),
                    |budget| budget.try_reserve(at(500)),
                    |budget| budget.try_reserve(at(1_000)),
                ],
            );
            assert_eq!(granted(&results), 2);
            assert_eq!(budget.available(at(1_000)), 0);
            // Both are forgotten when the latest stretch in which they can lie has left the window.
            assert_eq!(budget.available(at(2_500)), 2);
        });
    }

    #[test]
    fn no_call_is_lost_and_none_counts_twice() {
        model(|| {
            let budget = budget(1.0, 0);
            // Its stretch has left the window when the others begin, and they take over its slot.
            budget.deposit(at(0));
            let call = |budget: &Budget| {
                budget.deposit(at(1_000));
                budget.try_reserve(at(1_000))
            };
            let (budget, results) = together(budget, &[call, call]);
            let reserved = granted(&results) as u64;
            assert!(reserved >= 1);
            assert_eq!(budget.available(at(1_000)), 2 - reserved);
        });
    }
}

mod breakers {
    use super::*;

    const OPEN_FOR: u64 = 1_000;

    struct Shared {
        breaker: Breaker,
        permits: Vec<Permit>,
    }

    fn closed(failure_threshold: u32, success_threshold: u32) -> Breaker {
        Breaker::new(CircuitBreaker {
            failure_threshold,
            success_threshold,
            open_for: Duration::from_millis(OPEN_FOR),
        })
    }

    /// One that opened at 0, with a permit of before.
    fn open(success_threshold: u32) -> Shared {
        let breaker = closed(1, success_threshold);
        let permits = vec![breaker.admit(at(0)).unwrap()];
        let failed = breaker.admit(at(0)).unwrap();
        assert_eq!(
            breaker.record(failed, Outcome::Failure, at(0)),
            Some(State::Open)
        );
        Shared { breaker, permits }
    }

    /// One that is half-open, with so many probes on their way.
    fn half_open(success_threshold: u32, probes: u32) -> Shared {
        let mut shared = open(success_threshold);
        shared.permits = (0..probes)
            .map(|_| shared.breaker.admit(at(OPEN_FOR)).unwrap())
            .collect();
        shared
    }

    #[test]
    fn exactly_one_thread_opens_it_and_no_failure_is_lost() {
        loom::model(|| {
            let fail = |breaker: &Breaker| {
                let permit = breaker.admit(at(5));
                permit.is_ok_and(|permit| {
                    breaker.record(permit, Outcome::Failure, at(5)) == Some(State::Open)
                })
            };
            let (breaker, results) = together(closed(3, 1), &[fail, fail, fail]);
            assert_eq!(granted(&results), 1);
            assert_eq!(breaker.open_for(at(5)), Duration::from_millis(OPEN_FOR));
        });
    }

    #[test]
    fn never_more_probes_than_slots() {
        model(|| {
            let ask = |shared: &Shared| shared.breaker.admit(at(OPEN_FOR)).is_ok();
            let (shared, results) = together(open(2), &[ask, ask, ask]);
            assert_eq!(granted(&results), 2);
            assert_eq!(shared.breaker.state(at(OPEN_FOR)), State::HalfOpen);
        });
    }

    #[test]
    fn nor_when_recovery_is_reported_meanwhile() {
        loom::model(|| {
            let ask = |shared: &Shared| shared.breaker.admit(at(OPEN_FOR)).is_ok();
            let (_, results) = together(
                open(1),
                &[
                    ask,
                    |shared| {
                        shared.breaker.probe_now(at(OPEN_FOR));
                        false
                    },
                    ask,
                ],
            );
            assert_eq!(granted(&results), 1);
        });
    }

    #[test]
    fn nor_when_lost_probes_are_replaced() {
        loom::model(|| {
            let ask = |shared: &Shared| shared.breaker.admit(at(2 * OPEN_FOR)).is_ok();
            let (shared, results) = together(half_open(1, 1), &[ask, ask]);
            assert_eq!(granted(&results), 1);
            // The lost one comes back late and frees nothing.
            shared.breaker.release(shared.permits[0]);
            assert!(shared.breaker.admit(at(2 * OPEN_FOR)).is_err());
        });
    }

    #[test]
    fn a_slot_that_is_given_back_is_not_lost() {
        loom::model(|| {
            let (shared, _) = together(
                half_open(2, 2),
                &[
                    |shared: &Shared| shared.breaker.release(shared.permits[0]),
                    |shared| {
                        shared
                            .breaker
                            .record(shared.permits[1], Outcome::Success, at(OPEN_FOR));
                    },
                ],
            );
            let admits = (0..3).filter(|_| shared.breaker.admit(at(OPEN_FOR)).is_ok());
            assert_eq!(admits.count(), 2);
        });
    }

    #[test]
    fn stragglers_neither_open_nor_close_it() {
        loom::model(|| {
            let (shared, results) = together(
                open(1),
                &[
                    |shared: &Shared| {
                        shared
                            .breaker
                            .record(shared.permits[0], Outcome::Failure, at(OPEN_FOR))
                    },
                    |shared| {
                        let probe = shared.breaker.admit(at(OPEN_FOR)).unwrap();
                        shared.breaker.record(probe, Outcome::Success, at(OPEN_FOR))
                    },
                ],
            );
            assert_eq!(results, [None, Some(State::Closed)]);
            assert_eq!(shared.breaker.state(at(OPEN_FOR)), State::Closed);
        });
    }

    #[test]
    fn of_two_probes_the_failure_decides() {
        loom::model(|| {
            let (shared, results) = together(
                half_open(2, 2),
                &[
                    |shared: &Shared| {
                        shared
                            .breaker
                            .record(shared.permits[0], Outcome::Success, at(OPEN_FOR))
                    },
                    |shared| {
                        shared
                            .breaker
                            .record(shared.permits[1], Outcome::Failure, at(OPEN_FOR))
                    },
                ],
            );
            assert_eq!(results, [None, Some(State::Open)]);
            // The whole time, though the slot of the starts was used before.
            assert_eq!(
                shared.breaker.open_for(at(OPEN_FOR)),
                Duration::from_millis(OPEN_FOR)
            );
        });
    }

    #[test]
    fn who_sees_it_open_sees_since_when() {
        loom::model(|| {
            let (_, results) = together(
                half_open(1, 1),
                &[
                    |shared: &Shared| {
                        shared.breaker.record(
                            shared.permits[0],
                            Outcome::Failure,
                            at(OPEN_FOR + 500),
                        );
                        true
                    },
                    // Had it the old start, the time would seem to be over.
                    |shared| shared.breaker.admit(at(OPEN_FOR + 500)).is_err(),
                ],
            );
            assert_eq!(results, [true, true]);
        });
    }
}

mod ledgers {
    use super::*;

    #[test]
    fn each_record_is_taken_once() {
        loom::model(|| {
            let record = |ledger: &Ledger| {
                ledger.record(Outcome::Success);
                ledger.record(Outcome::Failure);
                Tally::default()
            };
            let (ledger, results) = together(
                Ledger::new(),
                &[record, |ledger| ledger.take(), |ledger| ledger.take()],
            );
            let mut all = results;
            all.push(ledger.take());
            assert_eq!(all.iter().map(|tally| tally.successes).sum::<u64>(), 1);
            assert_eq!(all.iter().map(|tally| tally.failures).sum::<u64>(), 1);
        });
    }

    #[test]
    fn no_record_is_lost() {
        loom::model(|| {
            let record = |ledger: &Ledger| ledger.record(Outcome::Failure);
            let (ledger, _) = together(Ledger::new(), &[record, record, record]);
            assert_eq!((ledger.failures(), ledger.take().failures), (3, 3));
        });
    }
}

mod ewmas {
    use super::*;

    fn observe(ewma: &PeakEwma, millis: u64) {
        ewma.observe(Duration::from_millis(millis), at(0));
    }

    #[test]
    fn no_peak_is_lost() {
        loom::model(|| {
            let (ewma, _) = together(
                PeakEwma::new(at(0)),
                &[
                    |ewma| observe(ewma, 100),
                    |ewma| observe(ewma, 200),
                    |ewma| observe(ewma, 50),
                ],
            );
            assert_eq!(ewma.latency(at(0)).as_millis(), 200);
        });
    }

    #[test]
    fn no_penalty_is_lost_to_good_news() {
        loom::model(|| {
            let (ewma, _) = together(
                PeakEwma::new(at(0)),
                &[
                    |ewma: &PeakEwma| ewma.penalize(Duration::ZERO, at(100)),
                    |ewma| ewma.observe(Duration::from_millis(10), at(100)),
                ],
            );
            assert!(ewma.latency(at(100)) >= Duration::from_millis(4_990));
        });
    }
}

/// Two stretches of half a second.
mod adaptives {
    use super::*;

    fn throttle() -> AdaptiveThrottle {
        AdaptiveThrottle::new(adaptive::Config {
            window: Duration::from_secs(1),
            k: 2.0,
        })
    }

    #[test]
    fn no_count_is_lost_when_a_stretch_takes_over_a_slot() {
        loom::model(|| {
            let throttle = throttle();
            throttle.refused(at(0));
            let refuse = |throttle: &AdaptiveThrottle| throttle.refused(at(1_000));
            let (throttle, _) = together(throttle, &[refuse, refuse, refuse]);
            assert!((throttle.rejected_share(at(1_000)) - 0.75).abs() < 1e-9);
        });
    }

    #[test]
    fn each_request_is_counted_once_however_it_ends() {
        loom::model(|| {
            let throttle = throttle();
            throttle.refused(at(0));
            throttle.refused(at(0));
            throttle.refused(at(0));
            let (throttle, results) = together(
                throttle,
                &[
                    |throttle: &AdaptiveThrottle| {
                        throttle.admit(at(0), &mut StdRng::seed_from_u64(1))
                    },
                    |throttle| {
                        throttle.accepted(at(0));
                        true
                    },
                ],
            );
            let requests = if results[0] { 4.0 } else { 5.0 };
            let expect = (requests - 2.0) / (requests + 1.0);
            assert!((throttle.rejected_share(at(0)) - expect).abs() < 1e-9);
        });
    }
}

mod limits {
    use scribemed_resilience::baseline::Baseline;
    use scribemed_resilience::limit::{Class, Config, Limit, Sample};

    use super::*;

    fn limit(min: u32, max: u32) -> Limit {
        let config = Config {
            min,
            max,
            ..Config::default()
        };
        Limit::new(config, at(0))
    }

    #[test]
    fn no_class_takes_more_than_its_share() {
        model(|| {
            let low = |limit: &Limit| limit.try_acquire(Class::Sheddable, at(0)).is_ok();
            let high = |limit: &Limit| limit.try_acquire(Class::Critical, at(0)).is_ok();
            let (limit, results) = together(limit(2, 2), &[low, low, high]);
            // The low ones have one place of two; the high one has the other, unless it came first.
            assert!(results[2], "{results:?}");
            assert!(granted(&results[..2]) <= 1, "{results:?}");
            assert_eq!(limit.in_flight() as usize, granted(&results));
        });
    }

    #[test]
    fn a_place_that_is_given_back_is_there() {
        model(|| {
            let turn = |limit: &Limit| {
                let taken = limit.try_acquire(Class::Critical, at(0));
                taken.is_ok_and(|permit| {
                    limit.release(permit, Sample::Ignored, at(0));
                    true
                })
            };
            let (limit, results) = together(limit(1, 1), &[turn, turn, turn]);
            assert!(granted(&results) >= 1);
            assert_eq!(limit.in_flight(), 0);
            assert!(limit.try_acquire(Class::Critical, at(0)).is_ok());
        });
    }

    /// Two windows end at once, one well and one not: whoever judges, the limit stays within its bounds and no sample is
    /// counted twice.
    #[test]
    fn a_window_is_judged_once() {
        struct Shared {
            limit: Limit,
            baseline: Baseline,
        }
        fn end(shared: &Shared, waited: u64, now: u64) {
            let permit = shared.limit.try_acquire(Class::Critical, at(now)).unwrap();
            let sample = Sample::Served {
                baseline: &shared.baseline,
                waited: Duration::from_millis(waited),
                served: Duration::ZERO,
            };
            shared.limit.release(permit, sample, at(now));
        }
        // Each end of a call is a dozen steps: with more preemptions it takes minutes.
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(2);
        builder.check(|| {
            let shared = Shared {
                limit: limit(1, 16),
                baseline: Baseline::new(),
            };
            let (shared, _) = together(
                shared,
                &[
                    |shared: &Shared| end(shared, 500, 100),
                    |shared| {
                        end(shared, 500, 100);
                    },
                ],
            );
            assert_eq!(shared.limit.in_flight(), 0);
            // Both were in flight at once, or one after the other: 2 / 2 + 1.4, or nothing to cut.
            assert!(
                [3, 16].contains(&shared.limit.limit()),
                "{}",
                shared.limit.limit()
            );
        });
    }
}
