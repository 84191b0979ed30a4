//! How many connections there may be, and for how long.

use std::time::Duration;

const CONNECTIONS: usize = 4_000;
const CONNECTIONS_PER_PEER: usize = 100;
const MAX_AGE: Duration = Duration::from_secs(30 * 60);
const MAX_IDLE: Duration = Duration::from_secs(10 * 60);
/// The longest timeout of a contract without methods, as it were.
const LEAST_GRACE: Duration = Duration::from_secs(10);
/// Ages differ by as much from what is configured, up and down: in percent (gRFC A9).
const JITTER: u64 = 10;

/// What one server allows its peers. What holds within a connection is fixed; `docs/adr/0020-limits-of-a-connection.md` has it all.
#[derive(Debug, Clone)]
pub struct Limits {
    pub(crate) connections: usize,
    pub(crate) connections_per_peer: usize,
    pub(crate) max_age: Option<Duration>,
    pub(crate) age_grace: Option<Duration>,
    pub(crate) max_idle: Option<Duration>,
    pub(crate) seed: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS,
            connections_per_peer: CONNECTIONS_PER_PEER,
            max_age: Some(MAX_AGE),
            age_grace: None,
            max_idle: Some(MAX_IDLE),
            seed: None,
        }
    }
}

impl Limits {
    /// How many connections may be open at a time. Those above are closed as soon as they are accepted. Default 4,000.
    #[must_use]
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// How many of them may come from one address: an IPv4 address, or the 64 bits of an IPv6 address that name a network.
    /// Default 100. A transport without addresses has no such limit.
    #[must_use]
    pub fn connections_per_peer(mut self, connections: usize) -> Self {
        self.connections_per_peer = connections;
        self
    }

    /// How old a connection may become. Each is given up to 10 % more or less, so that those that began together do not end
    /// together. Then its peer is told to go elsewhere (GOAWAY), and the calls in flight are finished (gRFC A9). `None`: any age.
    /// Default 30 min.
    #[must_use]
    pub fn max_age(mut self, age: Option<Duration>) -> Self {
        self.max_age = age;
        self
    }

    /// How long calls in flight may take after a connection has come to its age or fell idle; then they are cut off. Default: the
    /// longest timeout in the contracts that are served, and 10 s at least, so that only calls without a deadline are cut off,
    /// such as a watch of health.
    #[must_use]
    pub fn age_grace(mut self, grace: Duration) -> Self {
        self.age_grace = Some(grace);
        self
    }

    /// How long a connection may be without a call until its peer is told to go elsewhere. It is looked at once in this time, so
    /// it may be up to twice as long. `None`: any time. Default 10 min.
    #[must_use]
    pub fn max_idle(mut self, idle: Option<Duration>) -> Self {
        self.max_idle = idle;
        self
    }

    /// Where the random part of ages comes from, for tests and simulations: the same seed gives the same ages. By default each
    /// server has its own.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// How long calls may take after the age of a connection, where the longest timeout of a contract is `longest`.
    pub(crate) fn grace(&self, longest: Duration) -> Duration {
        self.age_grace.unwrap_or(longest.max(LEAST_GRACE))
    }
}

/// `age`, up to 10 % longer or shorter: by `seed` and the number of the connection alone.
pub(crate) fn jittered(age: Duration, seed: u64, number: u64) -> Duration {
    // SplitMix64.
    let mut random = seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    random = (random ^ (random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    random = (random ^ (random >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    random ^= random >> 31;
    // In thousandths of the age.
    let share = 1_000 - 10 * JITTER + random % (20 * JITTER + 1);
    let micros = age.as_micros().saturating_mul(u128::from(share)) / 1_000;
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_spread_over_ten_percent_each_way() {
        let age = Duration::from_secs(1_000);
        let ages: Vec<_> = (0..1_000).map(|number| jittered(age, 7, number)).collect();
        let within = Duration::from_secs(900)..=Duration::from_secs(1_100);
        assert!(ages.iter().all(|age| within.contains(age)));
        let early = ages.iter().filter(|age| age.as_secs() < 950).count();
        let late = ages.iter().filter(|age| age.as_secs() > 1_050).count();
        assert!((200..300).contains(&early), "{early}");
        assert!((200..300).contains(&late), "{late}");
        let again: Vec<_> = (0..1_000).map(|number| jittered(age, 7, number)).collect();
        assert_eq!(ages, again);
        assert_ne!(jittered(age, 8, 0), ages[0]);
    }

    #[test]
    fn calls_with_a_deadline_are_not_cut_off() {
        let second = Duration::from_secs(1);
        assert_eq!(Limits::default().grace(600 * second), 600 * second);
        assert_eq!(Limits::default().grace(second), 10 * second);
        assert_eq!(
            Limits::default().age_grace(second).grace(600 * second),
            second
        );
    }
}
