//! What a handler answers: under the deadline and within the call's context until its end.

use std::future::Future as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as _, Frame};
use scribemed_audit::Written;
use scribemed_rpc::{Fault, metadata, reason};
use tonic::body::Body;
use tonic::{Code, Status};

use crate::call::Call;
use crate::expiry::Expiry;
use crate::failure;

/// The body of an answer, ended with DEADLINE_EXCEEDED when the deadline passes first.
pub(crate) struct Answer {
    inner: Body,
    expiry: Expiry,
    call: Call,
    domain: &'static str,
    /// The first frame was given out.
    begun: bool,
    ended: bool,
    /// The end of an answer that nobody must hear of before its record is on the disk.
    held: Option<(Written, HeaderMap)>,
}

impl Answer {
    pub(crate) fn new(inner: Body, expiry: Expiry, call: Call, domain: &'static str) -> Self {
        Self {
            inner,
            expiry,
            call,
            domain,
            begun: false,
            ended: false,
            held: None,
        }
    }

    /// Whether the head is all there is.
    pub(crate) fn is_empty(&self) -> bool {
        self.inner.is_end_stream()
    }

    /// The next frame. Trailers are the last; `None` without trailers before it means that the head said it all.
    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Frame<Bytes>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if self.held.is_some() {
            return self.poll_held(cx);
        }
        let Self { inner, call, .. } = self;
        let polled = catch_unwind(AssertUnwindSafe(|| {
            call.context()
                .clone()
                .sync_scope(|| call.span().in_scope(|| Pin::new(inner).poll_frame(cx)))
        }));
        match polled {
            Err(_panic) => {
                self.call.observed().panicked();
                Poll::Ready(Some(Frame::trailers(self.fail(&panicked(self.domain)))))
            }
            Ok(Poll::Pending) => self
                .poll_expired(cx)
                .map(|late| Some(Frame::trailers(late))),
            Ok(Poll::Ready(None)) => {
                self.ended = true;
                // An error without a body was counted with its head.
                drop(self.call.end(Code::Ok));
                Poll::Ready(None)
            }
            Ok(Poll::Ready(Some(Err(status)))) => {
                Poll::Ready(Some(Frame::trailers(self.fail(&status))))
            }
            Ok(Poll::Ready(Some(Ok(frame)))) => {
                Poll::Ready(Some(match frame.into_trailers() {
                    Ok(mut headers) => {
                        let code = settle(&mut headers, self.domain, &self.call);
                        if let Some(written) = self.call.end(code) {
                            self.held = Some((written, headers));
                            return self.poll_held(cx);
                        }
                        self.ended = true;
                        Frame::trailers(headers)
                    }
                    // A stream that is always ready never comes to wait for its deadline. What came with the head came in
                    // time.
                    Err(_data) if self.begun && self.expiry.has_passed() => {
                        Frame::trailers(self.fail(&deadline_exceeded(self.domain)))
                    }
                    Err(data) => {
                        self.begun = true;
                        if let Some(data) = data.data_ref() {
                            self.call.sending(data);
                        }
                        data
                    }
                }))
            }
        }
    }

    /// Ready with the end that was held back, when the record of the call is on the disk. The deadline holds here, too.
    fn poll_held(&mut self, cx: &mut Context<'_>) -> Poll<Option<Frame<Bytes>>> {
        let Some((written, headers)) = &mut self.held else {
            return Poll::Ready(None);
        };
        match Pin::new(written).poll(cx) {
            Poll::Ready(()) => {
                let headers = std::mem::take(headers);
                (self.ended, self.held) = (true, None);
                Poll::Ready(Some(Frame::trailers(headers)))
            }
            Poll::Pending => self.poll_expired(cx).map(|late| {
                self.held = None;
                tracing::warn!("a record of the audit log was not on the disk by the deadline");
                Some(Frame::trailers(late))
            }),
        }
    }

    /// Ready with the trailers that end the answer when the deadline passes. To be asked while the answer waits for its
    /// handler or for the caller to take more of it.
    pub(crate) fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<HeaderMap> {
        self.expiry
            .poll(cx)
            .map(|()| self.fail(&deadline_exceeded(self.domain)))
    }

    fn fail(&mut self, status: &Status) -> HeaderMap {
        self.ended = true;
        let mut headers = trailers(status);
        let code = settle(&mut headers, self.domain, &self.call);
        // Of an error nobody relies on, so it is not held back.
        drop(self.call.end(code));
        headers
    }
}

/// Reads the code of a final header block, and completes that of an error. Costs a call that went well one comparison.
pub(crate) fn settle(headers: &mut HeaderMap, domain: &'static str, call: &Call) -> Code {
    match headers
        .get(metadata::GRPC_STATUS)
        .map(http::HeaderValue::as_bytes)
    {
        None => Code::Unknown,
        Some(b"0") => Code::Ok,
        Some(_) => call
            .span()
            .in_scope(|| failure::complete(headers, domain, call.context())),
    }
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
