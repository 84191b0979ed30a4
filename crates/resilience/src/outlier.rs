//! Outlier detection: endpoints that fail where the others do not are left alone for a while.

mod judge;

use std::collections::BTreeMap;
use std::time::Duration;

use rand::{Rng, RngExt};

use crate::Tick;
use crate::ledger::Tally;

use judge::Suspect;

/// How a [`Detector`] judges, with the names and defaults of [gRFC A50]. Percentages above 100 act as 100.
///
/// [gRFC A50]: https://github.com/grpc/proposal/blob/master/A50-xds-outlier-detection.md#lb-policy-config
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// The time between sweeps, for whoever calls [`Detector::sweep`]. Default 10 s.
    pub interval: Duration,
    /// How long a first ejection lasts; the `n`-th in short order lasts `n` times as long. Default 30 s.
    pub base_ejection_time: Duration,
    /// The longest ejection, unless `base_ejection_time` is longer. Default 300 s.
    pub max_ejection_time: Duration,
    /// How many endpoints may be ejected at a time, in percent; one may be in any case. Default 10.
    pub max_ejection_percent: u32,
    /// Ejects who succeeds much less often than the others. `None`: nobody.
    pub success_rate: Option<SuccessRate>,
    /// Ejects who fails more often than a fixed share. `None`: nobody.
    pub failure_percentage: Option<FailurePercentage>,
}

/// Ejects endpoints whose success rate lies far below the mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuccessRate {
    /// How many thousandths of the standard deviation below the mean is too far. Default 1900: 1.9 deviations.
    pub stdev_factor: u32,
    /// How many endpoints with enough requests it takes to judge. Default 5.
    pub minimum_hosts: u32,
    /// How many requests since the last sweep are enough. Default 100.
    pub request_volume: u32,
    /// The chance that an outlier is really ejected, in percent: 0 only counts. Default 100.
    pub enforcement: u32,
}

/// Ejects endpoints that fail more often than a fixed share, whatever the others do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailurePercentage {
    /// More than this share of failures is too much, in percent. Default 85.
    pub threshold: u32,
    /// How many endpoints there must be. Default 5.
    pub minimum_hosts: u32,
    /// How many requests since the last sweep it takes to judge an endpoint. Default 50.
    pub request_volume: u32,
    /// The chance that an outlier is really ejected, in percent: 0 only counts. Default 100.
    pub enforcement: u32,
}

/// Outlier detection (gRFC A50) for the endpoints of a target. `K` names an endpoint.
///
/// Not for the hot path: one task owns it and sweeps every [`interval`](Config::interval). It only says who is to be left out; the
/// connection is kept.
///
/// Where A50 leaves a choice: the worst endpoints are ejected first, equals in the order of their keys, so the outcome does not depend on
/// the order of the resolver. And A50 stops once *more* than `max_ejection_percent` are ejected, which goes one endpoint too far;
/// here the share is never exceeded, but for the one that may always be ejected.
#[derive(Debug)]
pub struct Detector<K> {
    config: Config,
    hosts: BTreeMap<K, Host>,
}

/// What a sweep has changed. Keys are in ascending order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep<K> {
    /// To be left out from now on.
    pub ejected: Vec<K>,
    /// To be used again.
    pub restored: Vec<K>,
    /// How often an endpoint was found to be an outlier and stayed: the share of ejections was used up, or `enforcement` spared it. The
    /// metric `grpc.lb.outlier_detection.ejections_unenforced` (gRFC A91).
    pub unenforced: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Host {
    ejected_at: Option<Tick>,
    multiplier: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(10),
            base_ejection_time: Duration::from_secs(30),
            max_ejection_time: Duration::from_secs(300),
            max_ejection_percent: 10,
            success_rate: Some(SuccessRate::default()),
            failure_percentage: Some(FailurePercentage::default()),
        }
    }
}

impl Default for SuccessRate {
    fn default() -> Self {
        Self {
            stdev_factor: 1_900,
            minimum_hosts: 5,
            request_volume: 100,
            enforcement: 100,
        }
    }
}

impl Default for FailurePercentage {
    fn default() -> Self {
        Self {
            threshold: 85,
            minimum_hosts: 5,
            request_volume: 50,
            enforcement: 100,
        }
    }
}

impl<K: Ord + Clone> Detector<K> {
    /// One that knows no endpoint.
    pub const fn new(config: Config) -> Self {
        Self {
            config,
            hosts: BTreeMap::new(),
        }
    }

    /// Judges what each endpoint did since the last sweep. `tallies` names all endpoints that there are, those without requests
    /// included: an endpoint that is missing is forgotten, ejected or not. A key that comes twice is one endpoint with both tallies.
    pub fn sweep(
        &mut self,
        tallies: &[(K, Tally)],
        now: Tick,
        rng: &mut (impl Rng + ?Sized),
    ) -> Sweep<K> {
        let tallies = merge(tallies);
        self.hosts.retain(|key, _| tallies.contains_key(key));
        for key in tallies.keys() {
            self.hosts.entry(key.clone()).or_default();
        }

        let mut sweep = Sweep {
            ejected: Vec::new(),
            restored: Vec::new(),
            unenforced: 0,
        };
        if let Some(rule) = self.config.success_rate {
            let suspects = rule.suspects(&tallies);
            self.eject(suspects, rule.enforcement, now, rng, &mut sweep);
        }
        if let Some(rule) = self.config.failure_percentage {
            let suspects = rule.suspects(&tallies);
            self.eject(suspects, rule.enforcement, now, rng, &mut sweep);
        }
        sweep.ejected.sort();
        sweep.restored = self.restore(now);
        sweep
    }

    /// Whether this endpoint is to be left out.
    pub fn is_ejected(&self, key: &K) -> bool {
        self.hosts
            .get(key)
            .is_some_and(|host| host.ejected_at.is_some())
    }

    fn eject(
        &mut self,
        mut suspects: Vec<Suspect<K>>,
        enforcement: u32,
        now: Tick,
        rng: &mut (impl Rng + ?Sized),
        sweep: &mut Sweep<K>,
    ) {
        suspects.sort_by(Suspect::worst_first);
        for suspect in suspects {
            let full = !self.has_room();
            let Some(host) = self.hosts.get_mut(&suspect.key) else {
                continue;
            };
            // Answers to requests from before the ejection may still come in.
            if host.ejected_at.is_some() {
                continue;
            }
            if full || rng.random_range(0..100) >= enforcement {
                sweep.unenforced = sweep.unenforced.saturating_add(1);
                continue;
            }
            host.ejected_at = Some(now);
            host.multiplier = host.multiplier.saturating_add(1);
            sweep.ejected.push(suspect.key);
        }
    }

    /// Whether one more may be ejected.
    fn has_room(&self) -> bool {
        let ejected = self.hosts.values().filter(|host| host.ejected_at.is_some());
        let ejected = ejected.count() as u128;
        let percent = u128::from(self.config.max_ejection_percent);
        ejected == 0 || (ejected + 1) * 100 <= self.hosts.len() as u128 * percent
    }

    /// Step 5 of A50: who is not ejected is forgiven step by step, and who has been out for long enough comes back.
    fn restore(&mut self, now: Tick) -> Vec<K> {
        let longest = self
            .config
            .max_ejection_time
            .max(self.config.base_ejection_time);
        let mut restored = Vec::new();
        for (key, host) in &mut self.hosts {
            let Some(since) = host.ejected_at else {
                host.multiplier = host.multiplier.saturating_sub(1);
                continue;
            };
            let sentence = self
                .config
                .base_ejection_time
                .saturating_mul(host.multiplier);
            if now.since(since) >= sentence.min(longest) && since != now {
                host.ejected_at = None;
                restored.push(key.clone());
            }
        }
        restored
    }
}

fn merge<K: Ord + Clone>(tallies: &[(K, Tally)]) -> BTreeMap<K, Tally> {
    let mut merged: BTreeMap<K, Tally> = BTreeMap::new();
    for (key, tally) in tallies {
        let sum = merged.entry(key.clone()).or_default();
        sum.successes = sum.successes.saturating_add(tally.successes);
        sum.failures = sum.failures.saturating_add(tally.failures);
    }
    merged
}

#[cfg(all(test, not(loom)))]
mod tests;
