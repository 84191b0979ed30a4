//! Who is at the other end of a connection.

use std::net::SocketAddr;
use std::sync::Arc;

/// The other end of a connection, as far as the transport tells. Clones are one.
#[derive(Debug, Clone, Default)]
pub struct Peer {
    inner: Arc<Known>,
}

#[derive(Debug, Clone, Default)]
struct Known {
    address: Option<SocketAddr>,
}

impl Peer {
    /// A peer at this address.
    pub fn at(address: SocketAddr) -> Self {
        Self {
            inner: Arc::new(Known {
                address: Some(address),
            }),
        }
    }

    /// Where the connection comes from. `None` of a transport that has no addresses, such as a pipe in memory.
    pub fn address(&self) -> Option<SocketAddr> {
        self.inner.address
    }
}
