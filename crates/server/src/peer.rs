//! Who is at the other end of a connection.

use std::net::SocketAddr;
use std::sync::Arc;

use scribemed_tls::SpiffeId;

use crate::channelz::Counted;

/// The other end of a connection, as far as the transport tells. Clones are one.
#[derive(Debug, Clone, Default)]
pub struct Peer {
    inner: Arc<Known>,
}

#[derive(Debug, Clone, Default)]
struct Known {
    address: Option<SocketAddr>,
    /// Where its calls are counted, if they are.
    counted: Option<Counted>,
    identity: Option<SpiffeId>,
}

impl Peer {
    /// A peer at this address.
    pub fn at(address: SocketAddr) -> Self {
        Self {
            inner: Arc::new(Known {
                address: Some(address),
                ..Known::default()
            }),
        }
    }

    /// The same peer, whose certificate was verified to be of this service.
    #[must_use]
    pub(crate) fn with_identity(&self, identity: SpiffeId) -> Self {
        Self {
            inner: Arc::new(Known {
                identity: Some(identity),
                ..Known::clone(&self.inner)
            }),
        }
    }

    /// Where the connection comes from. `None` of a transport that has no addresses, such as a pipe in memory.
    pub fn address(&self) -> Option<SocketAddr> {
        self.inner.address
    }

    /// The same peer, whose calls are counted.
    pub(crate) fn counted_by(&self, counted: Counted) -> Self {
        let mut known = Known::clone(&self.inner);
        known.counted = Some(counted);
        Self {
            inner: Arc::new(known),
        }
    }

    /// Where its calls are counted, if they are.
    pub(crate) fn counted(&self) -> Option<&Counted> {
        self.inner.counted.as_ref()
    }

    /// Which service the peer's certificate is of, verified (mTLS). `None` of a peer that showed none, or where the server has
    /// no trust domain.
    pub fn identity(&self) -> Option<&SpiffeId> {
        self.inner.identity.as_ref()
    }
}
