//! A network in memory.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use scribemed_client::{BoxFuture, Connect, Io};
use scribemed_discovery::{Address, Target};

use crate::peer::Peer;

/// Peers by address. Clones are one network.
#[derive(Clone, Default)]
pub(crate) struct Net {
    peers: Arc<Mutex<BTreeMap<SocketAddr, Peer>>>,
}

impl Net {
    /// A network with so many peers, each of which answers every call with its request.
    pub(crate) fn of<const N: usize>() -> (Self, [Peer; N]) {
        let net = Self::default();
        let peers = std::array::from_fn(|_| net.add());
        (net, peers)
    }

    /// One more peer.
    pub(crate) fn add(&self) -> Peer {
        let mut peers = self.peers.lock().unwrap();
        let number = u8::try_from(peers.len() + 1).unwrap();
        let address = SocketAddr::from(([10, 0, 0, number], 50_052));
        let peer = Peer::new(address);
        peers.insert(address, peer.clone());
        peer
    }

    fn at(&self, address: &Address) -> Option<Peer> {
        let peers = self.peers.lock().unwrap();
        peers.get(&address.socket()?).cloned()
    }

    /// All of its peers, in order.
    pub(crate) fn target(&self) -> Target {
        let peers = self.peers.lock().unwrap();
        let addresses: Vec<_> = peers.keys().map(ToString::to_string).collect();
        format!("static:///{}", addresses.join(",")).parse().unwrap()
    }
}

impl Connect for Net {
    fn connect<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Io>>> {
        Box::pin(async move {
            match self.at(address) {
                Some(peer) => peer.connect().await,
                None => Err(io::ErrorKind::ConnectionRefused.into()),
            }
        })
    }
}
