//! What is counted of a connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
    /// Microseconds since the Unix epoch; 0: there was no call.
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
    pub(super) last_started: u64,
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
            last_started: AtomicU64::new(0),
        }
    }

    pub(super) fn totals(&self) -> Totals {
        // What has ended is read first: so never more has ended than was started.
        let (ok, failed) = (self.ok.load(Relaxed), self.failed.load(Relaxed));
        let cancelled = self.cancelled.load(Relaxed);
        Totals {
            started: self.started.load(Relaxed).max(ok + failed + cancelled),
            ok,
            failed,
            cancelled,
            last_started: self.last_started.load(Relaxed),
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
        UNIX_EPOCH + Duration::from_micros(self.last_started)
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
    pub(crate) fn began(&self) {
        let counts = &self.open.counts;
        counts.started.fetch_add(1, Relaxed);
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        // A clock before 1970 or after the year 586,000 tells nothing.
        let micros = since
            .ok()
            .and_then(|since| u64::try_from(since.as_micros()).ok());
        counts.last_started.store(micros.unwrap_or(0), Relaxed);
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
