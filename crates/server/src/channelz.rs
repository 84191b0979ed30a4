//! `grpc.channelz.v1` (gRFC A14): the servers, connections and channels of a process, for `grpcdebug` and its like.
//!
//! It is off unless asked for with [`Builder::channelz`]: it tells who is connected and whom the service calls, and the
//! tools that read it have no token to show. It answers peers on loopback only, so an operator comes by `kubectl
//! port-forward` or from inside of the container. Behind a proxy on the same machine every peer is on loopback: leave it off
//! there.
//!
//! What is counted costs a call two relaxed additions to counters of its own connection, and only where channelz is on.
//! Messages, pings and windows are not counted; an option of each socket says so. `grpcdebug` reads every time and state
//! without looking whether it is there, so all of them are sent, as zero where they are not known.

mod counts;
mod registry;
mod service;
mod wire;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

pub(crate) use self::counts::Counted;
pub(crate) use self::registry::Registered;
use self::registry::Registry;
use self::service::Service;
use crate::builder::Builder;
use crate::grpc::channelz::v1::channelz_server::ChannelzServer;

/// What channelz shows of a process. Clones are one; each [`Builder`] that is given one shows its server in it.
#[derive(Clone)]
pub struct Channelz {
    registry: Arc<Registry>,
}

/// A channel to another service, as channelz shows it.
#[derive(Debug, Clone)]
pub struct ChannelView {
    /// The target as it was configured.
    pub target: String,
    /// When the channel was made.
    pub created: SystemTime,
    /// Each address of it.
    pub endpoints: Vec<EndpointView>,
}

/// An address of a [`ChannelView`]; a subchannel, in gRPC's words.
#[derive(Debug, Clone)]
pub struct EndpointView {
    /// `10.0.0.7:50052`, or the path of a socket. It tells the endpoints of a channel apart.
    pub address: String,
    /// Whether calls go there.
    pub state: Connectivity,
    /// Attempts that were begun.
    pub started: u64,
    /// Attempts that ended well.
    pub succeeded: u64,
    /// Attempts that failed by the endpoint's fault.
    pub failed: u64,
    /// What the last failure said.
    pub last_failure: Option<String>,
}

/// gRPC's states of connectivity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connectivity {
    /// Nobody asked for a connection.
    Idle,
    /// A connection is being made.
    Connecting,
    /// Calls go there.
    Ready,
    /// It cannot be reached, or does not serve.
    TransientFailure,
    /// It is on its way out.
    Shutdown,
}

impl Channelz {
    /// Shows the channels that `channels` tells of each time it is asked: always in the same order, new ones last.
    pub fn new(channels: impl Fn() -> Vec<ChannelView> + Send + Sync + 'static) -> Self {
        Self {
            registry: Arc::new(Registry::new(Box::new(channels))),
        }
    }
}

impl fmt::Debug for Channelz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channelz").finish_non_exhaustive()
    }
}

impl Builder {
    /// Serves `grpc.channelz.v1` to peers on loopback, and shows this server in it. Default: it is not served, and nothing
    /// is counted. Everybody on the machine can read it then, so it is for development, for containers and for pods.
    #[must_use]
    pub fn channelz(mut self, channelz: Channelz) -> Self {
        self.channelz = Some(channelz);
        self
    }

    /// Adds the service, if it was asked for, and enters the server.
    pub(crate) fn add_channelz(&mut self) -> Option<Registered> {
        let channelz = self.channelz.take()?;
        let registered = Registry::register(&channelz.registry, self.listens_at);
        let domain = Box::leak(self.domain.clone().into_boxed_str());
        self.add_open(ChannelzServer::new(Service::new(channelz.registry, domain)));
        Some(registered)
    }
}
