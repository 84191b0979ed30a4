//! Counting over a sliding window, without locks.

use std::time::Duration;

use crate::Tick;
use crate::sync::{AtomicU64, Ordering};

/// A slot of the window, packed into one word: which stretch of time it counts (upper half), and the count (lower half). Words
/// grow: later stretches are larger, and within one the count only rises.
///
/// 32 bits number the stretches of 50 ms of the shortest window for 6 years, and count 80 million events a second in the longest
/// window of the fewest slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) epoch: u32,
    pub(crate) count: u32,
}

impl Slot {
    pub(crate) const fn pack(self) -> u64 {
        ((self.epoch as u64) << 32) | self.count as u64
    }

    pub(crate) fn unpack(word: u64) -> Self {
        let half = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).unwrap_or(u32::MAX);
        Self {
            epoch: half(word >> 32),
            count: half(word),
        }
    }
}

/// The division of time into stretches ("epochs") of equal length.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Epochs {
    nanos: u64,
}

impl Epochs {
    pub(crate) const MIN_WINDOW: Duration = Duration::from_secs(1);
    pub(crate) const MAX_WINDOW: Duration = Duration::from_secs(600);

    /// `window` (held within 1 s to 10 min) cut into so many stretches.
    pub(crate) fn new(window: Duration, slots: usize) -> Self {
        let window = window.clamp(Self::MIN_WINDOW, Self::MAX_WINDOW);
        let slots = u128::try_from(slots.max(1)).unwrap_or(u128::MAX);
        let nanos = u64::try_from(window.as_nanos() / slots).unwrap_or(u64::MAX);
        Self {
            nanos: nanos.max(1),
        }
    }

    pub(crate) fn of(self, now: Tick) -> u32 {
        u32::try_from(now.as_nanos() / self.nanos).unwrap_or(u32::MAX)
    }
}

/// Counts events over the last `N` stretches, the one at hand included: between `N - 1` and `N` whole stretches of time.
///
/// An event is one load and one `fetch_add`. The first event of a stretch takes over the slot of the stretch that has left the window
/// with one compare-and-swap, so nobody has to clean up. A thread that was held up between the two counts its event in the stretch
/// that has the slot by then: late, never lost and never twice.
#[derive(Debug)]
pub(crate) struct Window<const N: usize> {
    epochs: Epochs,
    slots: [AtomicU64; N],
}

impl<const N: usize> Window<N> {
    pub(crate) fn new(window: Duration) -> Self {
        Self {
            epochs: Epochs::new(window, N),
            slots: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    pub(crate) fn epochs(&self) -> Epochs {
        self.epochs
    }

    pub(crate) fn add(&self, now: Tick) {
        let epoch = self.epochs.of(now);
        let slot = &self.slots[epoch as usize % N];
        let mut seen = slot.load(Ordering::Relaxed);
        while Slot::unpack(seen).epoch < epoch {
            let fresh = Slot { epoch, count: 1 };
            match slot.compare_exchange_weak(
                seen,
                fresh.pack(),
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
        slot.fetch_add(1, Ordering::Relaxed);
    }

    /// The events of the `N` stretches that end with this one. Never more than have happened; those that other threads count at
    /// this moment may be missing.
    pub(crate) fn sum(&self, epoch: u32) -> u64 {
        let words = self.slots.iter().map(|slot| slot.load(Ordering::Relaxed));
        words
            .map(Slot::unpack)
            .filter(|slot| slot.epoch <= epoch && ((epoch - slot.epoch) as usize) < N)
            .map(|slot| u64::from(slot.count))
            .sum()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(millis: u64) -> Tick {
        Tick::ZERO.after(Duration::from_millis(millis))
    }

    #[test]
    fn forgets_what_has_left_the_window() {
        let window = Window::<4>::new(SECOND * 4);
        let check = |millis, expect| {
            let epoch = window.epochs().of(at(millis));
            assert_eq!(window.sum(epoch), expect, "{millis} ms");
        };
        check(0, 0);
        window.add(at(0));
        window.add(at(999));
        window.add(at(1_000));
        check(1_000, 3);
        check(3_999, 3);
        check(4_000, 1);
        check(5_000, 0);
        // The slot of the first second is taken over, and what was in it is not counted again.
        window.add(at(4_500));
        check(4_500, 2);
        check(1_000_000_000, 0);
    }

    #[test]
    fn an_event_that_comes_late_is_counted_in_the_stretch_that_has_the_slot() {
        let window = Window::<2>::new(SECOND * 2);
        window.add(at(4_000));
        window.add(at(0));
        assert_eq!(window.sum(window.epochs().of(at(4_000))), 2);
    }

    #[test]
    fn what_lies_ahead_is_not_counted() {
        let window = Window::<4>::new(SECOND * 4);
        window.add(at(9_000));
        assert_eq!(window.sum(window.epochs().of(at(8_000))), 0);
    }

    #[test]
    fn a_window_is_held_within_its_range() {
        let check = |window, slots, nanos| assert_eq!(Epochs::new(window, slots).nanos, nanos);
        check(Duration::ZERO, 10, 100_000_000);
        check(SECOND * 10, 20, 500_000_000);
        check(Duration::MAX, 10, 60_000_000_000);
        assert_eq!(
            Epochs::new(SECOND, 10).of(Tick::from_nanos(u64::MAX)),
            u32::MAX
        );
    }
}
