//! Wall clocks that go wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use scribemed_auth::Clock;

/// When simulations begin: 2026-01-01, 00:00 UTC, in seconds since the Unix epoch.
pub(crate) const EPOCH: u64 = 1_767_225_600;

/// The wall clock of a simulated host: right but for its offset. Clones have the same offset.
#[derive(Debug, Clone, Default)]
pub struct SimulatedClock {
    /// In seconds.
    offset: Arc<AtomicI64>,
}

impl SimulatedClock {
    /// Lets it show so many seconds more than it is, or less, from now on.
    pub fn set_offset(&self, seconds: i64) {
        self.offset.store(seconds, Relaxed);
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> SystemTime {
        let passed = turmoil::sim_elapsed().unwrap_or_default();
        let seconds = EPOCH.saturating_add_signed(self.offset.load(Relaxed));
        UNIX_EPOCH + Duration::from_secs(seconds) + passed
    }
}
