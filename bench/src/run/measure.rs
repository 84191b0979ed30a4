//! Rounds in turn, and what comes of comparing them.

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::order::{Load, Loaded, Order, Used};
use crate::peer::Shared;

/// A driver, the server that it calls, and what it does.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) server: Shared,
    pub(super) driver: Shared,
    pub(super) load: Load,
}

/// One round of a case, for each message: a unary call is one message.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Sample {
    /// CPU time of the client, in nanoseconds.
    pub(super) client_ns: f64,
    /// CPU time of the server, in nanoseconds.
    pub(super) server_ns: f64,
    /// Messages a second.
    pub(super) rate: f64,
    /// The median time of a call, in microseconds.
    pub(super) p50_us: f64,
    /// The 99th percentile, in microseconds.
    pub(super) p99_us: f64,
}

/// The median of the rounds, and how far they lie apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effort {
    pub(super) rounds: usize,
    pub(super) millis: u64,
    pub(super) warm_up_millis: u64,
}

/// Runs the cases in turn, the first one of a round being another one each time, and returns the samples of each case.
///
/// # Errors
/// A call that failed, or a server that was not called as often as its driver says.
pub(super) fn rounds(cases: &[Case], effort: Effort) -> Result<Vec<Vec<Sample>>> {
    for case in cases {
        one(case, effort.warm_up_millis)?;
    }
    let mut samples = vec![Vec::with_capacity(effort.rounds); cases.len()];
    for round in 0..effort.rounds {
        for turn in 0..cases.len() {
            let index = (round + turn) % cases.len();
            samples[index].push(one(&cases[index], effort.millis)?);
        }
    }
    Ok(samples)
}

fn one(case: &Case, millis: u64) -> Result<Sample> {
    let before: Used = case.server.borrow_mut().ask(&Order::Usage)?;
    let load = Load {
        millis,
        ..case.load
    };
    let loaded: Loaded = case.driver.borrow_mut().ask(&Order::Load(load))?;
    let after: Used = case.server.borrow_mut().ask(&Order::Usage)?;
    let name = &case.name;
    ensure!(
        loaded.failed == 0,
        "{name}: {} of {} calls failed: {}",
        loaded.failed,
        loaded.calls,
        loaded
            .first_failure
            .as_deref()
            .unwrap_or("nothing was said")
    );
    let served = after.calls - before.calls;
    ensure!(
        served == loaded.calls,
        "{name}: {} calls were made and {served} were served",
        loaded.calls
    );
    Ok(sample(&loaded, after.cpu_ns - before.cpu_ns, load.messages))
}

#[allow(
    clippy::cast_precision_loss,
    reason = "counts and times of a second are far below what a double holds exactly"
)]
fn sample(loaded: &Loaded, server_cpu_ns: u64, messages: u32) -> Sample {
    let count = loaded.calls as f64 * f64::from(messages);
    Sample {
        client_ns: loaded.cpu_ns as f64 / count,
        server_ns: server_cpu_ns as f64 / count,
        rate: count / (loaded.elapsed_ns as f64 / 1e9),
        p50_us: loaded.p50_ns as f64 / 1e3,
        p99_us: loaded.p99_ns as f64 / 1e3,
    }
}

impl Sample {
    /// Client and server together, in nanoseconds of CPU time.
    pub(super) fn both_ns(&self) -> f64 {
        self.client_ns + self.server_ns
    }
}

impl Spread {
    /// Of these values.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            at(middle)
        } else {
            f64::midpoint(at(middle.wrapping_sub(1)), at(middle))
        };
        Self {
            median,
            min: at(0),
            max: at(values.len().wrapping_sub(1)),
        }
    }

    /// Of what `metric` reads from each sample.
    pub(super) fn in_all(samples: &[Sample], metric: fn(&Sample) -> f64) -> Self {
        Self::of(samples.iter().map(metric))
    }

    /// Of `one` against `other`, round by round: what disturbs the machine for longer than a round disturbs both.
    pub(super) fn ratio(one: &[Sample], other: &[Sample], metric: fn(&Sample) -> f64) -> Self {
        Self::of(
            one.iter()
                .zip(other)
                .map(|(one, other)| metric(one) / metric(other)),
        )
    }

    /// Of what `one` takes more than `other`, round by round.
    pub(super) fn excess(one: &[Sample], other: &[Sample], metric: fn(&Sample) -> f64) -> Self {
        Self::of(
            one.iter()
                .zip(other)
                .map(|(one, other)| metric(one) - metric(other)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[f64], median: f64, min: f64, max: f64) {
        let spread = Spread::of(values.iter().copied());
        assert_eq!(spread, Spread { median, min, max });
    }

    #[test]
    fn the_median_is_the_middle() {
        check(&[3.0], 3.0, 3.0, 3.0);
        check(&[9.0, 1.0, 2.0], 2.0, 1.0, 9.0);
        check(&[4.0, 1.0, 2.0, 9.0], 3.0, 1.0, 9.0);
    }

    #[test]
    fn a_sample_counts_messages() {
        let loaded = Loaded {
            calls: 10,
            failed: 0,
            first_failure: None,
            cpu_ns: 4_000,
            elapsed_ns: 1_000_000_000,
            p50_ns: 5_000,
            p99_ns: 9_000,
        };
        let sample = sample(&loaded, 8_000, 4);
        let near = |one: f64, other: f64| (one - other).abs() < 1e-9;
        assert!(near(sample.client_ns, 100.0) && near(sample.server_ns, 200.0));
        assert!(near(sample.rate, 40.0) && near(sample.p99_us, 9.0));
    }

    #[test]
    fn ratios_are_those_of_one_round() {
        let sample = |client_ns: f64| Sample {
            client_ns,
            server_ns: 0.0,
            rate: 0.0,
            p50_us: 0.0,
            p99_us: 0.0,
        };
        let one = [sample(1.0), sample(20.0), sample(3.0)];
        let other = [sample(2.0), sample(40.0), sample(3.0)];
        let ratio = Spread::ratio(&one, &other, |sample| sample.client_ns);
        assert_eq!(
            (ratio.median.to_string(), ratio.max.to_string()),
            ("0.5".into(), "1".into())
        );
    }
}
