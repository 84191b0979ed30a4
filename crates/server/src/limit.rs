//! The contract's limit on the size of a request message, checked at the length prefix: before the message is received.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use http_body::{Body, Frame};
use scribemed_rpc::{Fault, MethodPolicy, reason};
use tonic::{Code, Status};

/// A length-prefixed message begins with one byte of flags and four of length (PROTOCOL-HTTP2, Length-Prefixed-Message).
const PREFIX: usize = 5;

pin_project_lite::pin_project! {
    /// A request body whose messages are at most as large as the contract allows.
    pub(crate) struct Limited<B> {
        #[pin]
        inner: B,
        policy: &'static MethodPolicy,
        domain: &'static str,
        // How far the current message has come: its prefix, then what is left of it.
        prefix: [u8; PREFIX],
        filled: usize,
        left: usize,
        ended: bool,
    }
}

impl<B> Limited<B> {
    pub(crate) fn new(inner: B, policy: &'static MethodPolicy, domain: &'static str) -> Self {
        Self {
            inner,
            policy,
            domain,
            prefix: [0; PREFIX],
            filled: 0,
            left: 0,
            ended: false,
        }
    }
}

impl<B: Body<Data = Bytes>> Body for Limited<B>
where
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
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
        let frame = match ready!(this.inner.as_mut().poll_frame(cx)) {
            None => {
                *this.ended = true;
                // A caller that goes away in the middle of a stream must not look like one that has finished: half an
                // upload would be taken for the whole. The transport ends the body the same way in both cases.
                return Poll::Ready(
                    (!this.inner.is_end_stream()).then(|| Err(caller_gone(this.domain))),
                );
            }
            Some(Ok(frame)) => frame,
            Some(Err(error)) => {
                *this.ended = true;
                tracing::debug!(
                    error = &*error.into() as &dyn std::error::Error,
                    "a request broke off"
                );
                return Poll::Ready(Some(Err(caller_gone(this.domain))));
            }
        };
        if let Some(data) = frame.data_ref() {
            let mut data = data.clone();
            while data.has_remaining() {
                let skipped = (*this.left).min(data.remaining());
                data.advance(skipped);
                *this.left -= skipped;
                while *this.left == 0 && *this.filled < PREFIX && data.has_remaining() {
                    this.prefix[*this.filled] = data.get_u8();
                    *this.filled += 1;
                }
                if *this.filled == PREFIX {
                    *this.filled = 0;
                    let [_, a, b, c, d] = *this.prefix;
                    *this.left = u32::from_be_bytes([a, b, c, d]) as usize;
                    if *this.left > this.policy.max_request_bytes {
                        *this.ended = true;
                        return Poll::Ready(Some(Err(too_large(
                            this.policy,
                            this.domain,
                            *this.left,
                        ))));
                    }
                }
            }
        }
        Poll::Ready(Some(Ok(frame)))
    }
}

/// Not CANCELLED, which tonic's request streams take for a regular end.
fn caller_gone(domain: &'static str) -> Status {
    Fault::new(
        Code::Aborted,
        reason::CANCELLED,
        domain,
        "the caller went away before the end of its request",
    )
    .into_status()
}

fn too_large(policy: &MethodPolicy, domain: &'static str, size: usize) -> Status {
    let limit = policy.max_request_bytes;
    let fault = |message: String| {
        Fault::new(
            Code::ResourceExhausted,
            reason::REQUEST_TOO_LARGE,
            domain,
            message,
        )
        .metadata("size_bytes", size.to_string())
        .metadata("limit_bytes", limit.to_string())
    };
    match policy.bulk_field {
        Some(field) => fault(format!(
            "{} must be at most {} bytes; the request message of {size} bytes is above the limit of {limit} bytes",
            field.path, field.max_bytes
        ))
        .field(field.path, format!("must be at most {} bytes", field.max_bytes)),
        None => fault(format!("the request message of {size} bytes is above the limit of {limit} bytes")),
    }
    .into_status()
}
