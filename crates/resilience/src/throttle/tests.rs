#![allow(
    clippy::float_cmp,
    reason = "thousandths are compared as they are made"
)]

use super::*;

fn throttle(max_tokens: u32, token_ratio: f32) -> RetryThrottle {
    RetryThrottle::new(RetryThrottling {
        max_tokens,
        token_ratio,
    })
}

#[test]
fn allows_while_more_than_half_is_left() {
    let check = |max, failures, tokens, allows| {
        let throttle = throttle(max, 0.1);
        (0..failures).for_each(|_| throttle.on_failure());
        let seen = (throttle.tokens(), throttle.allows());
        assert_eq!(seen, (tokens, allows), "{failures} failures of {max}");
    };
    check(10, 0, 10.0, true);
    check(10, 4, 6.0, true);
    check(10, 5, 5.0, false);
    check(10, 10, 0.0, false);
    check(10, 11, 0.0, false);
    check(1, 0, 1.0, true);
    check(1, 1, 0.0, false);
    check(3, 1, 2.0, true);
    check(3, 2, 1.0, false);
    check(1_000, 499, 501.0, true);
    check(1_000, 500, 500.0, false);
}

#[test]
fn successes_give_back_and_never_too_much() {
    let throttle = throttle(10, 0.1);
    throttle.on_success();
    assert_eq!(throttle.tokens(), 10.0);
    (0..6).for_each(|_| throttle.on_failure());
    (0..10).for_each(|_| throttle.on_success());
    assert_eq!((throttle.tokens(), throttle.allows()), (5.0, false));
    throttle.on_success();
    assert_eq!((throttle.tokens(), throttle.allows()), (5.1, true));
    (0..1_000).for_each(|_| throttle.on_success());
    assert_eq!(throttle.tokens(), 10.0);
}

#[test]
fn three_decimal_places_are_exact() {
    let check = |ratio, expect| {
        let throttle = throttle(10, ratio);
        throttle.on_failure();
        throttle.on_success();
        assert_eq!(throttle.tokens(), expect, "{ratio}");
    };
    check(0.001, 9.001);
    check(0.123, 9.123);
    check(0.1234, 9.123);
    check(1.0, 10.0);
    check(5.0, 10.0);
}

#[test]
fn what_is_out_of_range_is_moved_into_it() {
    assert_eq!(throttle(0, 0.1).max_tokens(), 1.0);
    assert_eq!(throttle(5_000, 0.1).max_tokens(), 1_000.0);
    for ratio in [f32::NAN, -1.0, f32::NEG_INFINITY] {
        let throttle = throttle(10, ratio);
        throttle.on_failure();
        throttle.on_success();
        assert_eq!(throttle.tokens(), 9.0, "{ratio}");
    }
    let throttle = throttle(10, f32::INFINITY);
    (0..10).for_each(|_| throttle.on_failure());
    throttle.on_success();
    assert_eq!(throttle.tokens(), 10.0);
}
