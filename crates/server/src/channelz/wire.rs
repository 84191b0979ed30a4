//! What is known, in the words of `grpc.channelz.v1`.

use std::net::{IpAddr, SocketAddr};
use std::time::{SystemTime, UNIX_EPOCH};

use prost_types::Timestamp;

use super::counts::{Counts, Totals};
use super::registry::{Channel, Server};
use super::{Connectivity, EndpointView};
use crate::grpc::channelz::v1 as proto;
use proto::address::{Address, OtherAddress, TcpIpAddress};
use proto::channel_connectivity_state::State;
use proto::channel_trace_event::{ChildRef, Severity};

pub(super) fn server(id: i64, server: &Server) -> proto::Server {
    let totals = server.totals();
    proto::Server {
        r#ref: Some(proto::ServerRef {
            server_id: id,
            name: String::new(),
        }),
        data: Some(proto::ServerData {
            trace: None,
            calls_started: count(totals.started),
            calls_succeeded: count(totals.ok),
            calls_failed: count(totals.failed + totals.cancelled),
            last_call_started_timestamp: Some(Timestamp::from(totals.last_started())),
        }),
        listen_socket: server
            .listens
            .iter()
            .map(|(id, address)| socket_ref(*id, Some(*address)))
            .collect(),
    }
}

pub(super) fn socket_ref(id: i64, address: Option<SocketAddr>) -> proto::SocketRef {
    proto::SocketRef {
        socket_id: id,
        name: address
            .map(|address| address.to_string())
            .unwrap_or_default(),
    }
}

/// A connection of a server.
pub(super) fn connection(counts: &Counts) -> proto::Socket {
    let mut socket = socket(counts.id, counts.totals());
    socket.r#ref = Some(socket_ref(counts.id, counts.remote));
    socket.local = Some(address(counts.local));
    socket.remote = Some(address(counts.remote));
    socket
}

/// The socket on which a server listens.
pub(super) fn listening(id: i64, at: SocketAddr) -> proto::Socket {
    let mut socket = socket(id, Totals::default());
    socket.r#ref = Some(socket_ref(id, Some(at)));
    socket.local = Some(address(Some(at)));
    socket
}

fn socket(id: i64, totals: Totals) -> proto::Socket {
    let never = Some(Timestamp::from(UNIX_EPOCH));
    proto::Socket {
        r#ref: Some(socket_ref(id, None)),
        data: Some(proto::SocketData {
            streams_started: count(totals.started),
            // Ended with trailers of ours, whatever they say.
            streams_succeeded: count(totals.ok + totals.failed),
            streams_failed: count(totals.cancelled),
            messages_sent: 0,
            messages_received: 0,
            keep_alives_sent: 0,
            last_local_stream_created_timestamp: never,
            last_remote_stream_created_timestamp: Some(Timestamp::from(totals.last_started())),
            last_message_sent_timestamp: never,
            last_message_received_timestamp: never,
            local_flow_control_window: Some(0),
            remote_flow_control_window: Some(0),
            option: vec![proto::SocketOption {
                name: "not counted".to_owned(),
                value: "messages, pings and flow control windows: they are shown as 0".to_owned(),
                additional: None,
            }],
        }),
        local: None,
        remote: None,
        security: None,
        remote_name: String::new(),
    }
}

pub(super) fn channel(channel: &Channel) -> proto::Channel {
    let (mut started, mut succeeded, mut failed) = (0, 0, 0);
    for (_, endpoint) in channel.endpoints() {
        started += endpoint.started;
        succeeded += endpoint.succeeded;
        failed += endpoint.failed;
    }
    let events = channel.endpoints().filter_map(failure).collect();
    proto::Channel {
        r#ref: Some(proto::ChannelRef {
            channel_id: channel.id,
            name: channel.view.target.clone(),
        }),
        data: Some(proto::ChannelData {
            state: Some(state(overall(&channel.view.endpoints))),
            target: channel.view.target.clone(),
            trace: Some(trace(channel.view.created, events)),
            calls_started: count(started),
            calls_succeeded: count(succeeded),
            calls_failed: count(failed),
            last_call_started_timestamp: Some(Timestamp::from(UNIX_EPOCH)),
        }),
        channel_ref: Vec::new(),
        subchannel_ref: channel
            .endpoints()
            .map(|(id, endpoint)| subchannel_ref(id, endpoint))
            .collect(),
        socket_ref: Vec::new(),
    }
}

pub(super) fn subchannel(id: i64, endpoint: &EndpointView) -> proto::Subchannel {
    let events = failure((id, endpoint)).into_iter().collect();
    proto::Subchannel {
        r#ref: Some(subchannel_ref(id, endpoint)),
        data: Some(proto::ChannelData {
            state: Some(state(endpoint.state)),
            target: endpoint.address.clone(),
            trace: Some(trace(UNIX_EPOCH, events)),
            calls_started: count(endpoint.started),
            calls_succeeded: count(endpoint.succeeded),
            calls_failed: count(endpoint.failed),
            last_call_started_timestamp: Some(Timestamp::from(UNIX_EPOCH)),
        }),
        channel_ref: Vec::new(),
        subchannel_ref: Vec::new(),
        socket_ref: Vec::new(),
    }
}

fn subchannel_ref(id: i64, endpoint: &EndpointView) -> proto::SubchannelRef {
    proto::SubchannelRef {
        subchannel_id: id,
        name: endpoint.address.clone(),
    }
}

/// The last failure of an endpoint. When it was is not kept.
fn failure((id, endpoint): (i64, &EndpointView)) -> Option<proto::ChannelTraceEvent> {
    let what = endpoint.last_failure.as_ref()?;
    Some(proto::ChannelTraceEvent {
        description: format!("the last failure: {what}"),
        severity: Severity::CtWarning.into(),
        timestamp: Some(Timestamp::from(UNIX_EPOCH)),
        child_ref: Some(ChildRef::SubchannelRef(subchannel_ref(id, endpoint))),
    })
}

fn trace(created: SystemTime, events: Vec<proto::ChannelTraceEvent>) -> proto::ChannelTrace {
    proto::ChannelTrace {
        num_events_logged: i64::try_from(events.len()).unwrap_or(i64::MAX),
        creation_timestamp: Some(Timestamp::from(created)),
        events,
    }
}

/// The state of a channel, from those of its endpoints (gRPC's rule for balancers: the best of them).
fn overall(endpoints: &[EndpointView]) -> Connectivity {
    let best = [
        Connectivity::Ready,
        Connectivity::Connecting,
        Connectivity::Idle,
        Connectivity::TransientFailure,
    ];
    let any = |state: &Connectivity| endpoints.iter().any(|endpoint| endpoint.state == *state);
    best.into_iter().find(any).unwrap_or(Connectivity::Idle)
}

fn state(of: Connectivity) -> proto::ChannelConnectivityState {
    let state = match of {
        Connectivity::Idle => State::Idle,
        Connectivity::Connecting => State::Connecting,
        Connectivity::Ready => State::Ready,
        Connectivity::TransientFailure => State::TransientFailure,
        Connectivity::Shutdown => State::Shutdown,
    };
    proto::ChannelConnectivityState {
        state: state.into(),
    }
}

fn address(of: Option<SocketAddr>) -> proto::Address {
    let address = match of {
        Some(address) => Address::TcpipAddress(TcpIpAddress {
            ip_address: match address.ip().to_canonical() {
                IpAddr::V4(ip) => ip.octets().to_vec(),
                IpAddr::V6(ip) => ip.octets().to_vec(),
            },
            port: address.port().into(),
        }),
        None => Address::OtherAddress(OtherAddress {
            name: "a transport without addresses".to_owned(),
            value: None,
        }),
    };
    proto::Address {
        address: Some(address),
    }
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
