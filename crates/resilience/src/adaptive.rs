//! Client-side throttling: a client turns away what the service would refuse.

use std::time::Duration;

use rand::{Rng, RngExt};

use crate::Tick;
use crate::window::Window;

const SLOTS: usize = if cfg!(loom) { 2 } else { 12 };

/// How an [`AdaptiveThrottle`] works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Config {
    /// Over how long requests are counted, 1 s to 10 min. Default 2 min.
    pub window: Duration,
    /// How many requests are let through for each that the service takes, at least 1. Default 2: the service hears of twice what it
    /// takes, so it is noticed quickly when it can take more. Lower is gentler on the service and slower.
    pub k: f64,
}

/// Adaptive throttling ([Google SRE book, "Handling Overload"]): while a service refuses more than it takes, its clients turn requests
/// away themselves, because refusing costs the service something, too. One for each target.
///
/// A request is turned away with probability `max(0, (requests - k * accepts) / (requests + 1))`, both counted over the window.
/// `requests` are those of which it is known how they ended: taken by the service, refused by it, or turned away here. The book counts a
/// request when it begins; then a burst towards a healthy service that has not been called yet, all of it still on its way,
/// would look like a burst of refusals and be turned away.
///
/// Lock-free: a decision reads the counts, and nothing more while there are few refusals.
///
/// [Google SRE book, "Handling Overload"]: https://sre.google/sre-book/handling-overload/#client-side-throttling
#[derive(Debug)]
pub struct AdaptiveThrottle {
    k: f64,
    accepts: Window<SLOTS>,
    /// By the service and by us.
    refusals: Window<SLOTS>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(120),
            k: 2.0,
        }
    }
}

impl AdaptiveThrottle {
    /// One that has seen nothing and lets everything through. A `k` that is below 1 or not a number is 1.
    pub fn new(config: Config) -> Self {
        Self {
            k: config.k.max(1.0),
            accepts: Window::new(config.window),
            refusals: Window::new(config.window),
        }
    }

    /// Whether to send a request; `false` says to end it with UNAVAILABLE or RESOURCE_EXHAUSTED here, and has counted it as turned away.
    #[must_use = "a request that was not admitted must not be sent"]
    pub fn admit(&self, now: Tick, rng: &mut (impl Rng + ?Sized)) -> bool {
        let share = self.rejected_share(now);
        let admitted = share <= 0.0 || rng.random::<f64>() >= share;
        if !admitted {
            self.refusals.add(now);
        }
        admitted
    }

    /// Counts a request that the service took: it ended with anything but [`Overloaded`](crate::outcome::Outcome::Overloaded).
    pub fn accepted(&self, now: Tick) {
        self.accepts.add(now);
    }

    /// Counts a request that the service refused: it ended with [`Overloaded`](crate::outcome::Outcome::Overloaded). Without this
    /// call nothing is ever turned away.
    pub fn refused(&self, now: Tick) {
        self.refusals.add(now);
    }

    /// The share of requests that is turned away now: 0 to 1.
    pub fn rejected_share(&self, now: Tick) -> f64 {
        let refusals = self.refusals.sum(self.refusals.epochs().of(now));
        if refusals == 0 {
            return 0.0;
        }
        let accepts = real(self.accepts.sum(self.accepts.epochs().of(now)));
        let requests = accepts + real(refusals);
        ((requests - self.k * accepts) / (requests + 1.0)).max(0.0)
    }
}

/// Counts above 4 billion, which no window sees, are taken for that.
fn real(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(all(test, not(loom)))]
mod tests {
    #![allow(clippy::float_cmp, reason = "the numbers are exact in binary")]

    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    const NOW: Tick = Tick::ZERO;

    fn throttle(accepts: u32, refusals: u32) -> AdaptiveThrottle {
        let throttle = AdaptiveThrottle::new(Config::default());
        (0..accepts).for_each(|_| throttle.accepted(NOW));
        (0..refusals).for_each(|_| throttle.refused(NOW));
        throttle
    }

    #[test]
    fn turns_away_by_the_formula() {
        let check = |accepts, refusals, expect| {
            let share = throttle(accepts, refusals).rejected_share(NOW);
            assert_eq!(share, expect, "{accepts} accepts, {refusals} refusals");
        };
        check(0, 0, 0.0);
        check(100, 0, 0.0);
        check(100, 100, 0.0);
        check(0, 1, 0.5);
        check(0, 3, 0.75);
        check(1, 2, 0.25);
        check(7, 24, 0.53125);
    }

    #[test]
    fn a_burst_on_its_way_is_let_through() {
        let throttle = throttle(0, 0);
        let mut rng = StdRng::seed_from_u64(1);
        assert!((0..1_000).all(|_| throttle.admit(NOW, &mut rng)));
        assert_eq!(throttle.rejected_share(NOW), 0.0);
    }

    #[test]
    fn what_is_turned_away_counts_and_the_service_hears_of_k_times_what_it_takes() {
        let throttle = throttle(0, 0);
        let mut rng = StdRng::seed_from_u64(2);
        let (mut sent, mut taken) = (0_u32, 0_u32);
        for request in 0..20_000 {
            if throttle.admit(NOW, &mut rng) {
                sent += 1;
                // It takes a tenth of what is offered to it and to us.
                if taken * 10 <= request {
                    taken += 1;
                    throttle.accepted(NOW);
                } else {
                    throttle.refused(NOW);
                }
            }
        }
        let heard = f64::from(sent) / f64::from(taken);
        assert!((1.9..2.1).contains(&heard), "{heard}");
    }

    #[test]
    fn forgets_after_the_window() {
        let throttle = throttle(0, 31);
        let after = |seconds| throttle.rejected_share(NOW.after(Duration::from_secs(seconds)));
        assert!(after(119) > 0.9);
        assert_eq!(after(120), 0.0);
    }

    #[test]
    fn a_k_out_of_range_is_one() {
        for k in [f64::NAN, 0.0, -1.0] {
            let throttle = AdaptiveThrottle::new(Config {
                k,
                ..Config::default()
            });
            throttle.accepted(NOW);
            throttle.refused(NOW);
            throttle.refused(NOW);
            assert_eq!(throttle.rejected_share(NOW), 0.5, "{k}");
        }
    }
}
