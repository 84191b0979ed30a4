//! Bare HTTP/2: what goes over the wire, and nothing that was not asked for.

use std::future::Future;
use std::net::SocketAddr;

use bytes::{BufMut as _, Bytes, BytesMut};
use h2::client::SendRequest;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, StatusCode};
use prost::Message;
use tokio::net::TcpStream;
use tonic::Status;

use crate::support::soon;

/// A connection.
pub(crate) struct Raw {
    requests: SendRequest<Bytes>,
    authority: String,
}

/// A call that was begun.
pub(crate) struct Begun {
    pub(crate) body: SendStream<Bytes>,
    response: h2::client::ResponseFuture,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) http: StatusCode,
    pub(crate) head: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let (requests, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        Self {
            requests,
            authority: address.to_string(),
        }
    }

    /// Sends the head of a call.
    pub(crate) async fn begin(&mut self, path: &str, headers: &[(&str, &str)]) -> Begun {
        let mut request = Request::post(format!("http://{}{path}", self.authority));
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/grpc");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(()).unwrap()).await
    }

    /// This request, as it is.
    async fn send(&mut self, request: Request<()>) -> Begun {
        let mut requests = self.requests.clone().ready().await.unwrap();
        let (response, body) = requests.send_request(request, false).unwrap();
        Begun { body, response }
    }

    /// This request, as it is, with this body.
    pub(crate) async fn request(&mut self, request: Request<()>, body: Bytes) -> Answer {
        let mut begun = self.send(request).await;
        begun.body.send_data(body, true).unwrap();
        begun.end().await
    }

    /// A call of one message with these headers and no others.
    pub(crate) async fn unary_with(
        &mut self,
        path: &str,
        headers: &HeaderMap,
        message: &impl Message,
    ) -> Answer {
        let mut request = Request::post(format!("http://{}{path}", self.authority))
            .body(())
            .unwrap();
        request.headers_mut().clone_from(headers);
        let mut requests = self.requests.clone().ready().await.unwrap();
        let (response, mut body) = requests.send_request(request, false).unwrap();
        body.send_data(frame(message), true).unwrap();
        Begun { body, response }.end().await
    }

    /// A call with this body.
    pub(crate) async fn call(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Answer {
        let mut begun = self.begin(path, headers).await;
        begun.body.send_data(body, true).unwrap();
        begun.end().await
    }

    /// A call of one message.
    pub(crate) async fn unary(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        message: &impl Message,
    ) -> Answer {
        self.call(path, headers, frame(message)).await
    }
}

impl Begun {
    /// What is sent and what comes back, each by itself.
    pub(crate) fn split(self) -> (SendStream<Bytes>, impl Future<Output = Answer>) {
        (self.body, receive(self.response))
    }

    /// What comes back.
    pub(crate) async fn end(self) -> Answer {
        // The body is held, as it would be reset when it is dropped.
        let _body = self.body;
        soon(receive(self.response)).await
    }
}

async fn receive(response: h2::client::ResponseFuture) -> Answer {
    let (head, mut stream) = response.await.unwrap().into_parts();
    let body = read(&mut stream).await;
    Answer {
        http: head.status,
        head: head.headers,
        body,
        trailers: stream.trailers().await.unwrap(),
    }
}

async fn read(stream: &mut RecvStream) -> Bytes {
    let mut all = BytesMut::new();
    while let Some(data) = stream.data().await {
        let data = data.unwrap();
        stream.flow_control().release_capacity(data.len()).unwrap();
        all.extend_from_slice(&data);
    }
    all.freeze()
}

impl Answer {
    /// The status, from the trailers or from the head when there is nothing else.
    pub(crate) fn status(&self) -> Status {
        let headers = self.trailers.as_ref().unwrap_or(&self.head);
        Status::from_header_map(headers).unwrap_or_else(|| panic!("no grpc-status: {self:?}"))
    }

    /// The one message.
    pub(crate) fn message<T: Message + Default>(&self) -> T {
        T::decode(&self.body[5..]).unwrap()
    }
}

/// `message` with its length before it.
pub(crate) fn frame(message: &impl Message) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u8(0);
    out.put_u32(message.encoded_len().try_into().unwrap());
    message.encode(&mut out).unwrap();
    out.freeze()
}
