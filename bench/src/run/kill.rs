//! What callers see when one of three servers goes away.

use std::time::Duration;

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use serde::Serialize;

use super::fleet::{Fleet, Server, Where};
use super::network::Network;
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
    /// From the start of the first call that failed or took longer than 100 ms to the end of the last one; where there is
    /// none, the longest call. In milliseconds.
    pub(super) suffering_ms: f64,
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
        log: None,
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
    let suffering_ms = match (paced.suffering_started_ms, paced.suffering_ended_ms) {
        (Some((first, _)), Some(end)) => end - first,
        _ => paced.longest_ms,
    };
    Ok(Outcome {
        stack: match stack {
            Stack::Ours => "ours",
            Stack::Bare | Stack::BareWithHeaders => "bare tonic",
        },
        fault,
        paced,
        suffering_ms,
    })
}
