//! A few hundred seeds, and that a seed can be played again.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::thread;

use scribemed_testing::{scenario, simulate, sweep};

/// Seeds of each scenario: in all a few hundred.
const SEEDS: u64 = 20;

#[test]
fn no_seed_breaks_a_promise() {
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let failures: Vec<String> = sweep(&scenario::ALL, 0..SEEDS, threads)
        .iter()
        .flat_map(|summary| &summary.failures)
        .map(ToString::to_string)
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_seed_gives_the_same_simulation_again() {
    for scenario in scenario::ALL {
        let seed = 1_000;
        let script = scenario.script(seed);
        let texts = [(); 2].map(|()| simulate(&script, seed).unwrap().text());
        let differ = texts[0].lines().zip(texts[1].lines()).find(|(a, b)| a != b);
        assert_eq!(differ, None, "{}", scenario.name);
        assert_eq!(texts[0].len(), texts[1].len(), "{}", scenario.name);
    }
}
