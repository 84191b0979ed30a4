//! A scripted server: does to a client what ours would not.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::server::SendResponse;
use http::{HeaderMap, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What the peer does with each call.
#[derive(Debug, Clone)]
pub(crate) enum Script {
    /// Nothing.
    Silence,
    /// Answers once, then no more.
    Once(Bytes),
    /// Answers again and again.
    Endless(Bytes),
    /// Resets the stream.
    Reset(h2::Reason),
    /// Fails at once (Trailers-Only), and resets a stream whose request has not come to its end by then.
    Fail(HeaderMap),
    /// Answers once, then fails.
    FailMidway(Bytes, HeaderMap),
}

/// A running peer.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// The heads of the calls.
    pub(crate) heads: mpsc::UnboundedReceiver<HeaderMap>,
    /// Ends every connection when it is cancelled.
    pub(crate) gone: CancellationToken,
}

pub(crate) async fn start(script: Script) -> Peer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, heads) = mpsc::unbounded_channel();
    let gone = CancellationToken::new();
    let ended = gone.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let serve = serve(stream, script.clone(), sender.clone());
            tokio::spawn(ended.clone().run_until_cancelled_owned(serve));
        }
    });
    Peer {
        address,
        heads,
        gone,
    }
}

async fn serve(stream: TcpStream, script: Script, heads: mpsc::UnboundedSender<HeaderMap>) {
    let mut connection = h2::server::handshake(stream).await.unwrap();
    // A request whose body is dropped is reset.
    let mut held = Vec::new();
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let (parts, body) = request.into_parts();
        if parts.uri.path() == "/grpc.health.v1.Health/Watch" {
            // It has no health service, so it counts as ready.
            let unimplemented = Response::builder()
                .header("content-type", "application/grpc")
                .header("grpc-status", "12")
                .body(())
                .unwrap();
            respond.send_response(unimplemented, true).unwrap();
            continue;
        }
        // Who has answered wants no more of the request.
        if !matches!(script, Script::Fail(_)) {
            held.push(body);
        }
        let _ = heads.send(parts.headers);
        tokio::spawn(answer(script.clone(), respond));
    }
}

async fn answer(script: Script, mut respond: SendResponse<Bytes>) {
    let mut head = Response::builder()
        .header("content-type", "application/grpc")
        .body(())
        .unwrap();
    match script {
        Script::Fail(trailers) => {
            head.headers_mut().extend(trailers);
            respond.send_response(head, true).unwrap();
        }
        Script::FailMidway(message, trailers) => {
            let mut body = respond.send_response(head, false).unwrap();
            body.send_data(message, false).unwrap();
            body.send_trailers(trailers).unwrap();
        }
        Script::Silence => std::future::pending().await,
        Script::Reset(reason) => respond.send_reset(reason),
        Script::Once(message) => {
            let mut body = respond.send_response(head, false).unwrap();
            body.send_data(message, false).unwrap();
            std::future::pending::<()>().await;
        }
        Script::Endless(message) => {
            let mut body = respond.send_response(head, false).unwrap();
            loop {
                body.reserve_capacity(message.len());
                match std::future::poll_fn(|cx| body.poll_capacity(cx)).await {
                    Some(Ok(room)) if room >= message.len() => {
                        body.send_data(message.clone(), false).unwrap();
                    }
                    Some(Ok(_)) => {}
                    // The caller has gone away.
                    _ => return,
                }
            }
        }
    }
}
