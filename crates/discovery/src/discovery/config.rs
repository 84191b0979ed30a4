//! How a target is kept up to date.

use std::time::Duration;

/// How a target is kept up to date.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// The longest time between two look-ups. 30 s; at least [`floor`](Self::floor), at most a day. Records that hold longer are not waited for, since
    /// an endpoint that comes is known by nothing else.
    pub interval: Duration,
    /// The shortest time between two look-ups, whatever the records, [`Discovery::refresh`](crate::Discovery::refresh) or a failure
    /// ask for. 1 s; from 10 ms to a day.
    pub floor: Duration,
    /// By how much waits differ, so that clients which started together do not ask together: a fraction from 0 to 1. 0.2.
    pub jitter: f64,
    /// How long one look-up may take. 5 s; from 10 ms to a day.
    pub timeout: Duration,
    /// How many addresses of a large set are used. 32; `None` uses all.
    pub subset: Option<Subset>,
    /// Decides the jitter and the subset. 0: **give each client its own**, or all use the same subset.
    pub seed: u64,
}

/// How many addresses of a large set are used, see [`subset`](crate::subset::subset).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subset {
    /// The number of addresses, at least [`subset::SMALLEST`](crate::subset::SMALLEST).
    pub size: usize,
}

/// No wait is shorter: a loop without waits would take a core and a name server with it.
const SHORTEST: Duration = Duration::from_millis(10);
/// And none is longer, so that sums with it do not overflow.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

impl Config {
    /// Each value brought into its range.
    pub(super) fn in_range(self) -> Self {
        let floor = self.floor.clamp(SHORTEST, LONGEST);
        Self {
            floor,
            interval: self.interval.clamp(floor, LONGEST),
            jitter: if self.jitter.is_nan() {
                0.0
            } else {
                self.jitter.clamp(0.0, 1.0)
            },
            timeout: self.timeout.clamp(SHORTEST, LONGEST),
            ..self
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(30),
            floor: Duration::from_secs(1),
            jitter: 0.2,
            timeout: Duration::from_secs(5),
            subset: Some(Subset { size: 32 }),
            seed: 0,
        }
    }
}
