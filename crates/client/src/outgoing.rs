//! What an outgoing call takes over from the call that makes it.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use scribemed_rpc::{
    CallContext, Deadline, RequestId, SubjectToken, TraceContext, format_timeout, metadata,
    parse_timeout,
};
use scribemed_telemetry::traces::Tracer;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::failure::Failures;
use crate::policy::CallPolicy;

/// Kept back from the remaining time of the call that is being served, so that there is time left to answer it.
const HOP_MARGIN: Duration = Duration::from_millis(5);

/// An outgoing call: until when, as part of what, and whether it is still wanted.
#[derive(Debug)]
pub(crate) struct Outgoing {
    begun: Instant,
    asked: bool,
    deadline: Deadline,
    request_id: RequestId,
    trace: TraceContext,
    /// That of the call that makes this one; `None`: no call does.
    cancelled: Option<CancellationToken>,
    previous_attempts: u32,
    /// The token of the end user for whom the call is made, if it is made for one.
    subject: Option<SubjectToken>,
}

impl Outgoing {
    /// A call under this policy with these headers, made from within the current [`CallContext`].
    pub(crate) fn new(
        policy: &CallPolicy,
        headers: &HeaderMap,
        failures: &Failures,
    ) -> Result<Self, Status> {
        let asked = headers
            .get(metadata::GRPC_TIMEOUT)
            .map(parse_timeout)
            .transpose()
            .map_err(|error| failures.malformed_timeout(&error))?;
        let context = CallContext::current();
        let inherited = context
            .as_ref()
            .and_then(CallContext::deadline)
            .map(|deadline| deadline.remaining().saturating_sub(HOP_MARGIN));
        let timeout = [asked, inherited]
            .into_iter()
            .flatten()
            .fold(policy.timeout, Duration::min);
        if timeout.is_zero() {
            return Err(failures.no_time());
        }
        let begun = Instant::now();
        let deadline = Deadline::from(begun, timeout);
        Ok(match context {
            Some(context) => Self {
                begun,
                asked: asked.is_some(),
                deadline,
                request_id: context.request_id(),
                trace: context.trace().child(),
                cancelled: Some(context.cancelled().clone()),
                previous_attempts: context.previous_attempts(),
                subject: context.subject().cloned(),
            },
            None => Self {
                begun,
                asked: asked.is_some(),
                deadline,
                request_id: RequestId::generate(),
                trace: TraceContext::root(),
                cancelled: None,
                previous_attempts: 0,
                subject: None,
            },
        })
    }

    /// Has the sampler decide whether the trace is recorded.
    pub(crate) fn sample(&mut self, tracer: &Tracer) {
        self.trace = tracer.begin(self.trace.clone());
    }

    pub(crate) fn trace(&self) -> &TraceContext {
        &self.trace
    }

    /// Writes the headers that go along, with the time that is left at `now`. `span`: that of the attempt, if it has one.
    ///
    /// Their values are new with each call: in HPACK's table they would drive each other out, and everything else with them.
    /// On a connection that is `primed`, whose table has their names, they are kept out of it (RFC 7541, section 6.2.3).
    pub(crate) fn write(
        &self,
        headers: &mut HeaderMap,
        now: Instant,
        primed: bool,
        span: Option<&TraceContext>,
    ) {
        let mut put = |name, mut value: HeaderValue| {
            value.set_sensitive(primed);
            headers.insert(name, value);
        };
        put(
            metadata::GRPC_TIMEOUT,
            format_timeout(self.deadline.remaining_at(now)),
        );
        put(metadata::X_REQUEST_ID, self.request_id.header());
        put(metadata::TRACEPARENT, span.unwrap_or(&self.trace).header());
        if let Some(state) = self.trace.state() {
            headers.insert(metadata::TRACESTATE, state.clone());
        }
    }

    /// Whether the caller has set a timeout of its own.
    pub(crate) fn was_asked(&self) -> bool {
        self.asked
    }

    pub(crate) fn begun(&self) -> Instant {
        self.begun
    }

    pub(crate) fn deadline(&self) -> Deadline {
        self.deadline
    }

    pub(crate) fn cancelled(&self) -> Option<&CancellationToken> {
        self.cancelled.as_ref()
    }

    /// How many attempts at the call that is being served came before the one that makes this call.
    pub(crate) fn previous_attempts(&self) -> u32 {
        self.previous_attempts
    }

    /// The token of the end user for whom the call is made, if it is made for one.
    pub(crate) fn subject(&self) -> Option<&SubjectToken> {
        self.subject.as_ref()
    }
}
