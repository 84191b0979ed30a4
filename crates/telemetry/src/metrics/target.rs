//! The metrics of one channel.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus::{IntCounter, IntGauge};

use super::families::Families;
use super::method::MethodMetrics;

/// The state of a circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls pass.
    Closed,
    /// Calls are refused.
    Open,
    /// One call at a time passes, to see whether the target is well again.
    HalfOpen,
}

impl BreakerState {
    const fn label(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// The metrics of one channel to one target. Clones share them.
///
/// Where a process has several channels to a target, counters and gauges are those of all of them; what a channel put
/// into a gauge is taken out when its metrics are dropped.
#[derive(Clone)]
pub struct TargetMetrics {
    shared: Arc<Shared>,
}

struct Shared {
    families: Arc<Families>,
    target: Arc<str>,
    throttled: IntCounter,
    connected: IntCounter,
    not_connected: IntCounter,
    /// What this channel has put into the gauges. Locked when an endpoint, a connection or the breaker changes, never by a
    /// call.
    share: Mutex<Share>,
}

struct Share {
    endpoints: BTreeMap<&'static str, i64>,
    connections: i64,
    breaker: BreakerState,
}

impl TargetMetrics {
    pub(super) fn new(families: Arc<Families>, target: &str) -> Self {
        let breaker = BreakerState::Closed;
        for state in [
            BreakerState::Closed,
            BreakerState::Open,
            BreakerState::HalfOpen,
        ] {
            // So that each state has a value from the start.
            let gauge = families.breaker.with_label_values(&[target, state.label()]);
            gauge.add(i64::from(state == breaker));
        }
        Self {
            shared: Arc::new(Shared {
                throttled: families.throttled.with_label_values(&[target]),
                connected: families.connections_made.with_label_values(&[target]),
                not_connected: families.connections_failed.with_label_values(&[target]),
                target: target.into(),
                families,
                share: Mutex::new(Share {
                    endpoints: BTreeMap::new(),
                    connections: 0,
                    breaker,
                }),
            }),
        }
    }

    /// The metrics of one method's calls: `scribemed.auth.v1.AuthService/GetKeySet`, or `other` for all methods that are
    /// in no contract (A66). To be kept: this looks them up.
    pub fn method(&self, method: &'static str) -> MethodMetrics {
        MethodMetrics::new(
            Arc::clone(&self.shared.families),
            Arc::clone(&self.shared.target),
            method,
        )
    }

    /// There are now `count` endpoints in `state`: one of the states of `EndpointStatus`.
    pub fn endpoints(&self, state: &'static str, count: i64) {
        self.shared.change(|share| {
            let before = share.endpoints.insert(state, count).unwrap_or_default();
            self.shared.endpoints(state).add(count - before);
        });
    }

    /// There are now `count` connections.
    pub fn open_connections(&self, count: i64) {
        self.shared.change(|share| {
            let before = std::mem::replace(&mut share.connections, count);
            self.shared.connections().add(count - before);
        });
    }

    /// The breaker is now in `state`; in the beginning it is closed. Counts a transition if that is another than before.
    pub fn breaker(&self, state: BreakerState) {
        self.shared.change(|share| {
            let before = std::mem::replace(&mut share.breaker, state);
            if before != state {
                self.shared.breaker(before).dec();
                self.shared.breaker(state).inc();
                self.shared
                    .families
                    .breaker_transitions
                    .with_label_values(&[&*self.shared.target, state.label()])
                    .inc();
            }
        });
    }

    /// So many outliers were ejected since the last time, and so many were found and left in rotation (A91).
    pub fn ejected(&self, enforced: u64, unenforced: u64) {
        let Shared {
            families, target, ..
        } = &*self.shared;
        families
            .ejections_enforced
            .with_label_values(&[target])
            .inc_by(enforced);
        families
            .ejections_unenforced
            .with_label_values(&[target])
            .inc_by(unenforced);
    }

    /// A connection was made, or could not be. One that lost a race of addresses (A61) is not counted (A94).
    pub fn connection_attempt(&self, ok: bool) {
        if ok {
            self.shared.connected.inc();
        } else {
            self.shared.not_connected.inc();
        }
    }

    /// A connection ended: `connection reset`, `connection timed out`, `connection aborted`, `socket error`,
    /// `GOAWAY NO_ERROR` (and the other codes), `subchannel shutdown` or `unknown` (A94). A fixed text, never one that the
    /// peer has sent.
    pub fn disconnected(&self, reason: &'static str) {
        self.shared
            .families
            .disconnections
            .with_label_values(&[&*self.shared.target, reason])
            .inc();
    }

    /// A call was turned away here, because the target refuses too many.
    pub fn throttled(&self) {
        self.shared.throttled.inc();
    }

    /// The name was looked up, with or without a result.
    pub fn resolution(&self, ok: bool) {
        let outcome = if ok { "ok" } else { "failed" };
        self.shared
            .families
            .resolutions
            .with_label_values(&[&*self.shared.target, outcome])
            .inc();
    }
}

impl Shared {
    fn change(&self, change: impl FnOnce(&mut Share)) {
        // Nothing in a change can panic half-way.
        change(&mut self.share.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn endpoints(&self, state: &str) -> IntGauge {
        self.families
            .endpoints
            .with_label_values(&[&*self.target, state])
    }

    fn connections(&self) -> IntGauge {
        self.families
            .open_connections
            .with_label_values(&[&*self.target])
    }

    fn breaker(&self, state: BreakerState) -> IntGauge {
        self.families
            .breaker
            .with_label_values(&[&*self.target, state.label()])
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.change(|share| {
            for (state, count) in &share.endpoints {
                self.endpoints(state).sub(*count);
            }
            if share.connections != 0 {
                self.connections().sub(share.connections);
            }
            self.breaker(share.breaker).dec();
        });
    }
}

impl std::fmt::Debug for TargetMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TargetMetrics")
            .field("target", &self.shared.target)
            .finish_non_exhaustive()
    }
}
