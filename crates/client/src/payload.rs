//! What a call sends, so that it can be sent again.

mod pump;

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use http_body::Body as _;
use tonic::Status;
use tonic::body::Body;

pub(crate) use self::pump::Pump;

/// The body of a request.
pub(crate) enum Payload {
    /// All of it is there: a unary request.
    Whole(Bytes),
    /// It is made while it is sent; a task of its own sends it.
    Stream(Arc<Pump>),
}

impl Payload {
    /// Takes what is there of `body` without waiting.
    ///
    /// # Errors
    /// What the encoder says, of a message that is too large for example. Nothing was sent.
    pub(crate) async fn read(body: Body) -> Result<Self, Status> {
        let mut body = Some(Box::pin(body));
        let mut begun: Vec<Bytes> = Vec::new();
        let ended = poll_fn(|cx| {
            // A stream that always has something more is not read to its end here.
            while begun.len() < 2
                && let Some(body) = &mut body
            {
                match body.as_mut().poll_frame(cx) {
                    Poll::Ready(None) => return Poll::Ready(Ok(true)),
                    Poll::Ready(Some(Ok(frame))) => begun.extend(frame.into_data()),
                    Poll::Ready(Some(Err(status))) => return Poll::Ready(Err(status)),
                    Poll::Pending => break,
                }
            }
            Poll::Ready(Ok(false))
        })
        .await?;
        Ok(match (body.take(), begun.len()) {
            (_, 0) if ended => Self::Whole(Bytes::new()),
            (_, 1) if ended => Self::Whole(begun.swap_remove(0)),
            (body, _) => Self::Stream(Arc::new(Pump::new(begun, body.filter(|_| !ended)))),
        })
    }
}
