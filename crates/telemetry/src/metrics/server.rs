//! The metrics of calls that are served.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use prometheus::{HistogramVec, IntCounter, IntGauge};

use super::ended::{ByCode, Ended};
use super::families::Families;

/// The metrics of a server. Cheap to clone.
#[derive(Clone)]
pub struct ServerMetrics {
    families: Arc<Families>,
}

/// A connection of a caller, counted as open until this is dropped.
#[derive(Debug)]
pub struct OpenConnection(IntGauge);

/// The metrics of one method that is served. Cheap to clone; every method of it costs a few atomic operations.
#[derive(Clone)]
pub struct ServedMetrics {
    shared: Arc<Shared>,
}

struct Shared {
    families: Arc<Families>,
    method: &'static str,
    started: IntCounter,
    calls: ByCode<Ended>,
}

impl ServerMetrics {
    pub(super) fn new(families: Arc<Families>) -> Self {
        Self { families }
    }

    /// The metrics of one method: `scribemed.auth.v1.AuthService/GetKeySet`, or `other` for whatever path that the server
    /// does not know (A66: callers must not be able to make series). To be kept: this looks them up.
    pub fn method(&self, method: &'static str) -> ServedMetrics {
        ServedMetrics {
            shared: Arc::new(Shared {
                families: Arc::clone(&self.families),
                method,
                started: self.families.served_started.with_label_values(&[method]),
                calls: ByCode::new(),
            }),
        }
    }

    /// A caller has connected.
    pub fn connected(&self) -> OpenConnection {
        let open = self
            .families
            .server_connections
            .with_label_values::<&str>(&[]);
        open.inc();
        OpenConnection(open)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl ServedMetrics {
    /// A call begins: its headers are there.
    pub fn call_started(&self) {
        self.shared.started.inc();
    }

    /// A handler panicked.
    pub fn panicked(&self) {
        let Shared {
            families, method, ..
        } = &*self.shared;
        families.panics.with_label_values(&[*method]).inc();
    }

    /// The method goes away, and `caller` has called it at this time. The caller must be one whose name was verified, or `-`: callers
    /// must not be able to make series.
    pub fn deprecated(&self, caller: &str, at: SystemTime) {
        let Shared {
            families, method, ..
        } = &*self.shared;
        let labels = [*method, caller];
        families.served_deprecated.with_label_values(&labels).inc();
        families
            .served_deprecated_last
            .with_label_values(&labels)
            .set(super::seconds(at));
    }

    /// A call ended with the gRPC status `code` (0 to 16; any other counts as UNKNOWN), `duration` after it began, having
    /// sent and received so many bytes of messages.
    pub fn call_ended(&self, code: i32, duration: Duration, sent_bytes: u64, received_bytes: u64) {
        let Shared {
            families,
            method,
            calls,
            ..
        } = &*self.shared;
        calls
            .get(code, |status| {
                let of = |family: &HistogramVec| family.with_label_values(&[*method, status]);
                Ended {
                    duration: of(&families.served_duration),
                    sent: of(&families.served_sent),
                    received: of(&families.served_received),
                }
            })
            .observe(duration, sent_bytes, received_bytes);
    }
}

impl std::fmt::Debug for ServerMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerMetrics").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ServedMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServedMetrics")
            .field("method", &self.shared.method)
            .finish_non_exhaustive()
    }
}
