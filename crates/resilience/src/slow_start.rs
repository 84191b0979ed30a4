//! How much a new endpoint is trusted with.

use std::time::Duration;

/// Slow start, after [Envoy]: an endpoint that has just joined gets a growing share of the traffic, so that cold caches, pools and
/// compilers are not met by all of it at once.
///
/// [Envoy]: https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/slow_start
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlowStart {
    /// How long it takes. Default 10 s; zero turns it off.
    pub window: Duration,
    /// How fast the share grows: 1 is linear, more grows faster at first, less more slowly. Above zero; what is not is taken for 1.
    /// Default 1.
    pub aggression: f64,
    /// The share at the beginning, 0 to 1. Default 0.1.
    pub min_weight: f64,
}

impl Default for SlowStart {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(10),
            aggression: 1.0,
            min_weight: 0.1,
        }
    }
}

impl SlowStart {
    /// The share of an endpoint that joined so long ago: `max(min_weight, (age / window)^(1 / aggression))`, and 1 when the window
    /// is over.
    pub fn weight(&self, age: Duration) -> f64 {
        if age >= self.window {
            return 1.0;
        }
        let passed = age.as_secs_f64() / self.window.as_secs_f64();
        let linear = self.aggression.is_nan() || self.aggression <= 0.0;
        let grown = if linear {
            passed
        } else {
            passed.powf(self.aggression.recip())
        };
        grown.max(self.min_weight).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_the_full_share() {
        let check = |aggression, millis, expect: f64| {
            let slow = SlowStart {
                aggression,
                ..SlowStart::default()
            };
            let weight = slow.weight(Duration::from_millis(millis));
            assert!(
                (weight - expect).abs() < 1e-9,
                "{aggression}, {millis} ms: {weight}"
            );
        };
        check(1.0, 0, 0.1);
        check(1.0, 500, 0.1);
        check(1.0, 2_500, 0.25);
        check(1.0, 9_999, 0.9999);
        check(1.0, 10_000, 1.0);
        check(1.0, 1_000_000, 1.0);
        check(2.0, 2_500, 0.5);
        check(0.5, 5_000, 0.25);
        check(0.0, 5_000, 0.5);
        check(f64::NAN, 5_000, 0.5);
    }

    #[test]
    fn without_a_window_there_is_no_slow_start() {
        let slow = SlowStart {
            window: Duration::ZERO,
            ..SlowStart::default()
        };
        assert!((slow.weight(Duration::ZERO) - 1.0).abs() < f64::EPSILON);
    }
}
