//! How many attempts there may be beyond the first ones.

use std::time::Duration;

use crate::Tick;
use crate::sync::{AtomicU64, Ordering};
use crate::window::{Epochs, Slot, Window};

/// The stretches into which the window is cut. More make it more exact and a decision a little slower.
const SLOTS: usize = if cfg!(loom) { 2 } else { 20 };
const MILLION: u64 = 1_000_000;
const MAX_RATIO: f64 = 10.0;

/// How large a [`Budget`] is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Config {
    /// Further attempts for each call that was begun, 0 to 10. Default 0.2.
    pub ratio: f64,
    /// Over how long calls and attempts are counted, 1 s to 10 min. Default 10 s. It should exceed the usual deadline: what a window
    /// has forgotten when it fails is retried without having been counted.
    pub window: Duration,
    /// Further attempts a second that are there in any case, so that a caller who calls rarely can retry at all. They are counted over
    /// the window too: 10 a second over 10 s is 100, which may come at once. Default 10; 0 makes `ratio` a hard bound.
    pub min_per_second: u32,
}

/// The budget of further attempts towards a target: retries and hedges take from the same one.
///
/// A further attempt is reserved **when it is decided on**, not when it is sent: whatever waits in a backoff is counted already
/// (counting late is what lets a burst of failures overrun a budget, envoy#30205). A reservation is never given back. After Finagle's
/// `RetryBudget` and tower's `TpsBudget`.
///
/// # What holds
/// Whenever [`try_reserve`](Self::try_reserve) says yes at `t`, the reservations of the last `window` before `t`, this one
/// included, are at most `ratio * calls begun in the last window + min_per_second * window`, rounded down. That is exact under any
/// number of threads, because
/// - the one word that a reservation replaces holds both the count of the stretch at hand and its number. The swap succeeds only if
///   nobody has reserved and no stretch has ended since the count was taken, so each decision has seen all those before it;
/// - an ended stretch is frozen before the next one begins, and words only grow, so a thread that was held up changes nothing;
/// - calls that others are counting at this moment may be missing, which makes the bound smaller.
///
/// Time is counted in stretches of a twentieth of the window. Reservations count until they are surely older than the window, calls
/// only while they are surely younger, so what is really used is between 18 % and 20 % of a steady flow of calls where 20 % are
/// configured. A thread whose `now` is behind decides at the latest time at which any has reserved.
#[derive(Debug)]
pub struct Budget {
    /// In millionths: integers round the same way everywhere.
    ratio: u64,
    floor: u64,
    epochs: Epochs,
    calls: Window<SLOTS>,
    /// The reservations of the latest stretch in which there were any.
    head: AtomicU64,
    /// Those of earlier stretches. One more than there are slots of calls, so that nothing is forgotten that is younger than the window.
    past: [AtomicU64; SLOTS + 1],
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ratio: 0.2,
            window: Duration::from_secs(10),
            min_per_second: 10,
        }
    }
}

impl Budget {
    /// An empty window. Values outside their range are moved to its nearest end; a `ratio` that is not a number is 0.
    pub fn new(config: Config) -> Self {
        let window = config.window.clamp(Epochs::MIN_WINDOW, Epochs::MAX_WINDOW);
        let floor = u128::from(config.min_per_second) * window.as_millis() / 1_000;
        let calls = Window::new(window);
        Self {
            ratio: millionths(config.ratio.clamp(0.0, MAX_RATIO)),
            floor: u64::try_from(floor).unwrap_or(u64::MAX),
            epochs: calls.epochs(),
            calls,
            head: AtomicU64::new(0),
            past: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// Counts a call that begins: its first attempt, not the further ones.
    pub fn deposit(&self, now: Tick) {
        self.calls.add(now);
    }

    /// Reserves one further attempt. To be asked last, when everything else allows the attempt.
    #[must_use = "an attempt that was not granted must not be sent"]
    pub fn try_reserve(&self, now: Tick) -> bool {
        let now = self.epochs.of(now);
        let mut seen = self.head.load(Ordering::Acquire);
        loop {
            let head = Slot::unpack(seen);
            let epoch = now.max(head.epoch);
            if self.reserved(head, epoch) >= self.allowed(epoch) {
                return false;
            }
            let next = if epoch == head.epoch {
                Slot {
                    count: head.count.saturating_add(1),
                    ..head
                }
            } else {
                // Frozen before the head moves on: whoever sees the new head sees this. A larger count that is there already stays.
                self.past[head.epoch as usize % self.past.len()].fetch_max(seen, Ordering::AcqRel);
                Slot { epoch, count: 1 }
            };
            match self.head.compare_exchange_weak(
                seen,
                next.pack(),
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
    }

    /// How many further attempts could be reserved now, were nobody else to ask.
    pub fn available(&self, now: Tick) -> u64 {
        let head = Slot::unpack(self.head.load(Ordering::Acquire));
        let epoch = self.epochs.of(now).max(head.epoch);
        self.allowed(epoch)
            .saturating_sub(self.reserved(head, epoch))
    }

    fn allowed(&self, epoch: u32) -> u64 {
        let share =
            u128::from(self.calls.sum(epoch)) * u128::from(self.ratio) / u128::from(MILLION);
        u64::try_from(share)
            .unwrap_or(u64::MAX)
            .saturating_add(self.floor)
    }

    /// The reservations of the stretches from `epoch - SLOTS` to `epoch`.
    fn reserved(&self, head: Slot, epoch: u32) -> u64 {
        // A stretch that somebody is about to freeze is both in `past` and the head: the head is right.
        let past = self
            .past
            .iter()
            .map(|slot| Slot::unpack(slot.load(Ordering::Acquire)))
            .filter(|slot| slot.epoch < head.epoch);
        past.chain([head])
            .filter(|slot| (epoch - slot.epoch) as usize <= SLOTS)
            .map(|slot| u64::from(slot.count))
            .sum()
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from float to integer saturates, and NaN becomes 0"
)]
fn millionths(ratio: f64) -> u64 {
    (ratio * 1e6).round() as u64
}

#[cfg(all(test, not(loom)))]
mod tests;
