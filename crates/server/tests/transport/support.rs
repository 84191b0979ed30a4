//! A server of nothing but health, on connections that the tests make.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::RecvStream;
use h2::client::{ResponseFuture, SendRequest};
use http::{Request, Response};
use scribemed_auth::verifier::{CacheConfig, Config};
use scribemed_auth::{CachedKeys, KeySet, SigningKey, SystemClock, Verifier};
use scribemed_server::{Builder, Limits};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::sync::CancellationToken;

pub(crate) const CHECK: &str = "/grpc.health.v1.Health/Check";
/// A HealthCheckRequest for the whole server, and the answer that it serves.
pub(crate) const WHOLE: Bytes = Bytes::from_static(&[0, 0, 0, 0, 0]);
pub(crate) const SERVING: Bytes = Bytes::from_static(&[0, 0, 0, 0, 2, 8, 1]);

/// A running server.
pub(crate) struct Running {
    pub(crate) connections: mpsc::UnboundedSender<io::Result<Recorded>>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) served: JoinHandle<Result<(), scribemed_server::Error>>,
}

/// Limits as they are, but for the life of a connection, which has no end.
pub(crate) fn for_ever() -> Limits {
    Limits::default().max_age(None).max_idle(None)
}

pub(crate) fn start() -> Running {
    start_with(Limits::default())
}

pub(crate) fn verifier() -> Verifier {
    let key = SigningKey::generate().unwrap();
    let keys = Arc::new(KeySet::new([key.public().clone()]).unwrap());
    let keys = CachedKeys::new(keys, CacheConfig::default(), Arc::new(SystemClock));
    Verifier::new(Config::new("issuer", "test"), keys, Arc::new(SystemClock))
}

pub(crate) fn start_with(limits: Limits) -> Running {
    start_as(|server| server.limits(limits))
}

/// A server that is as `configure` makes it.
pub(crate) fn start_as(configure: impl FnOnce(Builder) -> Builder) -> Running {
    let (connections, incoming) = mpsc::unbounded_channel();
    let shutdown = CancellationToken::new();
    let server = configure(Builder::new("test", verifier()))
        .serve_incoming(UnboundedReceiverStream::new(incoming), shutdown.clone());
    Running {
        connections,
        shutdown,
        served: tokio::spawn(server),
    }
}

impl Running {
    /// A connection, of which nothing was said yet; and what the server writes to it.
    pub(crate) fn connect(&self) -> (DuplexStream, Writes) {
        let writes = Writes::default();
        (self.pipe(8 * 1024 * 1024, Some(writes.clone())), writes)
    }

    /// A connection that takes so many bytes each way until they are read.
    pub(crate) fn pipe(&self, capacity: usize, writes: Option<Writes>) -> DuplexStream {
        let (client, server) = tokio::io::duplex(capacity);
        let recorded = Recorded { io: server, writes };
        self.connections.send(Ok(recorded)).unwrap();
        client
    }

    /// A connection that is driven.
    pub(crate) async fn http2(&self) -> (SendRequest<Bytes>, Writes) {
        let (io, writes) = self.connect();
        let (requests, connection) = h2::client::handshake(io).await.unwrap();
        tokio::spawn(connection);
        (requests.ready().await.unwrap(), writes)
    }
}

/// What was written to a connection, write by write.
#[derive(Debug, Clone, Default)]
pub(crate) struct Writes(Arc<Mutex<Vec<Vec<u8>>>>);

impl Writes {
    /// Forgets all.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    /// The types of the frames in each write; each begins with a frame.
    pub(crate) fn frames(&self) -> Vec<Vec<u8>> {
        let types = |write: &Vec<u8>| {
            let mut types = Vec::new();
            let mut rest = &write[..];
            while let [a, b, c, kind, ..] = rest {
                types.push(*kind);
                rest = &rest[9 + u32::from_be_bytes([0, *a, *b, *c]) as usize..];
            }
            types
        };
        self.0.lock().unwrap().iter().map(types).collect()
    }
}

/// A pipe that remembers what is written, where that is asked for.
pub(crate) struct Recorded {
    io: DuplexStream,
    writes: Option<Writes>,
}

impl AsyncRead for Recorded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Recorded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        if let (Poll::Ready(Ok(written)), Some(writes)) = (&written, &self.writes) {
            writes.0.lock().unwrap().push(buf[..*written].to_vec());
        }
        written
    }

    /// As a socket does: all of it at once.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let all: Vec<&[u8]> = bufs.iter().map(|buf| &**buf).collect();
        self.poll_write(cx, &all.concat())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Sends a call whole.
pub(crate) fn send(
    requests: &mut SendRequest<Bytes>,
    path: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> ResponseFuture {
    let mut request = Request::post(format!("http://server{path}"));
    request = request.header("content-type", "application/grpc");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(()).unwrap();
    let (response, mut stream) = requests.send_request(request, false).unwrap();
    stream.send_data(body, true).unwrap();
    response
}

/// The message and the `grpc-status` behind it.
pub(crate) async fn receive(response: Response<RecvStream>) -> (Bytes, String) {
    let mut body = response.into_body();
    let message = body.data().await.unwrap().unwrap();
    let trailers = body.trailers().await.unwrap().unwrap();
    let status = trailers["grpc-status"].to_str().unwrap().to_owned();
    (message, status)
}
