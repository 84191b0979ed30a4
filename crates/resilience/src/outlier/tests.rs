use rand::SeedableRng;
use rand::rngs::StdRng;

use super::*;

fn at(seconds: u64) -> Tick {
    Tick::ZERO.after(Duration::from_secs(seconds))
}

fn tally(successes: u64, failures: u64) -> Tally {
    Tally {
        successes,
        failures,
    }
}

/// Hosts 0, 1, 2 and so on.
fn hosts(tallies: &[(u64, u64)]) -> Vec<(u32, Tally)> {
    (0..)
        .zip(tallies.iter().map(|(good, bad)| tally(*good, *bad)))
        .collect()
}

fn sweep(detector: &mut Detector<u32>, tallies: &[(u64, u64)], seconds: u64) -> Sweep<u32> {
    detector.sweep(&hosts(tallies), at(seconds), &mut StdRng::seed_from_u64(1))
}

fn success_rate() -> Config {
    Config {
        failure_percentage: None,
        max_ejection_percent: 100,
        ..Config::default()
    }
}

fn failure_percentage() -> Config {
    Config {
        success_rate: None,
        max_ejection_percent: 100,
        ..Config::default()
    }
}

fn check(config: Config, tallies: &[(u64, u64)], ejected: &[u32], unenforced: u32) {
    let mut detector = Detector::new(config);
    let sweep = sweep(&mut detector, tallies, 10);
    assert_eq!(sweep.ejected, ejected, "{tallies:?}");
    assert_eq!(sweep.unenforced, unenforced, "{tallies:?}");
    assert!(sweep.restored.is_empty());
    for (key, _) in hosts(tallies) {
        assert_eq!(detector.is_ejected(&key), ejected.contains(&key), "{key}");
    }
}

#[test]
fn success_rate_ejects_who_is_far_below_the_mean() {
    let good = (100, 0);
    let rule = success_rate();
    check(rule, &[], &[], 0);
    check(rule, &[good; 5], &[], 0);
    // With all failing alike nobody is an outlier.
    check(rule, &[(0, 100); 5], &[], 0);
    // Mean 0.9, deviation 0.2: the threshold is 0.52.
    check(rule, &[good, good, (50, 50), good, good], &[2], 0);
    // One of five is at most 2 deviations away, whatever it does; of two it is 1.22.
    check(rule, &[good, (99, 1), good, good, good], &[1], 0);
    check(rule, &[(0, 100), (0, 100), good, good, good], &[], 0);
    // Four hosts with enough requests are too few, and those with too few are not judged.
    check(rule, &[good, good, good, (0, 100)], &[], 0);
    check(rule, &[good, good, good, good, (0, 99)], &[], 0);
    check(rule, &[good, good, good, good, good, (0, 99)], &[], 0);
    check(rule, &[good, good, good, good, (0, 100), (0, 0)], &[4], 0);
}

#[test]
fn failure_percentage_ejects_by_the_share_alone() {
    let good = (50, 0);
    let rule = failure_percentage();
    check(rule, &[good; 5], &[], 0);
    check(rule, &[(15, 85), good, good, good, good], &[], 0);
    check(rule, &[(14, 86), good, good, good, good], &[0], 0);
    check(rule, &[(0, 50); 5], &[0, 1, 2, 3, 4], 0);
    check(rule, &[(0, 49), good, good, good, good], &[], 0);
    check(rule, &[(0, 50), good, good, good], &[], 0);
    // Endpoints without requests count as endpoints here.
    check(rule, &[(0, 50), (0, 0), (0, 0), (0, 0), (0, 0)], &[0], 0);
}

#[test]
fn the_share_of_ejections_is_kept_but_one_may_go_in_any_case() {
    let check_share = |percent, hosts: usize, ejected: &[u32]| {
        let rule = Config {
            max_ejection_percent: percent,
            ..failure_percentage()
        };
        let mut tallies = vec![(0, 100); hosts];
        // The last one is the worst by far less than the others are bad, and goes first.
        tallies
            .iter_mut()
            .take(hosts - 1)
            .for_each(|host| host.0 = 1);
        let left = u32::try_from(hosts - ejected.len()).unwrap_or(0);
        check(rule, &tallies, ejected, left);
    };
    check_share(10, 5, &[4]);
    check_share(0, 5, &[4]);
    check_share(10, 10, &[9]);
    check_share(10, 19, &[18]);
    check_share(10, 20, &[0, 19]);
    check_share(50, 7, &[0, 1, 6]);
    check_share(100, 5, &[0, 1, 2, 3, 4]);
    check_share(200, 5, &[0, 1, 2, 3, 4]);
}

#[test]
fn both_rules_share_the_ejections_and_eject_nobody_twice() {
    let config = Config::default();
    check(
        config,
        &[(0, 100), (100, 0), (100, 0), (100, 0), (100, 0)],
        &[0],
        0,
    );
    let two_bad = [(0, 200), (10, 100), (100, 0), (100, 0), (100, 0)];
    check(config, &two_bad, &[0], 1);
}

#[test]
fn enforcement_spares_and_counts() {
    let rule = |enforcement| Config {
        failure_percentage: Some(FailurePercentage {
            enforcement,
            ..FailurePercentage::default()
        }),
        ..failure_percentage()
    };
    let tallies = [(0, 100); 1_000];
    check(rule(0), &tallies, &[], 1_000);
    let mut half = Detector::new(rule(50));
    let sweep = sweep(&mut half, &tallies, 10);
    assert_eq!(sweep.ejected.len() + sweep.unenforced as usize, 1_000);
    assert!(
        (400..600).contains(&sweep.unenforced),
        "{}",
        sweep.unenforced
    );
}

#[test]
fn ejections_end_and_grow_with_repetition() {
    const BAD: [(u64, u64); 5] = [(0, 100), (100, 0), (100, 0), (100, 0), (100, 0)];
    const IDLE: [(u64, u64); 5] = [(0, 0); 5];
    let mut detector = Detector::new(Config::default());
    let mut now = 0;
    // Each time it is bad again one sweep after its return: out for 30, 60, ... and at most 300 s.
    for times in 1..=12_u64 {
        assert_eq!(sweep(&mut detector, &BAD, now).ejected, [0], "time {times}");
        let out = (30 * times).min(300);
        for waited in (10..out).step_by(10) {
            // Late answers of an ejected endpoint change nothing.
            let waiting = sweep(&mut detector, &BAD, now + waited);
            assert_eq!(
                (waiting.ejected, waiting.restored),
                (vec![], vec![]),
                "{waited} s"
            );
        }
        assert_eq!(
            sweep(&mut detector, &IDLE, now + out).restored,
            [0],
            "time {times}"
        );
        assert!(!detector.is_ejected(&0));
        now += out + 10;
    }
    // Twelve sweeps of good conduct, and it begins from the start.
    for _ in 0..12 {
        sweep(&mut detector, &IDLE, now);
        now += 10;
    }
    assert_eq!(sweep(&mut detector, &BAD, now).ejected, [0]);
    assert!(sweep(&mut detector, &IDLE, now + 29).restored.is_empty());
    assert_eq!(sweep(&mut detector, &IDLE, now + 30).restored, [0]);
}

#[test]
fn forgets_who_is_gone() {
    let bad = hosts(&[(0, 100), (100, 0), (100, 0), (100, 0), (100, 0)]);
    let mut detector = Detector::new(Config::default());
    let mut rng = StdRng::seed_from_u64(1);
    assert_eq!(detector.sweep(&bad, at(0), &mut rng).ejected, [0]);
    assert!(
        detector
            .sweep(&bad[1..], at(10), &mut rng)
            .restored
            .is_empty()
    );
    assert!(!detector.is_ejected(&0));
    // It comes back with a clean record.
    let idle = hosts(&[(0, 0); 5]);
    detector.sweep(&idle, at(20), &mut rng);
    assert!(!detector.is_ejected(&0));
    assert!(!detector.is_ejected(&99));
    assert_eq!(detector.sweep(&bad, at(30), &mut rng).ejected, [0]);
    assert_eq!(detector.sweep(&idle, at(60), &mut rng).restored, [0]);
}

#[test]
fn the_order_in_which_endpoints_are_named_does_not_matter() {
    let mut tallies = hosts(&[(100, 0), (1, 99), (0, 100), (100, 0), (100, 0), (2, 98)]);
    // Named twice, it is one endpoint with both.
    tallies.push((0, tally(100, 0)));
    let run = |tallies: &[(u32, Tally)]| {
        let mut detector = Detector::new(Config {
            max_ejection_percent: 34,
            ..Config::default()
        });
        detector.sweep(tallies, at(0), &mut StdRng::seed_from_u64(9))
    };
    let forwards = run(&tallies);
    assert_eq!(forwards.ejected, [1, 2]);
    tallies.reverse();
    assert_eq!(run(&tallies), forwards);
}
