//! What became of the attempts at an endpoint.

use crate::outcome::Outcome;
use crate::sync::{AtomicU64, Ordering};

/// The successes and failures of one endpoint, fed by the status in the trailers. Breaker and outlier detection are given the same
/// [`Outcome`], so they never disagree on what has happened.
///
/// Counts as the call counter of [gRFC A50] does, with totals that only grow instead of two buckets that are swapped: nothing that is
/// recorded while somebody takes is lost or taken twice. Lock-free; a record is one atomic addition.
///
/// [gRFC A50]: https://github.com/grpc/proposal/blob/master/A50-xds-outlier-detection.md#call-counter
#[derive(Debug)]
pub struct Ledger {
    successes: Count,
    failures: Count,
}

/// What was recorded between two [`Ledger::take`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Attempts that the endpoint answered.
    pub successes: u64,
    /// Attempts that failed, and those that it refused because it is overloaded.
    pub failures: u64,
}

#[derive(Debug)]
struct Count {
    total: AtomicU64,
    taken: AtomicU64,
}

impl Ledger {
    /// An empty one.
    pub fn new() -> Self {
        let count = || Count {
            total: AtomicU64::new(0),
            taken: AtomicU64::new(0),
        };
        Self {
            successes: count(),
            failures: count(),
        }
    }

    /// Counts an attempt. [`Outcome::Overloaded`] is a failure here: an endpoint that refuses much more than the others is an outlier.
    /// [`Outcome::Ignored`] is nothing.
    pub fn record(&self, outcome: Outcome) {
        match outcome {
            Outcome::Success => self.successes.add(),
            Outcome::Failure | Outcome::Overloaded => self.failures.add(),
            Outcome::Ignored => {}
        }
    }

    /// What was recorded since the last take, for the sweep of outlier detection. Each record is taken once, also if several threads
    /// take at the same time.
    pub fn take(&self) -> Tally {
        Tally {
            successes: self.successes.take(),
            failures: self.failures.take(),
        }
    }

    /// All successes ever.
    pub fn successes(&self) -> u64 {
        self.successes.total.load(Ordering::Relaxed)
    }

    /// All failures ever.
    pub fn failures(&self) -> u64 {
        self.failures.total.load(Ordering::Relaxed)
    }
}

impl Default for Ledger {
    fn default() -> Self {
        Self::new()
    }
}

impl Tally {
    /// Both together.
    pub const fn total(self) -> u64 {
        self.successes.saturating_add(self.failures)
    }
}

impl Count {
    fn add(&self) {
        self.total.fetch_add(1, Ordering::Relaxed);
    }

    fn take(&self) -> u64 {
        let total = self.total.load(Ordering::Relaxed);
        // The mark only rises: whoever comes with an older total has nothing left to take.
        let before = self.taken.fetch_max(total, Ordering::Relaxed);
        total.saturating_sub(before)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn takes_what_was_recorded_since_and_keeps_the_totals() {
        let ledger = Ledger::new();
        let tally = |successes, failures| Tally {
            successes,
            failures,
        };
        assert_eq!(ledger.take(), tally(0, 0));
        for outcome in [
            Outcome::Success,
            Outcome::Success,
            Outcome::Success,
            Outcome::Failure,
            Outcome::Overloaded,
            Outcome::Ignored,
        ] {
            ledger.record(outcome);
        }
        assert_eq!(ledger.take(), tally(3, 2));
        assert_eq!(ledger.take(), tally(0, 0));
        ledger.record(Outcome::Failure);
        assert_eq!(ledger.take(), tally(0, 1));
        assert_eq!((ledger.successes(), ledger.failures()), (3, 3));
        assert_eq!(tally(3, 3).total(), 6);
    }
}
