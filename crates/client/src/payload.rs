//! What a call sends, so that it can be sent again.

mod pump;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Body as _;
use scribemed_rpc::codec::recover;
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
    /// What the encoder says, of a message that is too large or breaks the contract for example. Nothing was sent.
    pub(crate) fn read(mut body: Body, cx: &mut Context<'_>) -> Result<Self, Status> {
        let mut begun: Option<Bytes> = None;
        loop {
            match Pin::new(&mut body).poll_frame(cx) {
                Poll::Ready(None) => return Ok(Self::Whole(begun.unwrap_or_default())),
                Poll::Ready(Some(Err(status))) => return Err(recover(status)),
                Poll::Ready(Some(Ok(frame))) => {
                    let Ok(data) = frame.into_data() else {
                        continue;
                    };
                    match begun.take() {
                        None => begun = Some(data),
                        // A stream that always has something more is not read to its end here.
                        Some(first) => return Ok(Self::stream(vec![first, data], body)),
                    }
                }
                Poll::Pending => return Ok(Self::stream(begun.into_iter().collect(), body)),
            }
        }
    }

    fn stream(begun: Vec<Bytes>, rest: Body) -> Self {
        Self::Stream(Arc::new(Pump::new(begun, rest)))
    }
}
