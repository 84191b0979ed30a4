//! The body of a response: under the deadline and within the call's context until its end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use scribemed_rpc::{Fault, metadata, reason};
use tokio::time::Sleep;
use tonic::{Code, Status};

use crate::call::Call;

pin_project_lite::pin_project! {
    /// What the handler answers, ended with DEADLINE_EXCEEDED when the deadline passes first.
    pub(crate) struct Response {
        #[pin]
        inner: tonic::body::Body,
        #[pin]
        deadline: Option<Sleep>,
        call: Call,
        domain: &'static str,
        ended: bool,
    }
}

impl Response {
    pub(crate) fn new(inner: tonic::body::Body, call: Call, domain: &'static str) -> Self {
        let deadline = call
            .deadline()
            .map(|deadline| tokio::time::sleep_until(deadline.instant()));
        Self {
            inner,
            deadline,
            call,
            domain,
            ended: false,
        }
    }
}

impl Body for Response {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        let late = this
            .deadline
            .as_pin_mut()
            .is_some_and(|deadline| deadline.poll(cx).is_ready());
        let end = |call: &mut Call, ended: &mut bool, status: &Status| {
            *ended = true;
            call.end(status.code());
            Poll::Ready(Some(Ok(Frame::trailers(trailers(status)))))
        };
        if late {
            return end(this.call, this.ended, &deadline_exceeded(this.domain));
        }
        let context = this.call.context().clone();
        let span = this.call.span().clone();
        let polled = catch_unwind(AssertUnwindSafe(|| {
            context.sync_scope(|| span.in_scope(|| this.inner.poll_frame(cx)))
        }));
        match polled {
            Err(_) => end(this.call, this.ended, &panicked(this.domain)),
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(None)) => {
                // The head said it all: an error without a body, which was counted there.
                *this.ended = true;
                this.call.end(Code::Ok);
                Poll::Ready(None)
            }
            Ok(Poll::Ready(Some(Err(status)))) => {
                end(this.call, this.ended, &detailed(status, this.domain))
            }
            Ok(Poll::Ready(Some(Ok(frame)))) => match frame.into_trailers() {
                Ok(mut headers) => {
                    *this.ended = true;
                    this.call.end(settle(&mut headers, this.domain));
                    Poll::Ready(Some(Ok(Frame::trailers(headers))))
                }
                Err(data) => Poll::Ready(Some(Ok(data))),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Reads the code of a final header block, and gives an error its details where the handler gave none.
pub(crate) fn settle(headers: &mut HeaderMap, domain: &'static str) -> Code {
    let Some(status) = Status::from_header_map(headers) else {
        return Code::Unknown;
    };
    if status.code() != Code::Ok && !headers.contains_key(metadata::GRPC_STATUS_DETAILS) {
        headers.remove(metadata::GRPC_STATUS);
        headers.remove(metadata::GRPC_MESSAGE);
        headers.extend(trailers(&detailed(status.clone(), domain)));
    }
    status.code()
}

/// `status` with an ErrorInfo, which every error has (AIP-193).
pub(crate) fn detailed(status: Status, domain: &'static str) -> Status {
    if status.code() == Code::Ok || !status.details().is_empty() {
        return status;
    }
    let known = [
        (Code::Unimplemented, reason::METHOD_UNKNOWN),
        (Code::Cancelled, reason::CANCELLED),
    ];
    let reason = known
        .into_iter()
        .find(|(code, _)| *code == status.code())
        .map_or(reason::UNSPECIFIED, |(_, reason)| reason);
    Fault::new(status.code(), reason, domain, status.message()).into_status()
}

/// The final header block for `status`.
pub(crate) fn trailers(status: &Status) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if status.add_header(&mut headers).is_err() {
        // Only metadata that is no valid header can fail, and then the code alone still holds.
        headers.clear();
        headers.insert(
            metadata::GRPC_STATUS,
            http::HeaderValue::from(status.code() as i32),
        );
    }
    headers
}

pub(crate) fn deadline_exceeded(domain: &'static str) -> Status {
    Fault::new(
        Code::DeadlineExceeded,
        reason::DEADLINE_EXCEEDED,
        domain,
        "the deadline passed before the call was done",
    )
    .into_status()
}

pub(crate) fn panicked(domain: &'static str) -> Status {
    Fault::new(
        Code::Internal,
        reason::PANICKED,
        domain,
        "the service failed unexpectedly; its log tells more under this request's id",
    )
    .into_status()
}
