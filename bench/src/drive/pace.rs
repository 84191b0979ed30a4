//! An open loop: so many calls a second, whatever became of those before. A stalled endpoint does not slow it down, so
//! what is seen is what a service's callers would see.

use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::calls::Calls;
use super::load::told;
use crate::order::{Pace, Paced};

/// How one call went.
struct Gone {
    started: Duration,
    ended: Duration,
    failure: Option<String>,
}

/// Starts calls for `pace.millis`, and waits for the last of them.
pub(super) async fn run<C: Calls>(client: &C, pace: Pace) -> Result<Paced> {
    let timeout = Duration::from_millis(pace.timeout_millis);
    // A first call that waits until there is a connection.
    if let Err(status) = client.clone().within(timeout).await {
        anyhow::bail!("the first call failed: {}", told(&status));
    }
    let start = Instant::now();
    let end = start + Duration::from_millis(pace.millis);
    let mut ticks = interval(Duration::from_secs(1) / pace.per_second.max(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut calls = JoinSet::new();
    while ticks.tick().await < end {
        let mut client = client.clone();
        calls.spawn(async move {
            let started = start.elapsed();
            let result = client.within(timeout).await;
            Gone {
                started,
                ended: start.elapsed(),
                failure: result.err().as_ref().map(told),
            }
        });
    }
    let mut gone = calls.join_all().await;
    gone.sort_by_key(|call| call.started);
    Ok(sum_up(gone, pace))
}

fn sum_up(calls: Vec<Gone>, pace: Pace) -> Paced {
    let slow = Duration::from_millis(pace.slow_millis);
    let watched_from = Duration::from_millis(pace.watched_from_millis);
    let mut paced = Paced::default();
    for call in calls {
        paced.calls += 1;
        let took = call.ended.saturating_sub(call.started);
        let failed = call.failure.is_some();
        let watched = call.ended >= watched_from;
        let is_slow = watched && took >= slow;
        if watched {
            paced.longest_ms = paced.longest_ms.max(millis(took));
        }
        paced.failed += u64::from(failed);
        paced.slow += u64::from(is_slow);
        if failed || is_slow {
            let span = (millis(call.started), millis(call.ended));
            paced.suffering.push(span);
        }
        paced.first_failure = paced.first_failure.or(call.failure);
    }
    paced
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace {
        per_second: 1,
        millis: 1_000,
        timeout_millis: 1_000,
        slow_millis: 100,
        watched_from_millis: 5,
    };

    fn gone(started: u64, took: u64, failure: Option<&str>) -> Gone {
        let started = Duration::from_millis(started);
        Gone {
            started,
            ended: started + Duration::from_millis(took),
            failure: failure.map(str::to_owned),
        }
    }

    #[test]
    fn a_call_suffers_that_fails_or_takes_long() {
        let paced = sum_up(
            vec![
                gone(0, 1, None),
                gone(10, 500, None),
                gone(20, 5, Some("gone")),
                gone(30, 99, None),
            ],
            PACE,
        );
        assert_eq!((paced.calls, paced.failed, paced.slow), (4, 1, 1));
        assert_eq!(paced.first_failure.as_deref(), Some("gone"));
        let near = |one: f64, other: f64| (one - other).abs() < 1e-9;
        assert!(near(paced.longest_ms, 500.0));
        assert_eq!(paced.suffering.len(), 2);
        assert!(near(paced.suffering[0].0, 10.0) && near(paced.suffering[0].1, 510.0));
        assert!(near(paced.suffering[1].0, 20.0) && near(paced.suffering[1].1, 25.0));
    }

    #[test]
    fn nobody_suffers_where_all_is_well() {
        let paced = sum_up(vec![gone(0, 99, None)], PACE);
        assert_eq!((paced.failed, paced.slow), (0, 0));
        assert_eq!(paced.suffering, []);
    }

    #[test]
    fn what_was_slow_before_the_fault_is_not_its_doing() {
        let pace = Pace {
            watched_from_millis: 1_000,
            ..PACE
        };
        let paced = sum_up(vec![gone(0, 999, None), gone(950, 1, None)], pace);
        assert_eq!((paced.slow, paced.suffering), (0, vec![]));
        assert!(paced.longest_ms.abs() < 1e-9);
    }
}
