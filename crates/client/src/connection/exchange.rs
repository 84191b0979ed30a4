//! One request and the head of its response.

use std::future::poll_fn;
use std::task::Poll;

use bytes::Bytes;
use h2::{RecvStream, SendStream};
use http::{Request, Response};

use super::{Broken, Connection};

/// As much as h2 takes in one piece, in bytes: the largest window (RFC 9113, section 6.9.1).
const MAX_PIECE: usize = (1 << 31) - 1;

/// A request that is on its way.
pub(crate) struct Exchange {
    response: h2::client::ResponseFuture,
}

/// Sends `head` and, with it, all of a body that is there already. Of a body that is still being made, the caller gets the
/// stream to send it on.
pub(crate) async fn exchange(
    connection: &Connection,
    head: Request<()>,
    whole: Option<Bytes>,
) -> Result<(Exchange, Option<SendStream<Bytes>>), Broken> {
    let mut send = connection.send.clone();
    let (response, mut stream) = match send.send_request(head, false) {
        Ok(streams) => streams,
        // The fault is the connection's, which is closing or has no more stream ids, or the request's.
        Err(error) => {
            let state = poll_fn(|cx| Poll::Ready(send.poll_ready(cx))).await;
            return Err(match state {
                Poll::Ready(Err(_)) => Broken::before_sending(&error),
                Poll::Ready(Ok(())) | Poll::Pending => Broken::unsendable(&error),
            });
        }
    };
    let stream = match whole {
        Some(body) => {
            send_whole(&mut stream, body)?;
            None
        }
        None => Some(stream),
    };
    Ok((Exchange { response }, stream))
}

/// Sends all of a body. Flow control holds it back within h2; it is one message, and in memory as it is.
fn send_whole(stream: &mut SendStream<Bytes>, body: Bytes) -> Result<(), Broken> {
    let size = body.len();
    match stream.send_data(body, true) {
        Err(error) if size > MAX_PIECE => Err(Broken::after_sending(&error)),
        // Any other error says that the stream takes no more: the peer was quicker to answer, with the head alone, or to reset
        // it, or the connection broke. Which of these it was, the response tells.
        Ok(()) | Err(_) => Ok(()),
    }
}

impl Exchange {
    /// The head of the response.
    ///
    /// # Cancel safety
    /// Dropping it resets the stream with CANCEL.
    pub(crate) async fn head(self) -> Result<Response<RecvStream>, Broken> {
        self.response
            .await
            .map_err(|error| Broken::after_sending(&error))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    /// Answers the first request with its head alone and wants no more of it.
    async fn answer_at_once(io: tokio::io::DuplexStream) {
        let mut connection = h2::server::handshake(io).await.unwrap();
        let (request, mut respond) = connection.accept().await.unwrap().unwrap();
        drop(request);
        respond.send_response(Response::new(()), true).unwrap();
        drop(respond);
        while connection.accept().await.is_some() {}
    }

    #[tokio::test]
    async fn an_answer_that_comes_before_the_body_was_sent_is_an_answer() {
        let (near, far) = tokio::io::duplex(64 * 1024);
        tokio::spawn(answer_at_once(far));
        let (mut send, connection) = h2::client::handshake(near).await.unwrap();
        tokio::spawn(connection);
        let head = Request::post("http://peer/").body(()).unwrap();
        let (response, mut stream) = send.send_request(head, false).unwrap();
        // The stream is over before the body is sent.
        let reset = poll_fn(|cx| stream.poll_reset(cx)).await.unwrap();
        assert_eq!(reset, h2::Reason::NO_ERROR);
        assert!(send_whole(&mut stream, Bytes::from_static(b"late")).is_ok());
        let answer = Exchange { response }.head().await.ok().unwrap();
        assert!(answer.body().is_end_stream());
    }
}
