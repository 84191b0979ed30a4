//! `grpc.channelz.v1`, as a tool on the same machine reads it.

use std::net::SocketAddr;
use std::time::UNIX_EPOCH;

use greeter::greeter::Greeter;
use greeter::identity::{Identity, NAME};
use greeter::v1::SayHelloRequest;
use greeter::v1::greeter_service_client::GreeterServiceClient;
use greeter::v1::greeter_service_server::GreeterServiceServer;
use scribemed_client::Channel;
use scribemed_rpc::ClientContract as _;
use scribemed_server::grpc::channelz::v1 as proto;
use scribemed_server::grpc::channelz::v1::address::Address;
use scribemed_server::grpc::channelz::v1::channelz_client::ChannelzClient;
use scribemed_server::{Builder, ChannelView, Channelz, Connectivity, EndpointView};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use crate::raw::Raw;
use crate::reflection::grpcurl;
use crate::support::{CONTRACTS, reason, soon, start, target};

/// A server that shows itself and one channel.
async fn start_shown() -> (std::net::SocketAddr, CancellationToken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let channels = || {
        vec![ChannelView {
            target: "dns:///auth:50051".to_owned(),
            created: UNIX_EPOCH,
            endpoints: vec![EndpointView {
                address: "10.0.0.1:50051".to_owned(),
                state: Connectivity::TransientFailure,
                started: 3,
                succeeded: 1,
                failed: 2,
                last_failure: Some("connection refused".to_owned()),
            }],
        }]
    };
    let builder = Builder::new(NAME, Identity::new().unwrap().verifier().unwrap())
        .descriptor_set(greeter::DESCRIPTOR_SET)
        .channelz(Channelz::new(channels))
        .add(GreeterServiceServer::new(Greeter));
    tokio::spawn(builder.serve(listener, shutdown.clone()));
    (address, shutdown)
}

/// Greets twice over the channel, and once as only a client without checks does.
async fn greet(address: SocketAddr, channel: Channel) -> GreeterServiceClient<Channel> {
    let mut hello = GreeterServiceClient::over(channel);
    for name in ["Ada", "Grace"].map(str::to_owned) {
        let answer = soon(hello.say_hello(SayHelloRequest { name })).await;
        assert!(answer.is_ok(), "{answer:?}");
    }
    let mut raw = Raw::connect(address).await;
    let nameless = SayHelloRequest::default();
    let refused = raw.unary("/greeter.v1.GreeterService/SayHello", &[], &nameless);
    assert_eq!(refused.await.status().code(), Code::InvalidArgument);
    hello
}

#[tokio::test]
async fn it_shows_the_server_its_connections_and_their_calls() {
    let (address, shutdown) = start_shown().await;
    let channel = || Channel::new(&target(address), &CONTRACTS, None).unwrap();
    let hello = greet(address, channel()).await;
    let mut tool = ChannelzClient::new(channel());
    let servers = tool.get_servers(proto::GetServersRequest::default()).await;
    let servers = servers.unwrap().into_inner();
    assert!(servers.end);
    let [server] = &*servers.server else {
        panic!("{servers:?}");
    };
    // A name of no length breaks a rule; the channels watch the health, and this call is under way.
    let data = server.data.clone().unwrap();
    assert!(
        data.calls_succeeded >= 2 && data.calls_failed >= 1,
        "{data:?}"
    );
    assert!(data.calls_started > data.calls_succeeded + data.calls_failed);
    let server_id = server.r#ref.clone().unwrap().server_id;
    let one = tool.get_server(proto::GetServerRequest { server_id }).await;
    assert_eq!(
        one.unwrap().into_inner().server.unwrap().listen_socket,
        server.listen_socket
    );

    let mut socket = async |socket_id| {
        let request = proto::GetSocketRequest {
            socket_id,
            summary: false,
        };
        tool.get_socket(request)
            .await
            .unwrap()
            .into_inner()
            .socket
            .unwrap()
    };
    let port = |address: Option<proto::Address>| {
        let address = address.unwrap().address.unwrap();
        let Address::TcpipAddress(tcp) = address else {
            panic!("{address:?}");
        };
        assert_eq!(tcp.ip_address, [127, 0, 0, 1]);
        tcp.port
    };
    let listening = socket(server.listen_socket[0].socket_id).await;
    assert_eq!(port(listening.local), i32::from(address.port()));

    let request = proto::GetServerSocketsRequest {
        server_id,
        ..Default::default()
    };
    let mut of_server = ChannelzClient::new(channel());
    let sockets = of_server
        .get_server_sockets(request)
        .await
        .unwrap()
        .into_inner();
    let mut started = Vec::new();
    for found in &sockets.socket_ref {
        let found = socket(found.socket_id).await;
        assert_eq!(port(found.local), i32::from(address.port()));
        assert_ne!(port(found.remote), i32::from(address.port()));
        let data = found.data.unwrap();
        // What tools read without looking whether it is there.
        assert!(
            data.local_flow_control_window.is_some() && data.remote_flow_control_window.is_some()
        );
        assert!(data.last_message_sent_timestamp.is_some());
        assert!(data.last_remote_stream_created_timestamp.unwrap().seconds > 1_700_000_000);
        started.push(data.streams_started);
    }
    // Two greetings and a health watch at least came on one of them.
    assert!(
        started.len() >= 2 && started.iter().any(|started| *started >= 3),
        "{started:?}"
    );

    // The connection of the greeter goes, and what it did stays counted.
    drop(hello);
    let before = sockets.socket_ref.len();
    let gone = async {
        loop {
            let sockets = of_server
                .get_server_sockets(request)
                .await
                .unwrap()
                .into_inner();
            if sockets.socket_ref.len() < before {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    soon(gone).await;
    let after = tool
        .get_server(proto::GetServerRequest { server_id })
        .await
        .unwrap();
    let after = after.into_inner().server.unwrap().data.unwrap();
    assert!(after.calls_succeeded > data.calls_succeeded);
    shutdown.cancel();
}

#[tokio::test]
async fn a_tool_reads_channels_by_reflection() {
    let (address, shutdown) = start_shown().await;
    let address = address.to_string();
    let services = grpcurl(&[&address, "list"]).await;
    assert!(services.contains("grpc.channelz.v1.Channelz"), "{services}");
    let channels = grpcurl(&[&address, "grpc.channelz.v1.Channelz/GetTopChannels"]).await;
    for part in [
        "\"target\": \"dns:///auth:50051\"",
        "\"state\": \"TRANSIENT_FAILURE\"",
        "\"callsFailed\": \"2\"",
        "the last failure: connection refused",
        "\"end\": true",
    ] {
        assert!(channels.contains(part), "{part} in\n{channels}");
    }
    shutdown.cancel();
}

#[tokio::test]
async fn it_is_not_there_unless_it_was_asked_for() {
    let server = start().await;
    let mut tool = ChannelzClient::new(server.channel());
    let refused = tool.get_servers(proto::GetServersRequest::default()).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented);
    assert_eq!(reason(&refused), "METHOD_UNKNOWN");
}
