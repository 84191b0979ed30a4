//! Callers: as many as a service has, who do not know of each other.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::contract::bare::work_service_client::WorkServiceClient;
use crate::contract::v1::{
    DoCriticalPlusRequest, DoCriticalRequest, DoSheddablePlusRequest, DoSheddableRequest,
};
use crate::identity::Identity;
use crate::stack::{Headers, headers, transport};

/// Connections. A server allows 100 or 200 calls on one, and what is above that waits at the caller: with one connection no server
/// would ever see an overload.
const CONNECTIONS: usize = 32;
/// Of a hundred calls, by class from the most important on.
const MIX: [usize; 4] = [10, 40, 25, 25];
/// As the contract names them.
pub(super) const CLASSES: [&str; 4] = ["CRITICAL_PLUS", "CRITICAL", "SHEDDABLE_PLUS", "SHEDDABLE"];

/// A caller with a connection of its own: tonic's client, the same for every server, so that only the servers differ.
pub(super) type Caller = WorkServiceClient<InterceptedService<Channel, Headers>>;

/// What to do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Flood {
    /// So many calls in flight; the next one when one has ended.
    Closed { in_flight: usize, time: Duration },
    /// So many calls a second, whatever became of those before.
    Open {
        per_second: f64,
        time: Duration,
        timeout: Duration,
    },
}

/// What came of it, by class from the most important on.
pub(super) struct Seen {
    pub(super) offered: [u64; 4],
    pub(super) good: [u64; 4],
    pub(super) refused: u64,
    pub(super) late: u64,
    pub(super) other: u64,
    pub(super) first_failure: Option<String>,
    /// How long the good ones took, in microseconds.
    pub(super) latency: Histogram<u64>,
    time: Duration,
}

impl Seen {
    #[allow(clippy::cast_precision_loss, reason = "counts of seconds")]
    pub(super) fn good(&self) -> f64 {
        self.good.iter().sum::<u64>() as f64
    }

    /// Calls that ended well within their deadline, a second.
    pub(super) fn good_per_second(&self) -> f64 {
        self.good() / self.time.as_secs_f64()
    }
}

/// Those of a server at `target`, which finds tokens where ours does or, as others, in `authorization`.
pub(super) fn callers(target: &str, identity: &Identity, ours: bool) -> Result<Arc<[Caller]>> {
    (0..CONNECTIONS)
        .map(|_| {
            let headers = headers(identity)?;
            let headers = if ours {
                headers
            } else {
                headers.with_authorization()
            };
            let service = InterceptedService::new(transport(target)?, headers);
            Ok(WorkServiceClient::new(service))
        })
        .collect()
}

/// How one call went.
struct Gone {
    class: usize,
    took: Duration,
    result: Result<(), Status>,
}

pub(super) async fn run(callers: Arc<[Caller]>, flood: Flood) -> Result<Seen> {
    let start = Instant::now();
    let (gone, time) = match flood {
        Flood::Closed { in_flight, time } => {
            (closed(&callers, in_flight, start + time).await, time)
        }
        Flood::Open {
            per_second,
            time,
            timeout,
        } => (
            open(&callers, per_second, start + time, timeout).await,
            time,
        ),
    };
    let mut seen = Seen {
        offered: [0; 4],
        good: [0; 4],
        refused: 0,
        late: 0,
        other: 0,
        first_failure: None,
        latency: Histogram::new(3)?,
        time,
    };
    for Gone {
        class,
        took,
        result,
    } in gone
    {
        seen.offered[class] += 1;
        match result {
            Ok(()) => {
                seen.good[class] += 1;
                seen.latency.record(u64::try_from(took.as_micros())?)?;
            }
            Err(status) => {
                let code = status.code();
                // tonic's client ends a call at its deadline with CANCELLED.
                if matches!(code, Code::DeadlineExceeded | Code::Cancelled) {
                    seen.late += 1;
                } else if code == Code::ResourceExhausted {
                    seen.refused += 1;
                } else {
                    seen.other += 1;
                }
                seen.first_failure
                    .get_or_insert_with(|| format!("{:?}: {}", status.code(), status.message()));
            }
        }
    }
    Ok(seen)
}

/// The class of the call of this number: the mix in each hundred, well shuffled.
fn class(number: usize) -> usize {
    // 37 and 100 have no divisor in common, so each hundred has each place once.
    let place = number * 37 % 100;
    let mut end = 0;
    MIX.iter()
        .position(|share| {
            end += share;
            place < end
        })
        .unwrap_or(MIX.len() - 1)
}

async fn call(mut caller: Caller, number: usize, timeout: Duration) -> Gone {
    fn request<T>(message: T, timeout: Duration) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(timeout);
        request
    }
    let class = class(number);
    let start = Instant::now();
    let result = match class {
        0 => caller
            .do_critical_plus(request(DoCriticalPlusRequest {}, timeout))
            .await
            .map(drop),
        1 => caller
            .do_critical(request(DoCriticalRequest {}, timeout))
            .await
            .map(drop),
        2 => caller
            .do_sheddable_plus(request(DoSheddablePlusRequest {}, timeout))
            .await
            .map(drop),
        _ => caller
            .do_sheddable(request(DoSheddableRequest {}, timeout))
            .await
            .map(drop),
    };
    Gone {
        class,
        took: start.elapsed(),
        result,
    }
}

async fn closed(callers: &[Caller], in_flight: usize, end: Instant) -> Vec<Gone> {
    let mut loops = JoinSet::new();
    for (index, caller) in callers.iter().take(in_flight).enumerate() {
        let caller = caller.clone();
        loops.spawn(async move {
            let mut gone = Vec::new();
            let mut number = index;
            while Instant::now() < end {
                gone.push(call(caller.clone(), number, Duration::from_secs(10)).await);
                number += 1;
            }
            gone
        });
    }
    loops.join_all().await.into_iter().flatten().collect()
}

async fn open(callers: &[Caller], per_second: f64, end: Instant, timeout: Duration) -> Vec<Gone> {
    let mut calls = JoinSet::new();
    let start = Instant::now();
    let mut number = 0;
    loop {
        let now = Instant::now();
        if now >= end {
            break;
        }
        // All that are due; a caller who is late is not excused.
        let due = (now - start).as_secs_f64() * per_second;
        while f64::from(number) < due {
            let index = usize::try_from(number).unwrap_or_default();
            let caller = callers[index % callers.len()].clone();
            calls.spawn(call(caller, index, timeout));
            number += 1;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    calls.join_all().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hundred_has_the_mix() {
        for hundred in [0, 700] {
            let mut counts = [0; 4];
            (hundred..hundred + 100).for_each(|number| counts[class(number)] += 1);
            assert_eq!(counts, MIX);
        }
        assert_ne!(class(0), class(1));
    }
}
