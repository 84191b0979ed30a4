//! When to look up again.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::Config;

/// The wait after a first failure (gRFC A6's connection backoff: 1 s, growing by 1.6).
const FIRST_RETRY: Duration = Duration::from_secs(1);
const GROWTH: f64 = 1.6;

/// Says how long to wait, and never waits.
#[derive(Debug)]
pub(super) struct Schedule {
    interval: Duration,
    floor: Duration,
    jitter: f64,
    failures: u32,
    rng: StdRng,
}

impl Schedule {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            interval: config.interval,
            floor: config.floor,
            jitter: config.jitter,
            failures: 0,
            rng: StdRng::seed_from_u64(config.seed),
        }
    }

    /// After a look-up that worked. Records are asked for after they have expired and not before: a server that caches would
    /// hand out the rest of their time, again and again. The interval is the longest wait, so it is spread downwards.
    pub(super) fn after_success(&mut self, ttl: Duration) -> Duration {
        self.failures = 0;
        let spread = self.jitter * self.rng.random_range(0.0..1.0);
        let wait = if ttl.as_secs_f64() * (1.0 + self.jitter) <= self.interval.as_secs_f64() {
            ttl.mul_f64(1.0 + spread)
        } else {
            self.interval.mul_f64(1.0 - spread)
        };
        wait.max(self.floor)
    }

    /// After one that failed.
    pub(super) fn after_failure(&mut self) -> Duration {
        let steps = i32::try_from(self.failures).unwrap_or(i32::MAX);
        self.failures = self.failures.saturating_add(1);
        let longest = self.interval.as_secs_f64();
        let grown = (FIRST_RETRY.as_secs_f64() * GROWTH.powi(steps)).min(longest);
        let spread = self.rng.random_range(1.0 - self.jitter..=1.0 + self.jitter);
        Duration::from_secs_f64((grown * spread).min(longest)).max(self.floor)
    }
}
