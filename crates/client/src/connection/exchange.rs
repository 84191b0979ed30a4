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
        // Flow control holds it back within h2; it is one message, and in memory as it is.
        Some(body) => {
            let size = body.len();
            if let Err(error) = stream.send_data(body, true)
                && size > MAX_PIECE
            {
                return Err(Broken::after_sending(&error));
            }
            // Any other error says that the stream takes no more: the peer was quicker to answer, with the head alone, or to
            // reset it, or the connection broke. Which of these it was, the response tells.
            None
        }
        None => Some(stream),
    };
    Ok((Exchange { response }, stream))
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
