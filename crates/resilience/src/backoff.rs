//! How long to wait before the next try.

use std::fmt;
use std::time::Duration;

use rand::{Rng, RngExt};

/// Exponential backoff with jitter, as [gRFC A6] defines it for retries.
///
/// The delay before retry `n` is `min(initial * multiplier^(n-1), max) * U(1 - jitter, 1 + jitter)`.
/// The jitter comes last, so that callers held at `max` do not wake together; a delay may therefore exceed `max` by the jitter.
///
/// A value that decides and never sleeps. The default is 100 ms, at most 5 s, doubling, ±20 %.
///
/// ```
/// use std::time::Duration;
/// use scribemed_resilience::backoff::Backoff;
///
/// let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60), 2.0, 0.0)?;
/// assert_eq!(backoff.delay(3, &mut rand::rng()), Duration::from_secs(4));
/// # Ok::<(), scribemed_resilience::backoff::Invalid>(())
/// ```
///
/// [gRFC A6]: https://github.com/grpc/proposal/blob/master/A6-client-retries.md#exponential-backoff
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    initial: Duration,
    max: Duration,
    multiplier: f64,
    jitter: f64,
}

/// Why [`Backoff::new`] refused its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// The initial delay is zero.
    Initial,
    /// The longest delay is below the initial one.
    Max,
    /// The multiplier is below 1 or not finite.
    Multiplier,
    /// The jitter is outside 0 to 1.
    Jitter,
}

impl Backoff {
    /// The default as a constant: 100 ms, at most 5 s, doubling, ±20 %.
    pub const DEFAULT: Self = Self {
        initial: Duration::from_millis(100),
        max: Duration::from_secs(5),
        multiplier: 2.0,
        jitter: 0.2,
    };

    /// A backoff from `initial` (above zero) to `max` (at least `initial`), growing by `multiplier` (at least 1), spread by `jitter`, a
    /// fraction from 0 to 1.
    ///
    /// # Errors
    /// The first argument that is out of its range.
    pub const fn new(
        initial: Duration,
        max: Duration,
        multiplier: f64,
        jitter: f64,
    ) -> Result<Self, Invalid> {
        if initial.is_zero() {
            return Err(Invalid::Initial);
        }
        if max.as_nanos() < initial.as_nanos() {
            return Err(Invalid::Max);
        }
        if !(multiplier.is_finite() && multiplier >= 1.0) {
            return Err(Invalid::Multiplier);
        }
        if !(jitter >= 0.0 && jitter <= 1.0) {
            return Err(Invalid::Jitter);
        }
        Ok(Self {
            initial,
            max,
            multiplier,
            jitter,
        })
    }

    /// The delay before the given retry. Retries count from 1; 0 is taken as 1.
    pub fn delay(&self, retry: u32, rng: &mut (impl Rng + ?Sized)) -> Duration {
        let steps = i32::try_from(retry.saturating_sub(1)).unwrap_or(i32::MAX);
        // Far out the power becomes infinite, which `min` turns into `max`.
        let grown = self.initial.as_secs_f64() * self.multiplier.powi(steps);
        let base = grown.min(self.max.as_secs_f64());
        let spread = rng.random_range(1.0 - self.jitter..=1.0 + self.jitter);
        Duration::try_from_secs_f64(base * spread).unwrap_or(Duration::MAX)
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Initial => "the initial delay must be above zero",
            Self::Max => "the longest delay must not be below the initial one",
            Self::Multiplier => "the multiplier must be at least 1",
            Self::Jitter => "the jitter must be between 0 and 1",
        })
    }
}

impl std::error::Error for Invalid {}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        reason = "a test that cannot set up should stop there"
    )]

    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn rng() -> StdRng {
        StdRng::seed_from_u64(7)
    }

    #[test]
    fn grows_up_to_the_longest_delay() {
        let backoff =
            Backoff::new(Duration::from_millis(100), Duration::from_secs(5), 2.0, 0.0).unwrap();
        let check = |retry, millis| {
            assert_eq!(
                backoff.delay(retry, &mut rng()),
                Duration::from_millis(millis),
                "retry {retry}"
            );
        };
        check(0, 100);
        check(1, 100);
        check(2, 200);
        check(3, 400);
        check(6, 3_200);
        check(7, 5_000);
        check(100, 5_000);
        check(u32::MAX, 5_000);
    }

    #[test]
    fn jitter_spreads_over_the_whole_range_and_not_beyond() {
        let mut rng = rng();
        let delays: Vec<_> = (0..1_000)
            .map(|_| Backoff::DEFAULT.delay(20, &mut rng))
            .collect();
        let (min, max) = (delays.iter().min().unwrap(), delays.iter().max().unwrap());
        assert!(*min >= SECOND * 4 && *min < Duration::from_millis(4_050));
        assert!(*max <= SECOND * 6 && *max > Duration::from_millis(5_950));
    }

    #[test]
    fn the_same_random_source_gives_the_same_delay() {
        let first = Backoff::DEFAULT.delay(3, &mut rng());
        assert_eq!(first, Backoff::DEFAULT.delay(3, &mut rng()));
    }

    #[test]
    fn extreme_values_do_not_overflow() {
        let backoff = Backoff::new(Duration::MAX, Duration::MAX, f64::MAX, 1.0).unwrap();
        for retry in [1, 2, u32::MAX] {
            let _ = backoff.delay(retry, &mut rng());
        }
    }

    #[test]
    fn refuses_what_is_out_of_range() {
        let check = |initial, max, multiplier, jitter, expect| {
            assert_eq!(
                Backoff::new(initial, max, multiplier, jitter).err(),
                expect,
                "{initial:?} {max:?} {multiplier} {jitter}"
            );
        };
        check(SECOND, SECOND, 1.0, 0.0, None);
        check(SECOND, SECOND, 1.0, 1.0, None);
        check(Duration::ZERO, SECOND, 2.0, 0.2, Some(Invalid::Initial));
        check(SECOND * 2, SECOND, 2.0, 0.2, Some(Invalid::Max));
        check(SECOND, SECOND, 0.9, 0.2, Some(Invalid::Multiplier));
        check(SECOND, SECOND, f64::NAN, 0.2, Some(Invalid::Multiplier));
        check(
            SECOND,
            SECOND,
            f64::INFINITY,
            0.2,
            Some(Invalid::Multiplier),
        );
        check(SECOND, SECOND, 2.0, -0.1, Some(Invalid::Jitter));
        check(SECOND, SECOND, 2.0, 1.1, Some(Invalid::Jitter));
        check(SECOND, SECOND, 2.0, f64::NAN, Some(Invalid::Jitter));
    }

    #[test]
    fn the_default_is_a_valid_backoff() {
        let made = Backoff::new(Duration::from_millis(100), SECOND * 5, 2.0, 0.2);
        assert_eq!(made, Ok(Backoff::default()));
    }
}
