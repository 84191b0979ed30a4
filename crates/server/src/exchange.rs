//! One call on its HTTP/2 stream: the request goes in, the answer goes out.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Request, Response};
use http_body::Frame;

use crate::peer::Peer;
use crate::response::Answer;
use crate::shed::Arrival;
use crate::stack::Stack;

/// The largest message that is sent with its head whatever the caller's window says, in bytes. So much lies in memory at most
/// for each stream of a caller that takes nothing.
const AT_ONCE: usize = 16 * 1024;
/// How much of the caller's window is asked for at a time, in bytes: a large message leaves room for other streams.
const PIECE: usize = 128 * 1024;

/// Serves a call. When the caller resets the stream or the connection breaks, the handler is dropped at once. When this
/// is dropped before its end, the stream is reset with CANCEL.
pub(crate) async fn run(
    stack: Arc<Stack>,
    peer: Peer,
    arrival: Arrival,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
) {
    let Some(answer) = until_reset(&mut respond, stack.serve(request, &peer, arrival)).await else {
        tracing::debug!("a caller went away before its answer");
        return;
    };
    if let Err(error) = answer_with(&mut respond, answer).await {
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            "an answer could not be sent"
        );
    }
}

/// `None` when the caller, or the connection, went away first.
async fn until_reset<F: Future>(respond: &mut SendResponse<Bytes>, work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => respond.poll_reset(cx).map(|_| None),
    })
    .await
}

/// Sends the answer. What of it is ready goes out together with its head, so a unary answer is one write: HEADERS, DATA and
/// trailers.
async fn answer_with(
    respond: &mut SendResponse<Bytes>,
    answer: Response<Answer>,
) -> Result<(), h2::Error> {
    let (head, mut body) = answer.into_parts();
    let head = Response::from_parts(head, ());
    if body.is_empty() {
        // Trailers-Only (PROTOCOL-HTTP2, Responses).
        respond.send_response(head, true)?;
        return Ok(());
    }
    let first = now(&mut body).await;
    let stream = &mut match first {
        Poll::Ready(Some(frame)) => match frame.into_data() {
            Ok(data) if data.len() <= AT_ONCE => {
                let second = now(&mut body).await;
                let mut stream = respond.send_response(head, false)?;
                stream.send_data(data, false)?;
                if let Poll::Ready(second) = second
                    && Sent::End == deliver(&mut stream, &mut body, second).await?
                {
                    return Ok(());
                }
                stream
            }
            large_or_trailers => {
                let frame = large_or_trailers.map_or_else(|trailers| trailers, Frame::data);
                let mut stream = respond.send_response(head, false)?;
                if Sent::End == deliver(&mut stream, &mut body, Some(frame)).await? {
                    return Ok(());
                }
                stream
            }
        },
        Poll::Ready(None) => {
            respond.send_response(head, true)?;
            return Ok(());
        }
        Poll::Pending => respond.send_response(head, false)?,
    };
    loop {
        let frame = next(stream, &mut body).await?;
        if Sent::End == deliver(stream, &mut body, frame).await? {
            return Ok(());
        }
    }
}

/// The next frame if it is there.
async fn now(body: &mut Answer) -> Poll<Option<Frame<Bytes>>> {
    poll_fn(|cx| Poll::Ready(body.poll_frame(cx))).await
}

/// The next frame; an error when the caller resets the stream first.
async fn next(
    stream: &mut SendStream<Bytes>,
    body: &mut Answer,
) -> Result<Option<Frame<Bytes>>, h2::Error> {
    poll_fn(|cx| match body.poll_frame(cx) {
        Poll::Ready(frame) => Poll::Ready(Ok(frame)),
        Poll::Pending => stream
            .poll_reset(cx)
            .map(|reset| Err(reset.map_or_else(|error| error, h2::Error::from))),
    })
    .await
}

/// Whether more can follow.
#[derive(PartialEq, Eq)]
enum Sent {
    More,
    End,
}

async fn deliver(
    stream: &mut SendStream<Bytes>,
    body: &mut Answer,
    frame: Option<Frame<Bytes>>,
) -> Result<Sent, h2::Error> {
    let Some(frame) = frame else {
        stream.send_data(Bytes::new(), true)?;
        return Ok(Sent::End);
    };
    match frame.into_data() {
        Ok(data) => send(stream, body, data).await,
        Err(frame) => {
            if let Ok(trailers) = frame.into_trailers() {
                stream.send_trailers(trailers)?;
                return Ok(Sent::End);
            }
            Ok(Sent::More)
        }
    }
}

/// What a wait for the caller's window ends with.
enum Waited {
    Room(usize),
    Late(HeaderMap),
}

/// Sends `data` as the caller takes it, until the deadline.
async fn send(
    stream: &mut SendStream<Bytes>,
    body: &mut Answer,
    mut data: Bytes,
) -> Result<Sent, h2::Error> {
    let whole = data.len();
    while !data.is_empty() {
        // Asked for when there is something to send, never before: what is reserved is taken from other streams.
        stream.reserve_capacity(data.len().min(PIECE));
        match room(stream, body).await? {
            Waited::Room(room) => {
                let piece = data.split_to(room.min(data.len()));
                stream.send_data(piece, false)?;
            }
            Waited::Late(trailers) => {
                stream.reserve_capacity(0);
                if data.len() == whole {
                    stream.send_trailers(trailers)?;
                } else {
                    // Half a message cannot be followed by trailers. The caller has the same deadline.
                    stream.send_reset(Reason::CANCEL);
                }
                return Ok(Sent::End);
            }
        }
    }
    Ok(Sent::More)
}

async fn room(stream: &mut SendStream<Bytes>, body: &mut Answer) -> Result<Waited, h2::Error> {
    poll_fn(|cx| {
        loop {
            match stream.capacity() {
                0 => {}
                room => return Poll::Ready(Ok(Waited::Room(room))),
            }
            match stream.poll_capacity(cx) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                // The stream is over: it was reset.
                Poll::Ready(None) => return Poll::Ready(Err(Reason::CANCEL.into())),
                Poll::Pending => {
                    return body
                        .poll_expired(cx)
                        .map(|trailers| Ok(Waited::Late(trailers)));
                }
            }
        }
    })
    .await
}
