use super::*;

fn at(seconds: u64) -> Tick {
    Tick::ZERO.after(Duration::from_secs(seconds))
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn close(baseline: &Baseline, expect: Duration) {
    let mean = baseline.mean().unwrap_or_default();
    let error = mean.as_secs_f64() / expect.as_secs_f64() - 1.0;
    assert!(error.abs() < 0.05, "{mean:?}, not {expect:?}");
}

#[test]
fn the_first_calls_count_alike() {
    let baseline = Baseline::new();
    assert_eq!(baseline.mean(), None);
    baseline.observe(ms(1_000), Pressure::None, at(0));
    (0..15).for_each(|_| baseline.observe(ms(10), Pressure::None, at(0)));
    close(&baseline, Duration::from_micros(71_875));
}

#[test]
fn the_mean_follows_within_seconds_and_hardly_upwards_under_pressure() {
    let learned = |pressure, took: u64| {
        let baseline = Baseline::new();
        (0..100).for_each(|_| baseline.observe(ms(10), Pressure::None, at(0)));
        for second in 1..=30 {
            baseline.observe(ms(took), pressure, at(second));
        }
        baseline
    };
    close(&learned(Pressure::None, 110), ms(105));
    close(&learned(Pressure::Serving, 110), ms(49));
    close(&learned(Pressure::Waiting, 110), ms(15));
    close(&learned(Pressure::Waiting, 1), Duration::from_micros(1_448));
}

#[test]
fn a_clock_that_is_behind_changes_nothing() {
    let baseline = Baseline::new();
    (0..100).for_each(|_| baseline.observe(ms(10), Pressure::None, at(20)));
    baseline.observe(ms(10_000), Pressure::None, at(19));
    close(&baseline, ms(10));
}

#[test]
fn the_floor_is_the_quickest_of_a_while_and_then_forgotten() {
    let baseline = Baseline::new();
    baseline.observe(ms(20), Pressure::None, at(3));
    baseline.observe(ms(30), Pressure::None, at(4));
    assert_eq!(baseline.floor(at(29)), None, "it is too early to tell");
    assert_eq!(baseline.floor(at(30)), Some(ms(20)));
    baseline.observe(ms(5), Pressure::None, at(31));
    assert_eq!(baseline.floor(at(31)), Some(ms(5)));
    baseline.observe(ms(25), Pressure::None, at(60));
    assert_eq!(baseline.floor(at(89)), Some(ms(5)));
    assert_eq!(baseline.floor(at(90)), Some(ms(25)));
    assert_eq!(baseline.floor(at(120)), None, "nobody called for 30 s");
    assert_eq!(baseline.floor(at(3_000)), None);
}

#[test]
fn a_floor_beyond_its_range_is_the_longest_there_is() {
    let baseline = Baseline::new();
    baseline.observe(Duration::MAX, Pressure::None, at(0));
    let floor = baseline.floor(at(30)).unwrap_or_default();
    assert!((Duration::from_secs(16)..Duration::from_secs(17)).contains(&floor));
}
