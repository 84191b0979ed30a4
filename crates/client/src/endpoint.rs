//! One address of a service: its connections, its load, its failures.

mod health;
mod slot;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use scribemed_discovery::Address;
use scribemed_resilience::Tick;
use scribemed_resilience::ewma::PeakEwma;
use scribemed_resilience::ledger::Ledger;
use scribemed_resilience::slow_start::SlowStart;
use tokio::sync::Notify;

pub(crate) use self::slot::{Environment, run};
use crate::connection::{Connection, Room};
use crate::status::EndpointStatus;

/// How a connection of an endpoint is doing, the best last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum State {
    /// Nobody has asked for it.
    Idle,
    /// It could not be made, or was lost, and is made again after a while.
    Failed,
    /// It is being made, or it is there and the health of the service behind it is not known yet.
    Connecting,
    /// It is there, and the service behind it says that it does not serve.
    NotServing,
    /// It is there, and the watch of its health broke off.
    Unknown,
    /// It is there, and the service behind it serves.
    Ready,
}

impl State {
    pub(crate) const ALL: [Self; 6] = [
        Self::Idle,
        Self::Failed,
        Self::Connecting,
        Self::NotServing,
        Self::Unknown,
        Self::Ready,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Failed => "transient_failure",
            Self::Connecting => "connecting",
            Self::NotServing => "not_serving",
            Self::Unknown => "health_unknown",
            Self::Ready => "ready",
        }
    }
}

/// One address of a service.
pub(crate) struct Endpoint {
    pub(crate) address: Address,
    /// As it stands in errors and on the debug page.
    pub(crate) name: Arc<str>,
    pub(crate) load: PeakEwma,
    pub(crate) ledger: Ledger,
    /// The first is always kept up; the others when there is more to do than fits on those before.
    slots: Box<[Slot]>,
    /// Attempts in flight.
    pending: AtomicU32,
    /// Since when it is warming up, in nanoseconds of the channel's clock; 0: it does not.
    warming_since: AtomicU64,
    pub(crate) ejected: AtomicBool,
    pub(crate) leaving: AtomicBool,
    last_failure: ArcSwapOption<String>,
    /// How often it has asked to be pinged less.
    calm: Arc<AtomicU32>,
}

struct Slot {
    state: AtomicU8,
    connection: ArcSwapOption<Connection>,
    /// Asks for the connection to be made.
    wanted: Notify,
}

impl Endpoint {
    pub(crate) fn new(address: Address, connections: usize, now: Tick) -> Self {
        Self {
            name: address.to_string().into(),
            address,
            load: PeakEwma::new(now),
            ledger: Ledger::new(),
            slots: (0..connections.max(1)).map(|_| Slot::new()).collect(),
            pending: AtomicU32::new(0),
            warming_since: AtomicU64::new(0),
            ejected: AtomicBool::new(false),
            leaving: AtomicBool::new(false),
            last_failure: ArcSwapOption::empty(),
            calm: Arc::default(),
        }
    }

    /// The state of its best connection.
    pub(crate) fn state(&self) -> State {
        self.slots
            .iter()
            .map(Slot::state)
            .max()
            .unwrap_or(State::Idle)
    }

    /// What it would cost to send a call here now.
    pub(crate) fn cost(&self, slow_start: &SlowStart, now: Tick) -> f64 {
        let cost = self.load.cost(self.pending.load(Relaxed), now);
        match self.warming_since.load(Relaxed) {
            0 => cost,
            since => {
                let age = now.since(Tick::from_nanos(since));
                if age >= slow_start.window {
                    self.warming_since.store(0, Relaxed);
                }
                cost / slow_start.weight(age)
            }
        }
    }

    /// Lets it warm up from `now` on: it joins others that are at work, and is taken to be as quick as they are.
    pub(crate) fn warm_up(&self, latency: Duration, now: Tick) {
        self.load.restart(latency, now);
        self.warming_since.store(now.as_nanos().max(1), Relaxed);
    }

    /// A connection for one more call: the first that has room for it, else the one that is best off. A connection that is
    /// still missing is asked for when the others have none.
    pub(crate) fn connection(&self) -> Option<(Arc<Connection>, Room)> {
        let mut best: Option<(Arc<Connection>, Room, u32)> = None;
        let mut idle = None;
        for slot in &self.slots {
            if !matches!(slot.state(), State::Ready | State::Unknown) {
                if slot.state() == State::Idle {
                    idle = idle.or(Some(slot));
                }
                continue;
            }
            let Some(connection) = slot.connection.load_full() else {
                continue;
            };
            let (room, calls) = (connection.room(), connection.calls());
            if room == Room::Free {
                return Some((connection, room));
            }
            if best
                .as_ref()
                .is_none_or(|best| (room, calls) < (best.1, best.2))
            {
                best = Some((connection, room, calls));
            }
        }
        if best.is_some()
            && let Some(slot) = idle
        {
            slot.wanted.notify_one();
        }
        best.map(|(connection, room, _)| (connection, room))
    }

    /// Makes it ready on this connection.
    pub(crate) fn connect(&self, connection: Arc<Connection>) {
        if let Some(slot) = self.slots.first() {
            slot.connection.store(Some(connection));
            slot.state.store(State::Ready as u8, Relaxed);
        }
    }

    pub(crate) fn enter(&self) {
        self.pending.fetch_add(1, Relaxed);
    }

    pub(crate) fn leave(&self) {
        self.pending.fetch_sub(1, Relaxed);
    }

    /// Remembers what went wrong last.
    pub(crate) fn failed(&self, what: impl Into<String>) {
        self.last_failure.store(Some(Arc::new(what.into())));
    }

    pub(crate) fn last_failure(&self) -> Option<Arc<String>> {
        self.last_failure.load_full()
    }

    pub(crate) fn status(&self, now: Tick) -> EndpointStatus {
        let latency: Duration = self.load.latency(now);
        EndpointStatus {
            address: self.name.to_string(),
            state: if self.leaving.load(Relaxed) {
                "leaving"
            } else {
                self.state().name()
            },
            ejected: self.ejected.load(Relaxed),
            connections: self
                .slots
                .iter()
                .filter(|slot| slot.connection.load().is_some())
                .count(),
            pending: self.pending.load(Relaxed),
            latency_ms: latency.as_secs_f64() * 1e3,
            successes: self.ledger.successes(),
            failures: self.ledger.failures(),
            last_failure: self.last_failure().map(|what| String::clone(&what)),
        }
    }
}

impl Slot {
    fn new() -> Self {
        Self {
            state: AtomicU8::new(State::Idle as u8),
            connection: ArcSwapOption::empty(),
            wanted: Notify::new(),
        }
    }

    fn state(&self) -> State {
        let state = self.state.load(Relaxed);
        State::ALL
            .get(usize::from(state))
            .copied()
            .unwrap_or(State::Idle)
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("address", &self.name)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
