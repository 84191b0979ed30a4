//! The body of a response: under the deadline, and with the call that asked for it, until its end.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use scribemed_resilience::outcome::Outcome;
use scribemed_rpc::metadata;
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::{Code, Status};

use crate::body::{Framing, sanitize};
use crate::call::{Call, code_of};
use crate::connection::RecvBody;
use crate::payload::Pump;
use crate::ticket::Ticket;

/// What the service answers. Ends with DEADLINE_EXCEEDED when the deadline passes, and with CANCELLED when the call that
/// asked for it is over.
pub struct ResponseBody {
    /// `None` once it has ended.
    streaming: Option<Streaming>,
}

struct Streaming {
    inner: RecvBody,
    /// The head said OK: there may be nothing more (Trailers-Only).
    ok: bool,
    framing: Framing,
    received: u64,
    ticket: Ticket,
    call: Box<Call>,
    /// Sends on what is left of a streamed request.
    pump: Option<Arc<Pump>>,
    cancelled: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

impl ResponseBody {
    pub(crate) fn new(
        inner: RecvBody,
        ok: bool,
        ticket: Ticket,
        call: Box<Call>,
        pump: Option<Arc<Pump>>,
    ) -> Self {
        Self {
            streaming: Some(Streaming {
                inner,
                ok,
                framing: Framing::default(),
                received: 0,
                ticket,
                call,
                pump,
                cancelled: None,
            }),
        }
    }

    /// That of an answer which said everything in its head.
    pub(crate) fn empty() -> Self {
        Self { streaming: None }
    }
}

/// How a response ends.
enum End {
    /// As the service said, in its trailers.
    Trailers(HeaderMap),
    /// Otherwise: the status, and how the endpoint is judged by it.
    Failed(Status, Outcome),
}

impl Streaming {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, End>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        let outgoing = &self.call.record.outgoing;
        match polled {
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => {
                    // A stream that always has something to say must not outrun its end; its first message is no stream yet.
                    let first = self.received == 0;
                    self.received += data.len() as u64;
                    if !first && outgoing.deadline().has_passed() {
                        return Poll::Ready(Err(self.late()));
                    }
                    if outgoing.cancelled().is_some_and(|over| over.is_cancelled()) {
                        return Poll::Ready(Err(self.unwanted()));
                    }
                    let limit = self.call.record.policy.max_response_bytes;
                    Poll::Ready(match self.framing.check(&data, limit) {
                        Ok(()) => Ok(data),
                        Err(size) => {
                            let report = self.call.record.report(Some(&self.ticket));
                            let status = self
                                .call
                                .record
                                .failures()
                                .response_too_large(size, limit, &report);
                            Err(End::Failed(status, Outcome::Failure))
                        }
                    })
                }
                Err(frame) => {
                    let trailers = frame.into_trailers().unwrap_or_default();
                    Poll::Ready(Err(match code_of(&trailers) {
                        // The service was quicker to notice that the time is over.
                        Some(Code::Cancelled) if outgoing.deadline().has_passed() => self.late(),
                        Some(_) => End::Trailers(trailers),
                        None => self.without_status(),
                    }))
                }
            },
            Poll::Ready(None) if self.ok => {
                let mut trailers = HeaderMap::new();
                trailers.insert(metadata::GRPC_STATUS, HeaderValue::from(0));
                Poll::Ready(Err(End::Trailers(trailers)))
            }
            Poll::Ready(None) => Poll::Ready(Err(self.without_status())),
            Poll::Ready(Some(Err(broken))) => {
                self.ticket.with_connection = broken.everybody;
                Poll::Ready(Err(self.broken(&broken)))
            }
            Poll::Pending => self.poll_end(cx),
        }
    }

    /// Nothing has come: perhaps nothing should come any more.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, End>> {
        let outgoing = &self.call.record.outgoing;
        if let Some(over) = outgoing.cancelled() {
            let waiting = self
                .cancelled
                .get_or_insert_with(|| Box::pin(over.clone().cancelled_owned()));
            if waiting.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(self.unwanted()));
            }
        }
        let at = outgoing.deadline().instant();
        if self.call.timer.poll_deadline(at, cx).is_ready() {
            return Poll::Ready(Err(self.late()));
        }
        Poll::Pending
    }

    fn without_status(&self) -> End {
        let why = "the response ended without a grpc-status";
        let report = self.call.record.report(Some(&self.ticket));
        let status = self
            .call
            .record
            .failures()
            .not_grpc(Code::Unknown, why, &report);
        End::Failed(status, Outcome::Failure)
    }

    fn late(&self) -> End {
        let report = self.call.record.report(Some(&self.ticket));
        let status = self.call.record.failures().deadline_exceeded(&report);
        End::Failed(status, self.call.record.judge_lateness(&self.ticket))
    }

    fn unwanted(&self) -> End {
        let report = self.call.record.report(Some(&self.ticket));
        End::Failed(
            self.call.record.failures().cancelled(&report),
            Outcome::Ignored,
        )
    }

    fn broken(&self, broken: &crate::connection::Broken) -> End {
        if let Some(status) = self.pump.as_ref().and_then(|pump| pump.error()) {
            return End::Failed(status, Outcome::Ignored);
        }
        if self.call.record.outgoing.deadline().has_passed() {
            return self.late();
        }
        let report = self.call.record.report(Some(&self.ticket));
        let status = self
            .call
            .record
            .failures()
            .broken(broken.code, &broken.what, &report);
        End::Failed(status, Outcome::of(broken.code))
    }

    /// Writes to the ledger how it ended, and returns the last thing for the caller.
    fn end(mut self, end: End) -> Result<Frame<Bytes>, Status> {
        if let Some(pump) = &self.pump {
            self.ticket.sent_bytes = pump.sent();
        }
        let now = self.call.now();
        match end {
            End::Trailers(mut trailers) => {
                let code = code_of(&trailers).unwrap_or(Code::Unknown);
                if code == Code::Ok {
                    self.call.record.succeeded();
                } else {
                    sanitize(&mut trailers);
                    self.call
                        .record
                        .report(Some(&self.ticket))
                        .write(&mut trailers);
                }
                self.ticket.end(code, self.received, now);
                self.call.record.end(code, now);
                Ok(Frame::trailers(trailers))
            }
            End::Failed(status, outcome) => {
                self.ticket
                    .end_as(status.code(), outcome, self.received, now);
                self.call.record.end(status.code(), now);
                Err(status)
            }
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(streaming) = &mut self.streaming else {
            return Poll::Ready(None);
        };
        match std::task::ready!(streaming.poll(cx)) {
            Ok(data) => Poll::Ready(Some(Ok(Frame::data(data)))),
            Err(end) => Poll::Ready(self.streaming.take().map(|streaming| streaming.end(end))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.streaming.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

impl std::fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseBody")
            .field("ended", &self.streaming.is_none())
            .finish_non_exhaustive()
    }
}
