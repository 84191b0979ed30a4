#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::UNIX_EPOCH;

use tonic::{Code, Request};

use super::*;
use crate::grpc::channelz::v1 as proto;
use crate::grpc::channelz::v1::channelz_server::Channelz as _;
use crate::peer::Peer;

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn endpoint(address: &str, state: Connectivity) -> EndpointView {
    EndpointView {
        address: address.to_owned(),
        state,
        started: 10,
        succeeded: 7,
        failed: 2,
        last_failure: None,
    }
}

/// A registry over channels that the test changes.
fn shown() -> (Arc<Registry>, Arc<Mutex<Vec<ChannelView>>>) {
    let channels = Arc::<Mutex<Vec<ChannelView>>>::default();
    let look = Arc::clone(&channels);
    let shown = Channelz::new(move || look.lock().unwrap().clone());
    (shown.registry, channels)
}

fn from<T>(peer: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(Peer::at(address(peer)));
    request
}

fn local<T>(message: T) -> Request<T> {
    from("127.0.0.1:40000", message)
}

#[tokio::test]
async fn only_peers_on_loopback_are_answered() {
    let service = Service::new(shown().0, "greeter.scribemed");
    let ask = proto::GetServersRequest::default;
    for peer in ["127.0.0.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
        assert!(
            service.get_servers(from(peer, ask())).await.is_ok(),
            "{peer}"
        );
    }
    let strangers =
        ["10.0.0.7:1", "[::ffff:10.0.0.7]:1", "[fe80::1]:1"].map(|peer| from(peer, ask()));
    for request in strangers.into_iter().chain([Request::new(ask())]) {
        let refused = service.get_servers(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
    }
}

#[tokio::test]
async fn what_is_counted_stays_with_the_server_when_a_connection_goes() {
    let (registry, _) = shown();
    let service = Service::new(Arc::clone(&registry), "greeter.scribemed");
    let registered = Registry::register(&registry, Some(address("10.0.0.1:50051")));
    let first = registered.accept(Some(address("10.0.0.2:40001")));
    let second = registered.accept(Some(address("10.0.0.2:40002")));
    let now = tokio::time::Instant::now();
    for code in [Code::Ok, Code::Ok, Code::NotFound, Code::Cancelled] {
        first.began(now);
        first.ended(code);
    }
    second.began(now);
    let server = async || {
        let list = service
            .get_servers(local(proto::GetServersRequest::default()))
            .await;
        let list = list.unwrap().into_inner();
        assert!(list.end);
        let server = list.server.into_iter().next().unwrap();
        let data = server.data.unwrap();
        assert!(data.last_call_started_timestamp.unwrap().seconds > 1_700_000_000);
        let calls = (data.calls_started, data.calls_succeeded, data.calls_failed);
        (server.r#ref.unwrap().server_id, calls)
    };
    let (id, calls) = server().await;
    assert_eq!(calls, (5, 2, 2));
    let request = proto::GetServerSocketsRequest {
        server_id: id,
        ..Default::default()
    };
    let sockets = async || {
        let answer = service.get_server_sockets(local(request)).await.unwrap();
        answer.into_inner().socket_ref
    };
    let both = sockets().await;
    assert_eq!(
        both.iter()
            .map(|socket| socket.name.as_str())
            .collect::<Vec<_>>(),
        ["10.0.0.2:40001", "10.0.0.2:40002"]
    );
    let request_of = |socket: &proto::SocketRef| proto::GetSocketRequest {
        socket_id: socket.socket_id,
        summary: false,
    };
    let socket = service
        .get_socket(local(request_of(&both[0])))
        .await
        .unwrap();
    let data = socket.into_inner().socket.unwrap().data.unwrap();
    let streams = (
        data.streams_started,
        data.streams_succeeded,
        data.streams_failed,
    );
    assert_eq!(streams, (4, 3, 1));

    drop(first);
    assert_eq!(server().await, (id, (5, 2, 2)));
    assert_eq!(sockets().await, both[1..]);
    let gone = service
        .get_socket(local(request_of(&both[0])))
        .await
        .unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
    drop(registered);
    assert!(registry.servers().is_empty());
}

#[tokio::test]
async fn channels_keep_their_numbers_while_endpoints_come_and_go() {
    let (registry, channels) = shown();
    let service = Service::new(Arc::clone(&registry), "greeter.scribemed");
    let view = |target: &str, endpoints| ChannelView {
        target: target.to_owned(),
        created: UNIX_EPOCH,
        endpoints,
    };
    *channels.lock().unwrap() = vec![
        view("dns:///auth:50051", Vec::new()),
        view(
            "dns:///transcription:50052",
            vec![
                endpoint("10.0.0.1:50052", Connectivity::TransientFailure),
                endpoint("10.0.0.2:50052", Connectivity::Ready),
            ],
        ),
    ];
    let list = async || {
        let answer = service
            .get_top_channels(local(proto::GetTopChannelsRequest::default()))
            .await;
        answer.unwrap().into_inner().channel
    };
    let before = list().await;
    let state = |channel: &proto::Channel| {
        channel
            .data
            .clone()
            .unwrap()
            .state
            .unwrap()
            .state()
            .as_str_name()
    };
    assert_eq!(
        before.iter().map(state).collect::<Vec<_>>(),
        ["IDLE", "READY"]
    );
    let data = before[1].data.clone().unwrap();
    assert_eq!(
        (data.calls_started, data.calls_succeeded, data.calls_failed),
        (20, 14, 4)
    );

    channels.lock().unwrap()[1].endpoints[0] = endpoint("10.0.0.3:50052", Connectivity::Idle);
    let after = list().await;
    let numbers = |channel: &proto::Channel| {
        let subchannels = channel.subchannel_ref.iter();
        let subchannels: Vec<_> = subchannels
            .map(|subchannel| subchannel.subchannel_id)
            .collect();
        (channel.r#ref.clone().unwrap().channel_id, subchannels)
    };
    let ((channel, old), (same, new)) = (numbers(&before[1]), numbers(&after[1]));
    assert_eq!((channel, old[1]), (same, new[1]));
    assert_ne!(old[0], new[0]);
    let subchannel =
        |id| service.get_subchannel(local(proto::GetSubchannelRequest { subchannel_id: id }));
    assert_eq!(subchannel(old[0]).await.unwrap_err().code(), Code::NotFound);
    let found = subchannel(new[0])
        .await
        .unwrap()
        .into_inner()
        .subchannel
        .unwrap();
    assert_eq!(found.data.unwrap().target, "10.0.0.3:50052");
}

#[tokio::test]
async fn pages_follow_each_other() {
    let (registry, _) = shown();
    let service = Service::new(Arc::clone(&registry), "greeter.scribemed");
    let registered = Registry::register(&registry, None);
    let open: Vec<_> = (0..250).map(|_| registered.accept(None)).collect();
    let server_id = *registry.servers().first_key_value().unwrap().0;
    let (mut start, mut sizes) = (0, Vec::new());
    for max_results in [0, -1, 7, 1000, 10] {
        let request = proto::GetServerSocketsRequest {
            server_id,
            start_socket_id: start,
            max_results,
        };
        let answer = service
            .get_server_sockets(local(request))
            .await
            .unwrap()
            .into_inner();
        sizes.push((answer.socket_ref.len(), answer.end));
        start = answer
            .socket_ref
            .last()
            .map_or(start, |last| last.socket_id + 1);
    }
    assert_eq!(
        sizes,
        [
            (100, false),
            (100, false),
            (7, false),
            (43, true),
            (0, true)
        ]
    );
    drop(open);
}
