//! One HTTP/2 connection, on h2 directly: what a call needs of it, and the driver that keeps it going.

mod body;
mod driver;
mod error;
mod exchange;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use bytes::Bytes;
use h2::client::SendRequest;

pub(crate) use self::body::RecvBody;
pub(crate) use self::driver::{Driver, Ended, Probing, establish};
pub(crate) use self::error::Broken;
pub(crate) use self::exchange::exchange;

/// A connection as calls see it. The handle is shared; the [`Driver`] owns the transport.
pub(crate) struct Connection {
    send: SendRequest<Bytes>,
    traffic: Arc<Traffic>,
    /// The names of our headers are in HPACK's table of the peer.
    primed: AtomicBool,
    /// Its end was told to the circuit breaker.
    blamed: AtomicBool,
    /// A stream is taken by the watch of its health.
    watched: AtomicBool,
}

/// Whether a connection is good for one more call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Room {
    Free,
    /// So many are on it that calls wait for each other in h2's one lock.
    Crowded,
    /// The peer takes no more at a time. h2 would queue the call, and could not tell afterwards whether it has left.
    Full,
}

/// What goes on on a connection. The driver reads it without holding a handle: h2 closes a connection that is left when the
/// last handle on it goes.
#[derive(Default)]
struct Traffic {
    /// Calls in flight, health watches not counted.
    calls: AtomicU32,
    /// Calls that were ever begun, wrapping.
    begun: AtomicU32,
    /// How many streams the peer takes at a time. Kept here because h2 takes its lock to tell.
    max_streams: AtomicU32,
    /// A ping has not been answered in time: nothing new is sent here, and what can be sent again goes elsewhere.
    suspect: AtomicBool,
}

impl Traffic {
    fn set_max_streams(&self, max: usize) {
        let max = u32::try_from(max).unwrap_or(u32::MAX);
        self.max_streams.store(max, Relaxed);
    }
}

impl Connection {
    pub(crate) fn new(send: SendRequest<Bytes>) -> Self {
        let traffic = Arc::new(Traffic::default());
        traffic.set_max_streams(send.current_max_send_streams());
        Self {
            send,
            primed: AtomicBool::new(false),
            traffic,
            blamed: AtomicBool::new(false),
            watched: AtomicBool::new(false),
        }
    }

    pub(crate) fn calls(&self) -> u32 {
        self.traffic.calls.load(Relaxed)
    }

    /// Counts a call in.
    pub(crate) fn enter(&self) {
        self.traffic.begun.fetch_add(1, Relaxed);
        self.traffic.calls.fetch_add(1, Relaxed);
    }

    /// Counts a call out.
    pub(crate) fn leave(&self) {
        self.traffic.calls.fetch_sub(1, Relaxed);
    }

    /// Whether the watch of its health has a stream on it.
    pub(crate) fn set_watched(&self, watched: bool) {
        self.watched.store(watched, Relaxed);
    }

    /// How many streams the peer takes at a time.
    pub(crate) fn max_streams(&self) -> u32 {
        self.traffic.max_streams.load(Relaxed)
    }

    pub(crate) fn is_suspect(&self) -> bool {
        self.traffic.suspect.load(Relaxed)
    }

    /// Whether a call was sent here before: its headers put their names into HPACK's table.
    pub(crate) fn is_primed(&self) -> bool {
        self.primed.load(Relaxed) || self.primed.swap(true, Relaxed)
    }

    /// Takes the blame for a failure that befalls every call on it. `false`: it was blamed already.
    pub(crate) fn blame(&self) -> bool {
        !self.blamed.swap(true, Relaxed)
    }

    /// Whether it is good for one more call.
    pub(crate) fn room(&self) -> Room {
        const COMFORTABLE: u32 = 128;
        let calls = self.calls();
        let watch = u32::from(self.watched.load(Relaxed));
        if calls.saturating_add(watch) >= self.max_streams() {
            Room::Full
        } else if calls >= COMFORTABLE {
            Room::Crowded
        } else {
            Room::Free
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("calls", &self.calls())
            .field("suspect", &self.is_suspect())
            .finish_non_exhaustive()
    }
}
