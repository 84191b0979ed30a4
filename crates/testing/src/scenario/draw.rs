//! Choices, from a seed.

use std::ops::RangeInclusive;
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;

use crate::names::Answer;
use crate::script::{Promise, Script};

/// Answers of a name server that are of no use.
pub(super) const FAILURES: [Answer; 4] = [
    Answer::Empty,
    Answer::Unknown,
    Answer::Failing,
    Answer::Silent,
];

/// Calls go on for so long after the trouble.
const AFTER: Duration = Duration::from_secs(9);

/// Draws.
pub(super) struct Draw {
    random: StdRng,
}

impl Draw {
    pub(super) fn new(random: StdRng) -> Self {
        Self { random }
    }

    /// A time, from so many milliseconds to so many.
    pub(super) fn millis(&mut self, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.random.random_range(range))
    }

    pub(super) fn number(&mut self, range: RangeInclusive<usize>) -> usize {
        self.random.random_range(range)
    }

    pub(super) fn offset(&mut self, range: RangeInclusive<i64>) -> i64 {
        self.random.random_range(range)
    }

    pub(super) fn coin(&mut self) -> bool {
        self.random.random()
    }

    pub(super) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.random.random_range(0..of.len())].clone()
    }

    /// So many of the numbers below `of`, in order.
    pub(super) fn some(&mut self, count: usize, of: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..of).collect();
        while all.len() > count {
            let at = self.random.random_range(0..all.len());
            all.remove(at);
        }
        all
    }

    /// Three servers and a few clients, and nothing that happens yet.
    pub(super) fn script(&mut self) -> Script {
        Script {
            servers: 3,
            clients: self.number(2..=4),
            rate: 20,
            mix: [50, 20, 15, 10, 5],
            latency: (1, 20),
            steps: Vec::new(),
            clear: Duration::ZERO,
            stop: Duration::ZERO,
            promise: Promise::Recovery,
        }
    }

    /// When the trouble begins.
    pub(super) fn begin(&mut self) -> Duration {
        self.millis(3_000..=5_000)
    }
}

impl Script {
    /// The trouble is over at `clear`.
    pub(super) fn cleared(mut self, clear: Duration) -> Self {
        self.clear = clear;
        self.stop = clear + AFTER;
        self
    }
}
