//! The seven questions of `grpc.channelz.v1`.

use std::sync::Arc;

use scribemed_rpc::{Fault, reason};
use tonic::{Code, Request, Response, Status};

use super::registry::{Channel, Registry};
use super::wire;
use crate::grpc::channelz::v1 as proto;
use crate::peer::Peer;

/// So many entries an answer has at most, and where the caller does not say how many it wants.
const PAGE: usize = 100;

/// Answers from what the registry knows.
#[derive(Debug, Clone)]
pub(super) struct Service {
    registry: Arc<Registry>,
    domain: &'static str,
}

impl Service {
    pub(super) fn new(registry: Arc<Registry>, domain: &'static str) -> Self {
        Self { registry, domain }
    }

    /// The request of a peer on loopback.
    fn admit<T>(&self, request: Request<T>) -> Result<T, Status> {
        let peer = request.extensions().get::<Peer>().and_then(Peer::address);
        if peer.is_some_and(|address| address.ip().to_canonical().is_loopback()) {
            return Ok(request.into_inner());
        }
        Err(Fault::new(
            Code::PermissionDenied,
            reason::PEER_NOT_LOCAL,
            self.domain,
            "channelz answers peers on loopback only; ask on the machine itself, or through `kubectl port-forward`",
        )
        .into_status())
    }

    fn unknown(&self, what: &str, id: i64) -> Status {
        Fault::new(
            Code::NotFound,
            reason::CHANNELZ_UNKNOWN,
            self.domain,
            format!("there is no {what} {id}, or there is none any more"),
        )
        .into_status()
    }
}

/// The first entries from `start` on, and whether they are the last. A negative or no `most` is [`PAGE`], as is more.
fn page<T>(entries: impl Iterator<Item = (i64, T)>, start: i64, most: i64) -> (Vec<T>, bool) {
    let most = usize::try_from(most).ok().filter(|most| *most > 0);
    let most = most.map_or(PAGE, |most| most.min(PAGE));
    let mut entries = entries
        .filter(|(id, _)| *id >= start)
        .map(|(_, entry)| entry);
    let page = entries.by_ref().take(most).collect();
    (page, entries.next().is_none())
}

#[tonic::async_trait]
impl proto::channelz_server::Channelz for Service {
    async fn get_top_channels(
        &self,
        request: Request<proto::GetTopChannelsRequest>,
    ) -> Result<Response<proto::GetTopChannelsResponse>, Status> {
        let request = self.admit(request)?;
        let channels = self.registry.channels();
        let channels = channels
            .iter()
            .map(|channel| (channel.id, wire::channel(channel)));
        let (channel, end) = page(channels, request.start_channel_id, request.max_results);
        Ok(Response::new(proto::GetTopChannelsResponse {
            channel,
            end,
        }))
    }

    async fn get_servers(
        &self,
        request: Request<proto::GetServersRequest>,
    ) -> Result<Response<proto::GetServersResponse>, Status> {
        let request = self.admit(request)?;
        let servers = self.registry.servers();
        let servers = servers
            .iter()
            .map(|(id, server)| (*id, wire::server(*id, server)));
        let (server, end) = page(servers, request.start_server_id, request.max_results);
        Ok(Response::new(proto::GetServersResponse { server, end }))
    }

    async fn get_server(
        &self,
        request: Request<proto::GetServerRequest>,
    ) -> Result<Response<proto::GetServerResponse>, Status> {
        let id = self.admit(request)?.server_id;
        let server = self.registry.servers().remove(&id);
        let server = server.ok_or_else(|| self.unknown("server", id))?;
        Ok(Response::new(proto::GetServerResponse {
            server: Some(wire::server(id, &server)),
        }))
    }

    async fn get_server_sockets(
        &self,
        request: Request<proto::GetServerSocketsRequest>,
    ) -> Result<Response<proto::GetServerSocketsResponse>, Status> {
        let request = self.admit(request)?;
        let id = request.server_id;
        let server = self.registry.servers().remove(&id);
        let server = server.ok_or_else(|| self.unknown("server", id))?;
        let sockets = server.sockets.iter();
        let sockets = sockets.map(|(id, socket)| (*id, wire::socket_ref(*id, socket.remote)));
        let (socket_ref, end) = page(sockets, request.start_socket_id, request.max_results);
        Ok(Response::new(proto::GetServerSocketsResponse {
            socket_ref,
            end,
        }))
    }

    async fn get_channel(
        &self,
        request: Request<proto::GetChannelRequest>,
    ) -> Result<Response<proto::GetChannelResponse>, Status> {
        let id = self.admit(request)?.channel_id;
        let channels = self.registry.channels();
        let channel = channels.iter().find(|channel| channel.id == id);
        let channel = channel.ok_or_else(|| self.unknown("channel", id))?;
        Ok(Response::new(proto::GetChannelResponse {
            channel: Some(wire::channel(channel)),
        }))
    }

    async fn get_subchannel(
        &self,
        request: Request<proto::GetSubchannelRequest>,
    ) -> Result<Response<proto::GetSubchannelResponse>, Status> {
        let id = self.admit(request)?.subchannel_id;
        let channels = self.registry.channels();
        let mut endpoints = channels.iter().flat_map(Channel::endpoints);
        let found = endpoints.find(|(number, _)| *number == id);
        let (_, endpoint) = found.ok_or_else(|| self.unknown("subchannel", id))?;
        Ok(Response::new(proto::GetSubchannelResponse {
            subchannel: Some(wire::subchannel(id, endpoint)),
        }))
    }

    async fn get_socket(
        &self,
        request: Request<proto::GetSocketRequest>,
    ) -> Result<Response<proto::GetSocketResponse>, Status> {
        let id = self.admit(request)?.socket_id;
        let servers = self.registry.servers();
        let found = servers.values().find_map(|server| {
            let listening = server.listens.filter(|(number, _)| *number == id);
            let listening = listening.map(|(_, at)| wire::listening(id, at));
            listening.or_else(|| {
                server
                    .sockets
                    .get(&id)
                    .map(|counts| wire::connection(counts))
            })
        });
        let socket = found.ok_or_else(|| self.unknown("socket", id))?;
        Ok(Response::new(proto::GetSocketResponse {
            socket: Some(socket),
        }))
    }
}
