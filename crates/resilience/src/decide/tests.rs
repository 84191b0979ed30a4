use rand::SeedableRng;
use rand::rngs::StdRng;
use scribemed_rpc::policy::RetryThrottling;

use super::*;
use crate::budget;

const SECOND: Duration = Duration::from_secs(1);

fn exact(initial: Duration) -> Backoff {
    Backoff::new(initial, SECOND * 60, 2.0, 0.0).unwrap_or_default()
}

/// A contract that allows everything: 5 attempts, 1 s, 2 s, 4 s and 8 s apart, within a minute.
fn rules<'a>() -> Rules<'a> {
    Rules {
        repeatable: true,
        max_attempts: 5,
        retryable: true,
        backoff: exact(SECOND),
        previous_attempts: 0,
        throttle: None,
        budget: None,
        deadline: Tick::ZERO.after(SECOND * 60),
    }
}

const FAILURE: Failure = Failure {
    code: Code::Unavailable,
    sent: Sent::Perhaps,
    pushback: Pushback::None,
};
const NEVER: Failure = Failure {
    sent: Sent::Never,
    ..FAILURE
};
const REFUSED: Failure = Failure {
    sent: Sent::Refused,
    ..FAILURE
};
const FORBIDDEN: Failure = Failure {
    pushback: Pushback::Stop,
    ..FAILURE
};

fn after(seconds: u32) -> Verdict {
    Verdict::Retry {
        after: SECOND * seconds,
    }
}

fn pushed(seconds: u32) -> Failure {
    Failure {
        pushback: Pushback::After(SECOND * seconds),
        ..FAILURE
    }
}

fn judge(retries: &mut Retries, rules: &Rules<'_>, failure: Failure) -> Verdict {
    retries.on_failure(rules, failure, Tick::ZERO, &mut StdRng::seed_from_u64(1))
}

/// Each failure and the verdict on it, in one call.
fn check(rules: &Rules<'_>, steps: &[(Failure, Verdict)]) -> Retries {
    let mut retries = Retries::new();
    for (step, (failure, expect)) in steps.iter().enumerate() {
        assert_eq!(
            judge(&mut retries, rules, *failure),
            *expect,
            "step {step} of {steps:?}"
        );
    }
    retries
}

fn stop(why: Why) -> Verdict {
    Verdict::Stop(why)
}

#[test]
fn attempts_are_counted_and_wait_longer_each_time() {
    let retries = check(
        &rules(),
        &[
            (FAILURE, after(1)),
            (FAILURE, after(2)),
            (FAILURE, after(4)),
            (FAILURE, after(8)),
            (FAILURE, stop(Why::AttemptsExhausted)),
        ],
    );
    assert_eq!((retries.attempts(), retries.previous_attempts()), (5, 4));
    let of = |max_attempts| Rules {
        max_attempts,
        ..rules()
    };
    let exhausted = (FAILURE, stop(Why::AttemptsExhausted));
    check(&of(0), &[exhausted]);
    check(&of(1), &[exhausted]);
    check(&of(2), &[(FAILURE, after(1)), exhausted]);
    // A6 allows no more than five.
    let five = [
        (FAILURE, after(1)),
        (FAILURE, after(2)),
        (FAILURE, after(4)),
        (FAILURE, after(8)),
        exhausted,
    ];
    check(&of(100), &five);
}

#[test]
fn the_wait_is_jittered() {
    let rules = Rules {
        backoff: Backoff::DEFAULT,
        ..rules()
    };
    let mut rng = StdRng::seed_from_u64(1);
    let mut waits: Vec<_> = (0..100)
        .filter_map(
            |_| match Retries::new().on_failure(&rules, FAILURE, Tick::ZERO, &mut rng) {
                Verdict::Retry { after } => Some(after),
                Verdict::Transparent | Verdict::Stop(_) => None,
            },
        )
        .collect();
    waits.sort();
    waits.dedup();
    assert!(waits.len() > 90, "{}", waits.len());
}

#[test]
fn pushback_sets_the_wait_and_starts_the_backoff_anew() {
    check(
        &rules(),
        &[
            (FAILURE, after(1)),
            (FAILURE, after(2)),
            (pushed(7), after(7)),
            (FAILURE, after(1)),
            (FAILURE, stop(Why::AttemptsExhausted)),
        ],
    );
    check(&rules(), &[(pushed(0), after(0))]);
    check(&rules(), &[(FORBIDDEN, stop(Why::Pushback))]);
    // It makes nothing retryable that is not.
    let none = Rules {
        retryable: false,
        ..rules()
    };
    check(&none, &[(pushed(1), stop(Why::NotRetryable))]);
    let one = Rules {
        max_attempts: 1,
        ..rules()
    };
    check(&one, &[(pushed(1), stop(Why::AttemptsExhausted))]);
}

#[test]
fn what_never_left_is_sent_again_until_the_deadline() {
    let mut retries = Retries::new();
    for _ in 0..1_000 {
        assert_eq!(judge(&mut retries, &rules(), NEVER), Verdict::Transparent);
    }
    assert_eq!((retries.attempts(), retries.transparent()), (1, 1_000));
    let late = Rules {
        deadline: Tick::ZERO,
        ..rules()
    };
    check(&late, &[(NEVER, stop(Why::Deadline))]);
    // A request that cannot be sent at all fails each time.
    let broken = Failure {
        code: Code::Internal,
        ..NEVER
    };
    check(
        &Rules {
            retryable: false,
            ..rules()
        },
        &[(broken, stop(Why::NotRetryable))],
    );
}

#[test]
fn what_was_refused_is_sent_again_once() {
    let retries = check(
        &rules(),
        &[
            (REFUSED, Verdict::Transparent),
            (REFUSED, after(1)),
            (REFUSED, after(2)),
            (NEVER, Verdict::Transparent),
        ],
    );
    assert_eq!((retries.attempts(), retries.transparent()), (3, 2));
    check(
        &rules(),
        &[
            (FAILURE, after(1)),
            (REFUSED, Verdict::Transparent),
            (REFUSED, after(2)),
        ],
    );
    let late = Rules {
        deadline: Tick::ZERO,
        ..rules()
    };
    check(&late, &[(REFUSED, stop(Why::Deadline))]);
}

#[test]
fn a_method_that_may_do_harm_is_sent_again_transparently_only() {
    let rules = Rules {
        repeatable: false,
        ..rules()
    };
    let harm = stop(Why::NotRepeatable);
    check(&rules, &[(FAILURE, harm)]);
    check(&rules, &[(pushed(1), harm)]);
    check(
        &rules,
        &[
            (NEVER, Verdict::Transparent),
            (NEVER, Verdict::Transparent),
            (FAILURE, harm),
        ],
    );
    check(&rules, &[(REFUSED, Verdict::Transparent), (REFUSED, harm)]);
}

#[test]
fn a_call_below_a_further_attempt_is_not_amplified() {
    let rules = Rules {
        previous_attempts: 1,
        ..rules()
    };
    check(
        &rules,
        &[
            (NEVER, Verdict::Transparent),
            (REFUSED, Verdict::Transparent),
            (FAILURE, stop(Why::AlreadyReattempted)),
        ],
    );
}

#[test]
fn a_committed_call_is_not_sent_again() {
    for failure in [FAILURE, NEVER, REFUSED, pushed(1), FORBIDDEN] {
        let mut retries = Retries::new();
        retries.commit();
        assert_eq!(
            judge(&mut retries, &rules(), failure),
            stop(Why::Committed),
            "{failure:?}"
        );
    }
}

#[test]
fn a_wait_that_does_not_fit_ends_the_call() {
    let within = |nanos| Rules {
        deadline: Tick::from_nanos(nanos),
        ..rules()
    };
    check(&within(1_000_000_000), &[(FAILURE, stop(Why::Deadline))]);
    check(&within(1_000_000_001), &[(FAILURE, after(1))]);
    check(
        &within(5_000_000_000),
        &[(pushed(6), stop(Why::Deadline)), (FAILURE, after(1))],
    );
}

#[test]
fn the_throttle_counts_retryable_failures_and_do_not_retry() {
    let throttle = || {
        RetryThrottle::new(RetryThrottling {
            max_tokens: 10,
            token_ratio: 0.1,
        })
    };
    let check_tokens = |rules: Rules<'_>, committed: bool, failure, expect: f64| {
        let throttle = throttle();
        let mut retries = Retries::new();
        if committed {
            retries.commit();
        }
        judge(
            &mut retries,
            &Rules {
                throttle: Some(&throttle),
                ..rules
            },
            failure,
        );
        assert!(
            (throttle.tokens() - expect).abs() < 1e-9,
            "{failure:?}: {}",
            throttle.tokens()
        );
    };
    let other = Rules {
        retryable: false,
        ..rules()
    };
    check_tokens(rules(), false, FAILURE, 9.0);
    check_tokens(rules(), false, pushed(1), 9.0);
    check_tokens(rules(), false, FORBIDDEN, 9.0);
    check_tokens(rules(), false, NEVER, 10.0);
    check_tokens(rules(), false, REFUSED, 10.0);
    check_tokens(rules(), true, FAILURE, 9.0);
    check_tokens(other, false, FAILURE, 10.0);
    check_tokens(other, false, FORBIDDEN, 9.0);
    check_tokens(
        Rules {
            max_attempts: 1,
            ..rules()
        },
        false,
        FAILURE,
        9.0,
    );
    check_tokens(
        Rules {
            previous_attempts: 1,
            ..rules()
        },
        false,
        FAILURE,
        9.0,
    );
}

#[test]
fn the_throttle_is_asked_after_it_has_counted() {
    let throttle = RetryThrottle::new(RetryThrottling {
        max_tokens: 4,
        token_ratio: 0.1,
    });
    let rules = Rules {
        throttle: Some(&throttle),
        ..rules()
    };
    check(
        &rules,
        &[(FAILURE, after(1)), (FAILURE, stop(Why::Throttled))],
    );
    // Transparent ones are not throttled: nobody was bothered.
    check(
        &rules,
        &[
            (NEVER, Verdict::Transparent),
            (REFUSED, Verdict::Transparent),
        ],
    );
}

#[test]
fn the_budget_is_reserved_last() {
    let budget = Budget::new(budget::Config {
        ratio: 1.0,
        min_per_second: 0,
        ..budget::Config::default()
    });
    budget.deposit(Tick::ZERO);
    let throttle = RetryThrottle::new(RetryThrottling {
        max_tokens: 1,
        token_ratio: 0.0,
    });
    let with = |rules| Rules {
        budget: Some(&budget),
        ..rules
    };
    let full = rules();
    // Whatever else stops a call leaves the budget alone.
    check(
        &with(Rules {
            repeatable: false,
            ..full
        }),
        &[(FAILURE, stop(Why::NotRepeatable))],
    );
    check(
        &with(Rules {
            retryable: false,
            ..full
        }),
        &[(FAILURE, stop(Why::NotRetryable))],
    );
    check(
        &with(Rules {
            max_attempts: 1,
            ..full
        }),
        &[(FAILURE, stop(Why::AttemptsExhausted))],
    );
    check(
        &with(Rules {
            previous_attempts: 2,
            ..full
        }),
        &[(FAILURE, stop(Why::AlreadyReattempted))],
    );
    check(
        &with(Rules {
            throttle: Some(&throttle),
            ..full
        }),
        &[(FAILURE, stop(Why::Throttled))],
    );
    check(
        &with(Rules {
            deadline: Tick::ZERO,
            ..full
        }),
        &[(FAILURE, stop(Why::Deadline))],
    );
    check(
        &with(full),
        &[
            (FORBIDDEN, stop(Why::Pushback)),
            (NEVER, Verdict::Transparent),
            (REFUSED, Verdict::Transparent),
        ],
    );
    assert_eq!(budget.available(Tick::ZERO), 1);

    let mut retries = check(
        &with(full),
        &[(FAILURE, after(1)), (FAILURE, stop(Why::NoBudget))],
    );
    assert_eq!(retries.attempts(), 2);
    // What was refused was not counted: the backoff goes on where it was.
    budget.deposit(Tick::ZERO);
    assert_eq!(judge(&mut retries, &with(full), FAILURE), after(2));
}

#[test]
fn each_reason_reads_as_the_end_of_a_sentence() {
    use Why::{
        AlreadyReattempted, AttemptsExhausted, Committed, Deadline, NoBudget, NotRepeatable,
        NotRetryable, Pushback, Throttled,
    };
    let all = [
        NotRepeatable,
        NotRetryable,
        AttemptsExhausted,
        Throttled,
        NoBudget,
        Pushback,
        Committed,
        AlreadyReattempted,
        Deadline,
    ];
    let mut texts: Vec<_> = all.iter().map(ToString::to_string).collect();
    assert!(
        texts
            .iter()
            .all(|text| text.starts_with(char::is_lowercase) && !text.ends_with('.'))
    );
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), all.len());
}
