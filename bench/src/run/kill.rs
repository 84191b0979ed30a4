//! What callers see when one of three servers goes away.

use std::time::Duration;

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use serde::Serialize;

use super::network::Network;
use crate::fleet::{Fleet, Server, Where};
use crate::order::{Order, Pace, Paced, Used};
use crate::stack::Stack;

const SERVERS: usize = 3;
/// Enough to see a gap of 2 ms, and far from what a core can do: nothing is slow by itself.
const PER_SECOND: u32 = 500;
/// What a call is given. Idempotent by contract, so it may be sent again within that.
const TIMEOUT_MILLIS: u64 = 10_000;
/// A hundred times what a call takes.
const SLOW_MILLIS: u64 = 100;
/// How long all is well.
const BEFORE: Duration = Duration::from_millis(1_500);
/// The driver's clock starts when it has a connection, at most so much later than ours.
const START_UP: Duration = Duration::from_millis(500);

/// What happens to one of the servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fault {
    /// SIGKILL: the kernel closes its connections.
    Killed,
    /// SIGSTOP: the kernel takes what comes, nobody reads it.
    Frozen,
    /// Its packets vanish.
    BlackHole,
}

/// How one run went.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    pub(super) stack: &'static str,
    pub(super) fault: Fault,
    #[serde(flatten)]
    pub(super) paced: Paced,
    /// From the start of the first call that failed or took long to the start of the last one: after that, no call went
    /// where it could not be answered. In milliseconds.
    pub(super) still_sent_ms: f64,
    /// From the start of the first such call to the end of the last one to end, in milliseconds.
    pub(super) until_well_ms: f64,
}

impl Outcome {
    /// After so many milliseconds no call went there any more, and no call was held up for longer.
    pub(super) fn gap_ms(&self) -> f64 {
        self.still_sent_ms.max(self.paced.longest_ms)
    }
}

/// Calls three servers through one channel, lets `fault` happen to one of them, and goes on for `after`.
///
/// # Errors
/// The faulty server was not called at all before, so nothing would be shown.
pub(super) fn run(
    fleet: &Fleet,
    stack: Stack,
    fault: Fault,
    after: Duration,
    network: Option<&Network>,
) -> Result<Outcome> {
    let listen = network.map(Network::listen);
    let place = Where {
        namespace: network.map(Network::name),
        listen: listen.as_deref(),
        ..Where::default()
    };
    let mut victim = fleet.server_at(Stack::Ours, place)?;
    let others = (1..SERVERS)
        .map(|_| fleet.server(Stack::Ours))
        .collect::<Result<Vec<Server>>>()?;
    let addresses: Vec<&str> = std::iter::once(&victim)
        .chain(&others)
        .map(|server| server.address.as_str())
        .collect();
    let target = format!("static:///{}", addresses.join(","));
    let mut driver = fleet.driver(stack, &target, &[])?;
    driver.tell(&Order::Pace(Pace {
        per_second: PER_SECOND,
        millis: u64::try_from((BEFORE + after).as_millis())?,
        timeout_millis: TIMEOUT_MILLIS,
        slow_millis: SLOW_MILLIS,
        watched_from_millis: u64::try_from(BEFORE.saturating_sub(START_UP).as_millis())?,
    }))?;
    std::thread::sleep(BEFORE);
    let Used { calls, .. } = victim.peer.ask(&Order::Usage)?;
    ensure!(calls > 0, "the server that shall go away is not called");
    match (fault, network) {
        (Fault::Killed, _) => victim.peer.signal(Signal::SIGKILL)?,
        (Fault::Frozen, _) => victim.peer.signal(Signal::SIGSTOP)?,
        (Fault::BlackHole, Some(network)) => network.cut()?,
        (Fault::BlackHole, None) => anyhow::bail!("a black hole needs a network"),
    }
    let paced: Paced = driver.hear()?;
    let (still_sent_ms, until_well_ms) = span(&paced.suffering);
    Ok(Outcome {
        stack: match stack {
            Stack::Ours => "ours",
            Stack::Bare | Stack::BareWithHeaders => "bare tonic",
        },
        fault,
        paced,
        still_sent_ms,
        until_well_ms,
    })
}

/// From the first start to the last one, and to the last end; the calls are in the order of their starts.
fn span(calls: &[(f64, f64)]) -> (f64, f64) {
    let (Some((first, _)), Some((last, _))) = (calls.first(), calls.last()) else {
        return (0.0, 0.0);
    };
    let end = calls.iter().map(|(_, end)| *end).fold(*last, f64::max);
    (last - first, end - first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_from_the_first_start() {
        assert_eq!(span(&[]), (0.0, 0.0));
        assert_eq!(span(&[(10.0, 500.0)]), (0.0, 490.0));
        assert_eq!(span(&[(10.0, 900.0), (30.0, 400.0)]), (20.0, 890.0));
    }
}
