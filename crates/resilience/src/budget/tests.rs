use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

const WINDOW: u64 = 10_000;
const STRETCH: u64 = WINDOW / SLOTS as u64;

fn at(millis: u64) -> Tick {
    Tick::ZERO.after(Duration::from_millis(millis))
}

fn budget(ratio: f64, min_per_second: u32) -> Budget {
    Budget::new(Config {
        ratio,
        min_per_second,
        ..Config::default()
    })
}

/// How many reservations in a row are granted.
fn grants(budget: &Budget, now: Tick) -> u64 {
    let mut count = 0;
    while budget.try_reserve(now) {
        count += 1;
        assert!(count < 1_000_000, "no end");
    }
    count
}

#[test]
fn grants_the_share_and_the_floor() {
    let check = |ratio, floor, deposits, expect| {
        let budget = budget(ratio, floor);
        (0..deposits).for_each(|_| budget.deposit(at(0)));
        let what = format!("{ratio}, {floor}/s, {deposits} calls");
        assert_eq!(budget.available(at(0)), expect, "{what}");
        assert_eq!(grants(&budget, at(0)), expect, "{what}");
        assert_eq!(budget.available(at(0)), 0, "{what}");
    };
    check(0.2, 10, 0, 100);
    check(0.2, 10, 1_000, 300);
    check(0.2, 0, 0, 0);
    check(0.2, 0, 4, 0);
    check(0.2, 0, 5, 1);
    check(0.2, 0, 9, 1);
    check(0.2, 0, 10, 2);
    check(0.0, 1, 1_000, 10);
    check(1.0, 0, 7, 7);
    check(2.0, 0, 7, 14);
    // Out of range.
    check(-1.0, 0, 100, 0);
    check(f64::NAN, 0, 100, 0);
    check(f64::INFINITY, 0, 3, 30);
}

#[test]
fn a_reservation_is_never_given_back_within_the_window() {
    let budget = budget(0.2, 1);
    assert_eq!(grants(&budget, at(0)), 10);
    for millis in (0..=WINDOW).step_by(100) {
        assert!(!budget.try_reserve(at(millis)), "{millis} ms");
    }
    assert_eq!(grants(&budget, at(WINDOW + STRETCH)), 10);
}

#[test]
fn calls_are_forgotten_before_reservations() {
    let budget = budget(0.5, 0);
    (0..10).for_each(|_| budget.deposit(at(0)));
    assert!(budget.try_reserve(at(0)));
    assert_eq!(budget.available(at(WINDOW - 1)), 4);
    assert_eq!(budget.available(at(WINDOW)), 0);
    // One deposit would allow nothing, two allow one, but the reservation is remembered for a stretch longer.
    budget.deposit(at(WINDOW));
    budget.deposit(at(WINDOW));
    assert!(!budget.try_reserve(at(WINDOW)));
    assert!(budget.try_reserve(at(WINDOW + STRETCH)));
}

#[test]
fn who_is_behind_decides_with_the_others() {
    let budget = budget(0.2, 1);
    assert_eq!(grants(&budget, at(5_000)), 10);
    assert!(!budget.try_reserve(at(0)));
    assert_eq!(budget.available(at(0)), 0);
}

/// The window as lists of times: what the documentation promises, literally.
#[derive(Default)]
struct Naive {
    calls: Vec<u64>,
    reserved: Vec<u64>,
}

impl Naive {
    fn allows(&self, ratio_percent: u64, floor: u64, now: u64) -> bool {
        let stretch = |millis: &u64| millis / STRETCH;
        let slots = SLOTS as u64;
        let calls = self
            .calls
            .iter()
            .filter(|&call| stretch(&now) - stretch(call) < slots);
        let reserved = self
            .reserved
            .iter()
            .filter(|&mark| stretch(&now) - stretch(mark) <= slots);
        (reserved.count() as u64) < calls.count() as u64 * ratio_percent / 100 + floor
    }

    /// The promise in continuous time, of the reservation that was made last.
    fn holds(&self, ratio_percent: u64, floor: u64, now: u64) -> bool {
        let last =
            |times: &[u64]| times.iter().filter(|&&time| time + WINDOW >= now).count() as u64;
        last(&self.reserved) <= last(&self.calls) * ratio_percent / 100 + floor
    }
}

#[test]
fn decides_as_the_naive_window_does() {
    for seed in 0..200 {
        let mut rng = StdRng::seed_from_u64(seed);
        let percent = [0, 10, 20, 50, 100, 150][rng.random_range(0..6)];
        let per_second = rng.random_range(0..3);
        let floor = u64::from(per_second) * WINDOW / 1_000;
        let budget = budget(
            f64::from(u32::try_from(percent).unwrap_or(0)) / 100.0,
            per_second,
        );
        let mut naive = Naive::default();
        let mut now = 0;
        for step in 0..600 {
            now += match rng.random_range(0..100) {
                0..70 => rng.random_range(0..100),
                70..98 => rng.random_range(0..2_000),
                _ => rng.random_range(0..30_000),
            };
            if rng.random_bool(0.6) {
                budget.deposit(at(now));
                naive.calls.push(now);
                continue;
            }
            let granted = budget.try_reserve(at(now));
            assert_eq!(
                granted,
                naive.allows(percent, floor, now),
                "seed {seed}, step {step}"
            );
            if granted {
                naive.reserved.push(now);
                assert!(naive.holds(percent, floor, now), "seed {seed}, step {step}");
            }
        }
    }
}

#[test]
fn a_steady_flow_may_use_nearly_all_of_the_ratio() {
    let budget = budget(0.2, 0);
    let (mut calls, mut granted) = (0_u32, 0_u32);
    for millis in 0..100_000 {
        budget.deposit(at(millis));
        if millis >= WINDOW {
            calls += 1;
            granted += u32::from(budget.try_reserve(at(millis)));
        }
    }
    let share = f64::from(granted) / f64::from(calls);
    assert!((0.18..=0.2).contains(&share), "{share}");
}

#[test]
fn threads_together_get_no_more_than_one_alone() {
    let budget = budget(0.2, 10);
    let count = std::sync::atomic::AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for step in 0..20_000 {
                    // 20,000 steps within 9 s: 18 changes of stretch and no way out of the window.
                    let now = at(step * 9 / 20);
                    budget.deposit(now);
                    if budget.try_reserve(now) {
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    // What the last deposits allow may be left, because nobody asked after them.
    let granted = count.into_inner() + grants(&budget, at(9_000));
    assert_eq!(granted, 4 * 20_000 / 5 + 100);
}
