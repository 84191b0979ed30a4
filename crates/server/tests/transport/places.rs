//! How many may connect, and what is said to who should not.

use std::net::SocketAddr;

use scribemed_server::{Limits, Peer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::sync::CancellationToken;

use crate::support::{CHECK, SERVING, WHOLE, receive, send, start, verifier};

/// Whether a connection of this peer is served.
async fn is_served(
    connections: &mpsc::UnboundedSender<std::io::Result<(DuplexStream, Peer)>>,
    address: &str,
) -> Option<h2::client::SendRequest<bytes::Bytes>> {
    let peer = Peer::at(address.parse::<SocketAddr>().unwrap());
    let (client, server) = tokio::io::duplex(64 * 1024);
    connections.send(Ok((server, peer))).unwrap();
    let (requests, connection) = h2::client::handshake(client).await.ok()?;
    tokio::spawn(connection);
    let mut requests = requests.ready().await.ok()?;
    let response = send(&mut requests, CHECK, &[], WHOLE).await.ok()?;
    (receive(response).await.0 == SERVING).then_some(requests)
}

#[tokio::test(start_paused = true)]
async fn too_many_connections_are_closed_and_those_there_are_go_on() {
    let (connections, incoming) = mpsc::unbounded_channel();
    let limits = Limits::default().connections(4).connections_per_peer(2);
    tokio::spawn(
        scribemed_server::Builder::new("test", verifier())
            .limits(limits)
            .serve_peers(
                UnboundedReceiverStream::new(incoming),
                CancellationToken::new(),
            ),
    );
    let one = is_served(&connections, "10.0.0.1:1").await;
    let two = is_served(&connections, "10.0.0.1:2").await;
    assert!(one.is_some() && two.is_some());
    assert!(is_served(&connections, "10.0.0.1:3").await.is_none());
    let other = is_served(&connections, "10.0.0.2:1").await;
    let last = is_served(&connections, "10.0.0.3:1").await;
    assert!(other.is_some() && last.is_some());
    // Now there are too many of all.
    assert!(is_served(&connections, "10.0.0.4:1").await.is_none());
    // A place that is given up is another's.
    drop(one);
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(is_served(&connections, "10.0.0.1:4").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn who_speaks_http_1_is_told_what_is_spoken_here() {
    let server = start();
    for said in [
        "GET / HTTP/1.1\r\nhost: server\r\n\r\n",
        "POST /greeter.v1.GreeterService/SayHello HTTP/1.1\r\n",
        "OPTIONS * HTTP/1.0\r\n",
    ] {
        let (mut io, _writes) = server.connect();
        // However it comes.
        for byte in said.as_bytes() {
            io.write_all(&[*byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        let mut answer = String::new();
        io.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 505 "), "{answer}");
        assert!(answer.contains("This port speaks gRPC"), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_speaks_something_else_is_told_nothing() {
    let server = start();
    for said in [&b"SSH-2.0-OpenSSH_9.9\r\n"[..], b"\0\0\0\0"] {
        let (mut io, _writes) = server.connect();
        io.write_all(said).await.unwrap();
        let mut answer = Vec::new();
        io.read_to_end(&mut answer).await.unwrap();
        assert!(answer.is_empty(), "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_speaks_tls_is_told_that_there_is_none() {
    let server = start();
    let (mut io, _writes) = server.connect();
    io.write_all(b"\x16\x03\x01\x02\x00\x01").await.unwrap();
    let mut answer = Vec::new();
    io.read_to_end(&mut answer).await.unwrap();
    // An alert, fatal: handshake_failure.
    assert_eq!(answer, [21, 3, 3, 0, 2, 2, 40]);
}
