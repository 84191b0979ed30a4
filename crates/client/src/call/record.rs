//! What is known of a call, for its errors and its metrics.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use scribemed_resilience::Tick;
use scribemed_resilience::decide::Sent;
use scribemed_resilience::outcome::Outcome;
use scribemed_rpc::metadata;
use tonic::Code;

use super::attempt::Failed;
use crate::failure::Failures;
use crate::outgoing::Outgoing;
use crate::policy::CallPolicy;
use crate::report::CallReport;
use crate::shared::{Method, Shared};
use crate::ticket::Ticket;
use crate::traced::{AttemptSpan, Traced};

/// An attempt that was given less time than this is not blamed for having been too slow.
const FAIR_TIME: Duration = Duration::from_secs(1);

/// What is known of a call. It is counted once: when it ends, or, as CANCELLED, when it is dropped.
pub(crate) struct Record {
    shared: Arc<Shared>,
    method: Arc<Method>,
    pub(crate) policy: Arc<CallPolicy>,
    pub(crate) outgoing: Outgoing,
    begun: Tick,
    ended: bool,
    /// Attempts that were sent.
    pub(super) attempts: u32,
    pub(super) retries: u32,
    pub(super) transparent_retries: u32,
    pub(super) hedges: u32,
    pub(super) retry_delay: Duration,
    /// Of these: those that the service provably has not looked at.
    refused: u32,
    endpoint: Option<Arc<str>>,
    last_failure: Option<String>,
    /// The next attempt is a transparent retry.
    pub(super) transparent: bool,
    span: Option<Box<Traced>>,
}

impl Record {
    pub(super) fn new(
        shared: &Arc<Shared>,
        method: &Arc<Method>,
        policy: Arc<CallPolicy>,
        outgoing: Outgoing,
        now: Tick,
    ) -> Self {
        Self {
            span: Traced::begin(shared.tracer.as_ref(), outgoing.trace()),
            transparent: false,
            shared: Arc::clone(shared),
            method: Arc::clone(method),
            policy,
            outgoing,
            begun: now,
            ended: false,
            attempts: 0,
            retries: 0,
            transparent_retries: 0,
            hedges: 0,
            retry_delay: Duration::ZERO,
            refused: 0,
            endpoint: None,
            last_failure: None,
        }
    }

    pub(crate) fn failures(&self) -> &Failures {
        &self.shared.failures
    }

    /// The span of an attempt that is about to be made.
    pub(super) fn attempt_span(&self, previous_attempts: u32) -> Option<Box<AttemptSpan>> {
        let span = self.span.as_ref()?;
        Some(span.attempt(previous_attempts, self.transparent))
    }

    /// An attempt has left.
    pub(super) fn sent(&mut self) {
        self.attempts += 1;
    }

    /// Remembers the failure of an attempt. To be told once of each.
    pub(super) fn failed(&mut self, failed: &Failed) {
        self.endpoint = Some(Arc::clone(&failed.endpoint));
        self.last_failure = Some(failed.to_string());
        if failed.failure.sent == Sent::Refused {
            self.refused += 1;
        }
    }

    /// What became of it so far. `ticket`: the attempt at hand.
    pub(crate) fn report(&self, ticket: Option<&Ticket>) -> CallReport {
        let endpoint = match ticket {
            Some(ticket) => Some(&*ticket.endpoint.name),
            None => self.endpoint.as_deref(),
        };
        CallReport::new(
            self.failures().service(),
            self.failures().target(),
            self.attempts,
            self.attempts > self.refused,
        )
        .with_last(endpoint, self.last_failure.as_deref())
    }

    /// A call that was answered well gives a token back to the retry throttle (gRFC A6).
    pub(crate) fn succeeded(&self) {
        if let Some(throttle) = &*self.shared.throttle.load() {
            throttle.on_success();
        }
    }

    /// How an endpoint is judged that has not answered by the deadline: it was slow only if it had time enough.
    pub(crate) fn judge_lateness(&self, ticket: &Ticket) -> Outcome {
        let had = self.shared.clock.now().since(ticket.begun());
        if had >= FAIR_TIME.min(self.policy.timeout) {
            Outcome::Failure
        } else {
            Outcome::Ignored
        }
    }

    /// Counts it as ended now.
    pub(crate) fn end_now(&mut self, code: Code) {
        self.end(code, self.shared.clock.now());
    }

    /// Counts it.
    pub(crate) fn end(&mut self, code: Code, now: Tick) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        if let Some(span) = self.span.take() {
            let (spans, target) = (&self.method.spans, self.failures().target());
            span.end(spans, target, now.since(self.begun), code);
        }
        self.method.metrics.call_ended(
            code as i32,
            now.since(self.begun),
            self.retries,
            self.transparent_retries,
            self.hedges,
            self.retry_delay,
        );
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if !self.ended {
            self.end_now(Code::Cancelled);
        }
    }
}

/// The status code of a header block; `None`: it has none.
pub(crate) fn code_of(headers: &HeaderMap) -> Option<Code> {
    headers
        .get(metadata::GRPC_STATUS)
        .map(|value| Code::from_bytes(value.as_bytes()))
}
