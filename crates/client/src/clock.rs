//! The time and the chance of a channel: both can be set from outside, so that a run can be played again.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rand::rand_core::{Infallible, TryRng};
use scribemed_resilience::Tick;
use tokio::time::Instant;

/// The time as the policies see it. Its only source is tokio's clock, which a test or a simulation sets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    epoch: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            epoch: Instant::now(),
        }
    }

    pub(crate) fn now(self) -> Tick {
        self.at(Instant::now())
    }

    /// The tick of an instant that was read already.
    pub(crate) fn at(self, instant: Instant) -> Tick {
        Tick::ZERO.after(instant.saturating_duration_since(self.epoch))
    }
}

/// A random source that all calls of a channel share without a lock: SplitMix64, which is as good as a balancer needs and no
/// use for secrets. The same seed gives the same numbers in the same order.
#[derive(Debug)]
pub(crate) struct Random {
    state: AtomicU64,
}

impl Random {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self {
            state: AtomicU64::new(seed),
        }
    }

    pub(crate) fn next(&self) -> u64 {
        const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.state.fetch_add(GAMMA, Relaxed).wrapping_add(GAMMA);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`, which must not be 0. Without the bias of a remainder (Lemire), but for one in 2^32.
    pub(crate) fn below(&self, n: usize) -> usize {
        let wide = u128::from(self.next()) * (n as u128);
        usize::try_from(wide >> 64).unwrap_or(0)
    }

    /// As a random source of crate `rand`.
    pub(crate) fn source(&self) -> Source<'_> {
        Source(self)
    }
}

/// [`Random`] as `rand` sees it.
pub(crate) struct Source<'a>(&'a Random);

impl TryRng for Source<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let [_, _, _, _, a, b, c, d] = self.0.next().to_be_bytes();
        Ok(u32::from_be_bytes([a, b, c, d]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.0.next().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_again() {
        let draw = |seed| {
            let random = Random::seeded(seed);
            [random.next(), random.next(), random.next()]
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        // The reference implementation of SplitMix64, seed 0.
        assert_eq!(draw(0)[0], 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn is_spread_evenly_below_a_limit() {
        let random = Random::seeded(1);
        let mut seen = [0_u32; 7];
        for _ in 0..70_000 {
            seen[random.below(7)] += 1;
        }
        assert!(
            seen.iter().all(|count| (9_500..10_500).contains(count)),
            "{seen:?}"
        );
    }
}
