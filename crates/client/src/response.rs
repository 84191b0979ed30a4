//! The body of a response: under the deadline, and with the call that asked for it, until its end.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::Status;

use crate::failure::Failures;
use crate::outgoing::Outgoing;

pin_project_lite::pin_project! {
    /// What the service answers. Ends with DEADLINE_EXCEEDED when the deadline passes, and with CANCELLED when the call
    /// that asked for it is over.
    #[derive(Debug)]
    pub struct ResponseBody {
        #[pin]
        inner: tonic::body::Body,
        #[pin]
        deadline: Sleep,
        #[pin]
        cancelled: WaitForCancellationFutureOwned,
        outgoing: Outgoing,
        failures: Failures,
        ended: bool,
    }
}

impl ResponseBody {
    pub(crate) fn new(inner: tonic::body::Body, outgoing: Outgoing, failures: Failures) -> Self {
        Self {
            inner,
            deadline: tokio::time::sleep_until(outgoing.deadline().instant()),
            cancelled: outgoing.cancelled().clone().cancelled_owned(),
            outgoing,
            failures,
            ended: false,
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let mut this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        // The ends come first: a stream that always has something to say must not outrun them.
        let failed = if this.cancelled.poll(cx).is_ready() {
            this.failures.cancelled()
        } else if this.deadline.poll(cx).is_ready() {
            this.failures.deadline_exceeded(true)
        } else {
            match ready!(this.inner.as_mut().poll_frame(cx)) {
                Some(Err(status)) => {
                    let status = this.failures.broken(&status);
                    this.outgoing.judge(status, this.failures)
                }
                frame => return Poll::Ready(frame),
            }
        };
        *this.ended = true;
        // Resets the stream now, whenever the caller lets go of the response.
        this.inner.set(tonic::body::Body::empty());
        Poll::Ready(Some(Err(failed)))
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
