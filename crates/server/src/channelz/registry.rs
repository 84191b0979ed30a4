//! What there is to be shown, and by which number.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::counts::{Counted, Counts, Totals};
use super::{ChannelView, EndpointView};

/// Tells the channels as they are now.
type Look = Box<dyn Fn() -> Vec<ChannelView> + Send + Sync>;

/// The servers and channels of a process. Everything in it has a number that nothing else had or will have. Its locks are
/// taken when connections come and go and when somebody looks, never by calls.
pub(super) struct Registry {
    next: AtomicI64,
    look: Look,
    servers: Mutex<BTreeMap<i64, Server>>,
    numbers: Mutex<Numbers>,
}

/// A server.
#[derive(Debug, Clone)]
pub(super) struct Server {
    /// Where it listens, and the number of that socket.
    pub(super) listens: Option<(i64, SocketAddr)>,
    /// Of the connections that are gone.
    closed: Totals,
    pub(super) sockets: BTreeMap<i64, Arc<Counts>>,
}

/// The numbers of channels, by their place, and of their endpoints, by address.
#[derive(Debug, Default)]
struct Numbers {
    channels: Vec<i64>,
    endpoints: BTreeMap<(i64, String), i64>,
}

/// A channel with its numbers.
pub(super) struct Channel {
    pub(super) id: i64,
    pub(super) view: ChannelView,
    /// The number of each endpoint, in the order of the view.
    pub(super) subchannels: Vec<i64>,
}

impl Channel {
    pub(super) fn endpoints(&self) -> impl Iterator<Item = (i64, &EndpointView)> {
        self.subchannels.iter().copied().zip(&self.view.endpoints)
    }
}

impl Server {
    pub(super) fn totals(&self) -> Totals {
        let mut totals = self.closed;
        for socket in self.sockets.values() {
            totals.add(socket.totals());
        }
        totals
    }
}

impl Registry {
    pub(super) fn new(look: Look) -> Self {
        Self {
            next: AtomicI64::new(1),
            look,
            servers: Mutex::default(),
            numbers: Mutex::default(),
        }
    }

    /// Enters a server that listens there, if it listens on an address at all.
    pub(super) fn register(registry: &Arc<Self>, listens_at: Option<SocketAddr>) -> Registered {
        let id = registry.number();
        let server = Server {
            listens: listens_at.map(|address| (registry.number(), address)),
            closed: Totals::default(),
            sockets: BTreeMap::new(),
        };
        lock(&registry.servers).insert(id, server);
        Registered {
            id,
            listens_at,
            registry: Arc::clone(registry),
        }
    }

    /// The servers that there are, by number.
    pub(super) fn servers(&self) -> BTreeMap<i64, Server> {
        lock(&self.servers).clone()
    }

    /// The channels that there are, by number.
    pub(super) fn channels(&self) -> Vec<Channel> {
        // Looking takes locks of others, so it is done under none of ours.
        let views = (self.look)();
        let mut numbers = lock(&self.numbers);
        let mut before = std::mem::take(&mut numbers.endpoints);
        let mut channels = Vec::with_capacity(views.len());
        for (place, view) in views.into_iter().enumerate() {
            while numbers.channels.len() <= place {
                numbers.channels.push(self.number());
            }
            let id = numbers.channels.get(place).copied().unwrap_or_default();
            let mut subchannels = Vec::with_capacity(view.endpoints.len());
            for endpoint in &view.endpoints {
                let key = (id, endpoint.address.clone());
                let number = before.remove(&key);
                let number = number.unwrap_or_else(|| self.number());
                numbers.endpoints.insert(key, number);
                subchannels.push(number);
            }
            channels.push(Channel {
                id,
                view,
                subchannels,
            });
        }
        channels
    }

    /// A connection is gone; what was counted of it is kept.
    pub(super) fn close(&self, server: i64, counts: &Counts) {
        if let Some(server) = lock(&self.servers).get_mut(&server) {
            server.sockets.remove(&counts.id);
            server.closed.add(counts.totals());
        }
    }

    fn number(&self) -> i64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

/// A server that is shown, until this is dropped.
#[derive(Debug)]
pub(crate) struct Registered {
    id: i64,
    listens_at: Option<SocketAddr>,
    registry: Arc<Registry>,
}

impl Registered {
    /// Shows a connection to this server.
    pub(crate) fn accept(&self, remote: Option<SocketAddr>) -> Counted {
        let counts = Counts::new(self.registry.number(), self.listens_at, remote);
        let counts = Arc::new(counts);
        if let Some(server) = lock(&self.registry.servers).get_mut(&self.id) {
            server.sockets.insert(counts.id, Arc::clone(&counts));
        }
        Counted::new(counts, self.id, Arc::clone(&self.registry))
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        lock(&self.registry.servers).remove(&self.id);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while one is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
