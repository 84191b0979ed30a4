//! Time as the policies see it.

use std::time::Duration;

/// A point in time: nanoseconds since an epoch that whoever owns the clock has chosen. It fits into one atomic, and the
/// policies need no clock of their own: every decision is given the time at which it is made.
///
/// 64 bits last for 584 years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Tick(u64);

impl Tick {
    /// The epoch itself.
    pub const ZERO: Self = Self(0);

    /// So many nanoseconds after the epoch.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the epoch.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// `duration` later; the last tick there is where that is too far.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }

    /// The time that has passed since `earlier`; zero if that is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_both_ways_without_overflow() {
        let tick = Tick::from_nanos(5);
        assert_eq!(tick.after(Duration::from_nanos(7)), Tick::from_nanos(12));
        assert_eq!(tick.after(Duration::MAX), Tick::from_nanos(u64::MAX));
        assert_eq!(Tick::from_nanos(12).since(tick), Duration::from_nanos(7));
        assert_eq!(tick.since(Tick::from_nanos(12)), Duration::ZERO);
    }
}
