//! What a peer does with a call.

use std::future::poll_fn;
use std::time::Duration;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use greeter::v1::{ResilienceRequest, ResilienceResponse};
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use prost::Message as _;
use tokio::sync::mpsc;
use tonic::Code;
use tonic_health::pb::HealthCheckResponse;
use tonic_health::pb::health_check_response::ServingStatus;

use crate::peer::{Command, Health, Peer};

/// What a peer does with a call.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Answers with the id of the (last) request, once all of it is there.
    Echo,
    /// Says no more than this (Trailers-Only).
    Fail(Code),
    /// The same, and these headers.
    FailWith(Code, Vec<(&'static str, String)>),
    /// A head, and then trailers.
    HeadThen(Code),
    /// A head, so many messages, and then trailers.
    Messages(usize, Code),
    /// A head, so many messages, and then nothing.
    MessagesThenNever(usize),
    /// A head, so many messages, and then the stream is reset.
    MessagesThenReset(usize, h2::Reason),
    /// Messages of 16 KiB, as many as the caller takes.
    Flood,
    /// Each message is answered.
    PingPong,
    /// The stream is reset.
    Reset(h2::Reason),
    /// Nothing.
    Never,
    /// Nothing, and the request is not read either.
    NeverReads,
    /// So much later.
    After(Duration, Box<Answer>),
    /// A head and half a message, and then the connection is closed.
    Break,
    /// A head and a message, and then the stream ends.
    NoTrailers,
    /// A head, a message, and trailers without a status.
    NoStatus,
    /// OK and nothing else (Trailers-Only).
    OkInHead,
    /// A message with so many bytes of payload.
    Size(usize),
    /// A length prefix that promises so many bytes.
    Promise(u32),
    /// An HTTP answer.
    Http(u16, &'static str),
    /// A head with so many bytes of headers.
    HugeHead(usize),
    /// Trailers with this header beside UNAVAILABLE.
    Trailers(&'static str, &'static str),
}

impl Answer {
    pub(crate) fn after(wait: Duration, answer: Self) -> Self {
        Self::After(wait, Box::new(answer))
    }
}

/// Plays an answer to the call of this number.
pub(crate) async fn play(
    peer: Peer,
    call: usize,
    answer: Answer,
    respond: SendResponse<Bytes>,
    body: RecvStream,
) {
    let (messages, received) = mpsc::unbounded_channel();
    let unread = matches!(answer, Answer::NeverReads);
    let mut held = None;
    if unread {
        held = Some(body);
    } else {
        tokio::spawn(read(peer.clone(), call, body, messages));
    }
    let playing = Playing {
        peer,
        call,
        respond,
        received,
    };
    playing.play(answer).await;
    drop(held);
}

struct Playing {
    peer: Peer,
    call: usize,
    respond: SendResponse<Bytes>,
    received: mpsc::UnboundedReceiver<ResilienceRequest>,
}

impl Playing {
    async fn play(mut self, answer: Answer) {
        match answer {
            Answer::After(wait, next) => {
                let reset = poll_fn(|cx| self.respond.poll_reset(cx));
                match tokio::time::timeout(wait, reset).await {
                    Ok(reset) => self.was_reset(reset),
                    Err(_) => Box::pin(self.play(*next)).await,
                }
            }
            Answer::Never | Answer::NeverReads => {
                let reset = poll_fn(|cx| self.respond.poll_reset(cx)).await;
                self.was_reset(reset);
            }
            Answer::Reset(reason) => self.respond.send_reset(reason),
            Answer::Fail(code) => self.only(trailers(code)),
            Answer::FailWith(code, more) => {
                let mut headers = trailers(code);
                for (name, value) in more {
                    headers.append(HeaderName::from_static(name), value.parse().unwrap());
                }
                self.only(headers);
            }
            Answer::OkInHead => self.only(trailers(Code::Ok)),
            Answer::HugeHead(size) => {
                let mut headers = trailers(Code::Unavailable);
                for _ in 0..size.div_ceil(1000) {
                    headers.append("x-filler", "f".repeat(1000).parse().unwrap());
                }
                self.only(headers);
            }
            Answer::Http(status, content_type) => {
                let head = Response::builder()
                    .status(status)
                    .header("content-type", content_type)
                    .body(())
                    .unwrap();
                if let Ok(mut body) = self.respond.send_response(head, false) {
                    let _ = body.send_data(Bytes::from_static(b"<html>"), true);
                }
            }
            Answer::Break => {
                let mut body = self.head();
                let _ = body.send_data(message(&response("half"), 0).split_to(3), false);
                // What was said goes out before the connection does.
                tokio::time::sleep(Duration::from_millis(1)).await;
                self.peer.command(Command::Close);
                let _ = poll_fn(|cx| body.poll_reset(cx)).await;
            }
            Answer::Echo
            | Answer::HeadThen(_)
            | Answer::Messages(..)
            | Answer::MessagesThenNever(_)
            | Answer::MessagesThenReset(..)
            | Answer::Flood
            | Answer::PingPong
            | Answer::NoTrailers
            | Answer::NoStatus
            | Answer::Size(_)
            | Answer::Promise(_)
            | Answer::Trailers(..) => self.answer(answer).await,
        }
    }

    /// Those with a body.
    async fn answer(mut self, answer: Answer) {
        let echo = matches!(answer, Answer::Echo);
        let mut last = ResilienceRequest::default();
        if echo {
            while let Some(request) = self.received.recv().await {
                last = request;
            }
        }
        let attempt = self.attempt();
        let mut body = self.head();
        let mut send = |response: &ResilienceResponse| {
            let _ = body.send_data(message(response, attempt), false);
        };
        let end = match answer {
            Answer::Echo => {
                send(&response(&last.id));
                trailers(Code::Ok)
            }
            Answer::Messages(count, code) => {
                (0..count).for_each(|number| send(&response(&number.to_string())));
                trailers(code)
            }
            Answer::MessagesThenNever(count) => {
                (0..count).for_each(|number| send(&response(&number.to_string())));
                let reset = poll_fn(|cx| body.poll_reset(cx)).await;
                return self.was_reset(reset);
            }
            Answer::MessagesThenReset(count, reason) => {
                (0..count).for_each(|number| send(&response(&number.to_string())));
                tokio::time::sleep(Duration::from_millis(1)).await;
                return body.send_reset(reason);
            }
            Answer::PingPong => {
                while let Some(request) = self.received.recv().await {
                    send(&response(&request.id));
                }
                trailers(Code::Ok)
            }
            Answer::Size(size) => {
                let mut large = response("large");
                large.payload = vec![0; size].into();
                send(&large);
                trailers(Code::Ok)
            }
            Answer::NoTrailers => {
                let _ = body.send_data(message(&response("id"), attempt), true);
                return;
            }
            Answer::NoStatus => {
                send(&response("id"));
                HeaderMap::from_iter([(HeaderName::from_static("x-other"), HeaderValue::from_static("1"))])
            }
            Answer::Promise(size) => {
                let mut prefix = BytesMut::new();
                prefix.put_u8(0);
                prefix.put_u32(size);
                let _ = body.send_data(prefix.freeze(), false);
                let reset = poll_fn(|cx| body.poll_reset(cx)).await;
                return self.was_reset(reset);
            }
            Answer::Trailers(name, value) => {
                send(&response("id"));
                let mut end = trailers(Code::Unavailable);
                end.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
                end
            }
            Answer::Flood => return self.flood(body).await,
            Answer::HeadThen(code) => {
                // In a packet of its own.
                tokio::time::sleep(Duration::from_millis(1)).await;
                trailers(code)
            }
            other => panic!("{other:?} has no body"),
        };
        let _ = body.send_trailers(end);
    }

    async fn flood(self, mut body: SendStream<Bytes>) {
        let mut large = response("large");
        large.payload = vec![0; 16 * 1024].into();
        let large = message(&large, 1);
        loop {
            let mut rest = large.clone();
            while !rest.is_empty() {
                body.reserve_capacity(rest.len());
                match poll_fn(|cx| body.poll_capacity(cx)).await {
                    Some(Ok(room)) => {
                        let part = rest.split_to(room.min(rest.len()));
                        self.peer.flooded(part.len());
                        let _ = body.send_data(part, false);
                    }
                    _ => {
                        let reset = poll_fn(|cx| body.poll_reset(cx)).await;
                        return self.was_reset(reset);
                    }
                }
            }
        }
    }

    fn was_reset(&self, reset: Result<h2::Reason, h2::Error>) {
        if let Ok(reason) = reset {
            self.peer.note(self.call, |call| call.reset = Some(reason));
        }
    }

    fn attempt(&self) -> i32 {
        let calls = self.peer.calls();
        let previous = calls[self.call].previous();
        previous.map_or(0, |count| count.parse().unwrap()) + 1
    }

    fn head(&mut self) -> SendStream<Bytes> {
        let head = Response::builder()
            .header("content-type", "application/grpc")
            .body(())
            .unwrap();
        self.respond.send_response(head, false).unwrap()
    }

    fn only(&mut self, headers: HeaderMap) {
        let mut head = Response::new(());
        *head.headers_mut() = headers;
        head.headers_mut()
            .insert("content-type", HeaderValue::from_static("application/grpc"));
        let _ = self.respond.send_response(head, true);
    }
}

/// Reads the messages of a request.
async fn read(
    peer: Peer,
    call: usize,
    mut body: RecvStream,
    messages: mpsc::UnboundedSender<ResilienceRequest>,
) {
    let mut rest = BytesMut::new();
    while let Some(data) = body.data().await {
        let data = match data {
            Ok(data) => data,
            Err(error) => {
                let reason = error.is_reset().then(|| error.reason()).flatten();
                peer.note(call, |call| call.reset = reason);
                // Whoever answers this call does not take it for complete.
                return messages.closed().await;
            }
        };
        let _ = body.flow_control().release_capacity(data.len());
        rest.extend_from_slice(&data);
        peer.note(call, |call| call.bytes += data.len());
        while let Some(length) = rest.get(1..5) {
            let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
            if rest.len() < 5 + length {
                break;
            }
            rest.advance(5);
            let request = ResilienceRequest::decode(rest.split_to(length)).unwrap();
            peer.note(call, |call| call.messages.push(request.id.clone()));
            let _ = messages.send(request);
        }
    }
    peer.note(call, |call| call.complete = true);
}

/// Serves a watch of the health.
pub(crate) async fn health(peer: Peer, mut respond: SendResponse<Bytes>, _body: RecvStream) {
    let mut changes = peer.watch_health();
    let mut stream: Option<SendStream<Bytes>> = None;
    loop {
        let now = *changes.borrow_and_update();
        let status = match now {
            Health::Serving => ServingStatus::Serving,
            Health::NotServing => ServingStatus::NotServing,
            Health::Silent => {
                if changes.changed().await.is_err() {
                    return;
                }
                continue;
            }
            Health::Unimplemented | Health::Broken => {
                let code = if now == Health::Broken {
                    Code::Unavailable
                } else {
                    Code::Unimplemented
                };
                if let Some(mut stream) = stream {
                    let _ = stream.send_trailers(trailers(code));
                } else {
                    let mut head = Response::new(());
                    *head.headers_mut() = trailers(code);
                    head.headers_mut()
                        .insert("content-type", HeaderValue::from_static("application/grpc"));
                    let _ = respond.send_response(head, true);
                }
                return;
            }
        };
        let said = HealthCheckResponse {
            status: status.into(),
        };
        let stream = stream.get_or_insert_with(|| {
            let head = Response::builder()
                .header("content-type", "application/grpc")
                .body(())
                .unwrap();
            respond.send_response(head, false).unwrap()
        });
        if stream.send_data(framed(&said), false).is_err() || changes.changed().await.is_err() {
            return;
        }
    }
}

fn response(id: &str) -> ResilienceResponse {
    ResilienceResponse {
        id: id.to_owned(),
        ..ResilienceResponse::default()
    }
}

fn message(response: &ResilienceResponse, attempt: i32) -> Bytes {
    let response = ResilienceResponse {
        attempt,
        ..response.clone()
    };
    framed(&response)
}

/// `message` with its length before it.
pub(crate) fn framed(message: &impl prost::Message) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u8(0);
    out.put_u32(message.encoded_len().try_into().unwrap());
    message.encode(&mut out).unwrap();
    out.freeze()
}

fn trailers(code: Code) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from(code as i32));
    if code != Code::Ok {
        trailers.insert("grpc-message", HeaderValue::from_static("as%20scripted"));
    }
    trailers
}
