//! A few hundred seeds, and that a seed can be played again.

use std::ops::Range;
use std::thread;

use scribemed_testing::{Play, scenario, sweep};

/// No promise is broken with any of these seeds.
fn all_is_well(seeds: Range<u64>, times: Play) {
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let failures: Vec<String> = sweep(&scenario::ALL, seeds, times, threads)
        .iter()
        .flat_map(|summary| &summary.failures)
        .map(ToString::to_string)
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn no_seed_breaks_a_promise() {
    all_is_well(0..14, Play::Once);
}

#[test]
fn a_seed_gives_the_same_simulation_again() {
    all_is_well(1_000..1_001, Play::Twice);
}
