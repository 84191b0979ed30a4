//! The two algorithms of gRFC A50: who is an outlier.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{FailurePercentage, SuccessRate};
use crate::ledger::Tally;

/// An endpoint that was found to be an outlier.
#[derive(Debug)]
pub(super) struct Suspect<K> {
    pub(super) key: K,
    /// The share of its requests that succeeded, 0 to 1.
    rate: f64,
}

impl<K: Ord> Suspect<K> {
    pub(super) fn worst_first(&self, other: &Self) -> Ordering {
        let by_rate = self.rate.total_cmp(&other.rate);
        by_rate.then_with(|| self.key.cmp(&other.key))
    }
}

impl SuccessRate {
    /// "Success Rate Algorithm".
    pub(super) fn suspects<K: Ord + Clone>(&self, tallies: &BTreeMap<K, Tally>) -> Vec<Suspect<K>> {
        let judged = enough(tallies, self.request_volume);
        if judged.is_empty() || fewer(judged.len(), self.minimum_hosts) {
            return Vec::new();
        }
        let hosts = real(judged.len() as u64);
        let mean = judged.iter().map(|host| host.rate).sum::<f64>() / hosts;
        let squares = judged.iter().map(|host| (host.rate - mean).powi(2));
        let deviation = (squares.sum::<f64>() / hosts).sqrt();
        let least = mean - deviation * f64::from(self.stdev_factor) / 1_000.0;
        judged
            .into_iter()
            .filter(|host| host.rate < least)
            .collect()
    }
}

impl FailurePercentage {
    /// "Failure Percentage Algorithm".
    pub(super) fn suspects<K: Ord + Clone>(&self, tallies: &BTreeMap<K, Tally>) -> Vec<Suspect<K>> {
        if fewer(tallies.len(), self.minimum_hosts) {
            return Vec::new();
        }
        let judged = enough(tallies, self.request_volume).into_iter();
        // In integers, so that exactly the threshold is not above it.
        judged
            .filter(|host| {
                let tally = tallies.get(&host.key).copied().unwrap_or_default();
                u128::from(tally.failures) * 100
                    > u128::from(tally.total()) * u128::from(self.threshold)
            })
            .collect()
    }
}

/// The endpoints with enough requests to judge them; without any there is no rate.
fn enough<K: Clone>(tallies: &BTreeMap<K, Tally>, volume: u32) -> Vec<Suspect<K>> {
    tallies
        .iter()
        .filter(|(_, tally)| tally.total() >= u64::from(volume.max(1)))
        .map(|(key, tally)| Suspect {
            key: key.clone(),
            rate: real(tally.successes) / real(tally.total()),
        })
        .collect()
}

fn fewer(hosts: usize, minimum: u32) -> bool {
    (hosts as u64) < u64::from(minimum)
}

#[allow(
    clippy::cast_precision_loss,
    reason = "a rate needs no more than 53 bits"
)]
fn real(count: u64) -> f64 {
    count as f64
}
