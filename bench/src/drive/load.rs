//! A closed loop: so many calls in flight.

use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tonic::Status;

use super::calls::Calls;
use crate::order::{Load, Loaded};
use crate::usage;

/// Significant digits of a latency.
const DIGITS: u8 = 3;

/// What one of the loops saw.
#[derive(Default)]
struct Seen {
    /// In nanoseconds. Counted up only when everything is done, so that counting is not measured.
    latencies: Vec<u64>,
    failed: u64,
    first_failure: Option<String>,
}

/// Keeps `load.in_flight` calls in flight for `load.millis`, and waits for the last of them.
pub(super) async fn run<C: Calls>(client: &C, load: Load) -> Result<Loaded> {
    let payload = Bytes::from(vec![7; load.payload]);
    let cpu = usage::cpu_ns()?;
    let start = Instant::now();
    let end = start + Duration::from_millis(load.millis);
    let mut loops = JoinSet::new();
    for _ in 0..load.in_flight {
        loops.spawn(repeat(client.clone(), load, payload.clone(), end));
    }
    let seen = loops.join_all().await;
    let elapsed = start.elapsed();
    let cpu_ns = usage::cpu_ns()? - cpu;

    let mut histogram = Histogram::<u64>::new(DIGITS)?;
    for latency in seen.iter().flat_map(|seen| &seen.latencies) {
        histogram.record(*latency)?;
    }
    Ok(Loaded {
        calls: histogram.len(),
        failed: seen.iter().map(|seen| seen.failed).sum(),
        first_failure: seen.into_iter().find_map(|seen| seen.first_failure),
        cpu_ns,
        elapsed_ns: u64::try_from(elapsed.as_nanos()).context("a round took centuries")?,
        p50_ns: histogram.value_at_quantile(0.5),
        p99_ns: histogram.value_at_quantile(0.99),
    })
}

async fn repeat<C: Calls>(mut client: C, load: Load, payload: Bytes, end: Instant) -> Seen {
    let mut seen = Seen::default();
    let mut start = Instant::now();
    while start < end {
        let result = client.call(load.call, &payload, load.messages).await;
        let now = Instant::now();
        let took = now.duration_since(start).as_nanos();
        seen.latencies.push(u64::try_from(took).unwrap_or(u64::MAX));
        if let Err(status) = result {
            seen.failed += 1;
            seen.first_failure.get_or_insert_with(|| told(&status));
            // Failures that cost nothing must not spin.
            tokio::task::yield_now().await;
        }
        start = now;
    }
    seen
}

/// What a failure is reported as.
pub(super) fn told(status: &Status) -> String {
    format!("{:?}: {}", status.code(), status.message())
}
