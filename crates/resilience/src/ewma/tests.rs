#![allow(
    clippy::float_cmp,
    reason = "costs of the same average are the same number"
)]

use super::*;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn at(millis: u64) -> Tick {
    Tick::ZERO.after(ms(millis))
}

fn close(ewma: &PeakEwma, now: u64, expect: f64) {
    let millis = ewma.latency(at(now)).as_secs_f64() * 1e3;
    assert!(
        (millis - expect).abs() <= expect * 1e-3,
        "{millis} ms at {now} ms, {expect} expected"
    );
}

#[test]
fn starts_in_the_middle_and_believes_a_peak_at_once() {
    let ewma = PeakEwma::new(at(0));
    close(&ewma, 0, 30.0);
    ewma.observe(ms(50), at(0));
    close(&ewma, 0, 50.0);
    ewma.observe(ms(2_000), at(0));
    close(&ewma, 0, 2_000.0);
}

#[test]
fn believes_good_news_by_the_time_since_the_last() {
    let check = |passed: u64, expect| {
        let ewma = PeakEwma::new(at(0));
        ewma.observe(ms(1_000), at(0));
        ewma.observe(ms(100), at(passed));
        close(&ewma, passed, expect);
    };
    let after = |passed: f64| 100.0 + 900.0 * (-passed / 10_000.0).exp();
    check(0, 1_000.0);
    check(50, after(50.0));
    check(99, after(99.0));
    check(101, after(101.0));
    check(1_000, after(1_000.0));
    check(10_000, after(10_000.0));
    check(1_000_000, 100.0);
}

#[test]
fn many_samples_within_a_millisecond_weigh_as_one() {
    let often = PeakEwma::new(at(0));
    let rarely = PeakEwma::new(at(0));
    for step in 0..10_000 {
        often.observe(ms(1), at(step));
        often.observe(ms(1), at(step));
        if step % 100 == 0 {
            rarely.observe(ms(1), at(step));
        }
    }
    let expect = 1.0 + 29.0 * (-1.0_f64).exp();
    for ewma in [often, rarely] {
        let millis = ewma.load().value / 1e6;
        assert!(
            (f64::from(millis) - expect).abs() < 0.15,
            "{millis} ms, {expect} expected"
        );
    }
}

#[test]
fn cost_is_the_average_for_each_request_there() {
    let ewma = PeakEwma::new(at(0));
    let check = |pending, expect: f64| {
        assert!(
            (ewma.cost(pending, at(0)) - expect).abs() < 10.0,
            "{pending}"
        );
    };
    check(0, 30e6);
    check(1, 60e6);
    check(9, 300e6);
    assert!(ewma.cost(u32::MAX, at(0)).is_finite());
}

#[test]
fn fades_while_idle_and_not_while_something_is_under_way() {
    let ewma = PeakEwma::new(at(0));
    ewma.penalize(Duration::ZERO, at(0));
    close(&ewma, 0, 5_000.0);
    close(&ewma, 10_000, 5_000.0 * (-1.0_f64).exp());
    let fresh = PeakEwma::new(at(60_000));
    assert!(ewma.cost(0, at(60_000)) < fresh.cost(0, at(60_000)));
    assert!(ewma.cost(1, at(60_000)) > fresh.cost(100, at(60_000)));
    // Never to nothing.
    assert!(ewma.cost(0, at(10_000_000)) >= 1_000.0);
    ewma.observe(Duration::ZERO, at(20_000_000));
    assert_eq!(
        ewma.cost(3, at(20_000_000)),
        ewma.cost(0, at(20_000_000)) * 4.0
    );
    assert!(ewma.cost(0, at(20_000_000)) >= 1_000.0);
}

#[test]
fn a_failure_costs_seconds_and_never_improves_anything() {
    let check = |floor: u64, expect| {
        let ewma = PeakEwma::new(at(0));
        ewma.penalize(ms(floor), at(0));
        close(&ewma, 0, expect);
    };
    check(0, 5_000.0);
    check(20_000, 20_000.0);
    check(1_000_000, 300_000.0);
    let ewma = PeakEwma::new(at(0));
    ewma.observe(ms(60_000), at(0));
    ewma.penalize(Duration::ZERO, at(0));
    close(&ewma, 0, 60_000.0);
    // It counts as a sample: fading begins anew.
    ewma.penalize(Duration::ZERO, at(5_000));
    close(&ewma, 5_000, 60_000.0);
}

#[test]
fn a_clock_that_is_behind_or_wraps_does_no_harm() {
    let ewma = PeakEwma::new(at(10_000));
    ewma.observe(ms(10), at(1_000));
    close(&ewma, 1_000, 30.0);
    ewma.observe(ms(40), at(1_000));
    close(&ewma, 10_000, 40.0);
    let wraps = 1_u64 << (32 + UNIT_BITS);
    let before = Tick::from_nanos(wraps - 1);
    let ewma = PeakEwma::new(before);
    ewma.observe(
        ms(1),
        Tick::from_nanos(wraps).after(Duration::from_secs(100)),
    );
    assert!(ewma.load().value < 1.1e6);
    // A month without a sample fades, too.
    let ewma = PeakEwma::new(at(0));
    close(&ewma, 30 * 24 * 3_600_000, 0.001);
}
