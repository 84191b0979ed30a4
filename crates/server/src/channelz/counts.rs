//! What is counted of a connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;
use tonic::Code;

use super::registry::Registry;

/// The counters of a connection. They are written by the calls of that connection alone.
#[derive(Debug)]
pub(super) struct Counts {
    pub(super) id: i64,
    pub(super) local: Option<SocketAddr>,
    pub(super) remote: Option<SocketAddr>,
    started: AtomicU64,
    ok: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
    /// When the connection came, by both clocks: a call is told the one, and an operator the other.
    since: (Instant, SystemTime),
    /// Microseconds between that and the last call, and one more; 0: there was none.
    last_started: AtomicU64,
}

/// What was counted, at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) started: u64,
    pub(super) ok: u64,
    /// Ended with an error.
    pub(super) failed: u64,
    /// The caller went away before the end.
    pub(super) cancelled: u64,
    /// `None`: there was no call.
    pub(super) last_started: Option<SystemTime>,
}

impl Counts {
    pub(super) fn new(id: i64, local: Option<SocketAddr>, remote: Option<SocketAddr>) -> Self {
        Self {
            id,
            local,
            remote,
            started: AtomicU64::new(0),
            ok: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            since: (Instant::now(), SystemTime::now()),
            last_started: AtomicU64::new(0),
        }
    }

    pub(super) fn totals(&self) -> Totals {
        // What has ended is read first: so never more has ended than was started.
        let (ok, failed) = (self.ok.load(Relaxed), self.failed.load(Relaxed));
        let cancelled = self.cancelled.load(Relaxed);
        let last = self.last_started.load(Relaxed).checked_sub(1);
        Totals {
            started: self.started.load(Relaxed).max(ok + failed + cancelled),
            ok,
            failed,
            cancelled,
            last_started: last.map(|micros| self.since.1 + Duration::from_micros(micros)),
        }
    }
}

impl Totals {
    pub(super) fn add(&mut self, other: Self) {
        self.started += other.started;
        self.ok += other.ok;
        self.failed += other.failed;
        self.cancelled += other.cancelled;
        self.last_started = self.last_started.max(other.last_started);
    }

    /// When the last call was started; the epoch: there was none.
    pub(super) fn last_started(&self) -> SystemTime {
        self.last_started.unwrap_or(UNIX_EPOCH)
    }
}

/// A connection that is counted. It is shown until its last clone is gone.
#[derive(Debug, Clone)]
pub(crate) struct Counted {
    open: Arc<Open>,
}

#[derive(Debug)]
struct Open {
    counts: Arc<Counts>,
    server: i64,
    registry: Arc<Registry>,
}

impl Counted {
    pub(super) fn new(counts: Arc<Counts>, server: i64, registry: Arc<Registry>) -> Self {
        Self {
            open: Arc::new(Open {
                counts,
                server,
                registry,
            }),
        }
    }

    /// A call begins.
    pub(crate) fn began(&self, now: Instant) {
        let counts = &self.open.counts;
        counts.started.fetch_add(1, Relaxed);
        let micros = now.saturating_duration_since(counts.since.0).as_micros();
        // 64 bits of microseconds are half a million years.
        let micros = u64::try_from(micros).unwrap_or(u64::MAX).saturating_add(1);
        counts.last_started.store(micros, Relaxed);
    }

    /// A call ended so.
    pub(crate) fn ended(&self, code: Code) {
        let counts = &self.open.counts;
        let counter = if code == Code::Ok {
            &counts.ok
        } else if code == Code::Cancelled {
            &counts.cancelled
        } else {
            &counts.failed
        };
        counter.fetch_add(1, Relaxed);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.registry.close(self.server, &self.counts);
    }
}
