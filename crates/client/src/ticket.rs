//! One attempt, from the pick of its endpoint to the status in its trailers.

use std::sync::Arc;

use scribemed_resilience::Tick;
use scribemed_resilience::breaker::{Permit, State};
use scribemed_resilience::outcome::Outcome;
use scribemed_telemetry::metrics::BreakerState;
use tokio::time::Instant;
use tonic::Code;

use crate::balance::Picked;
use crate::connection::Connection;
use crate::endpoint::Endpoint;
use crate::shared::{Method, Shared};
use crate::traced::AttemptSpan;

/// A failing endpoint is taken for this slow, so that calls go elsewhere (Finagle's failure penalty).
const PENALTY: std::time::Duration = std::time::Duration::from_secs(5);

/// An attempt. Whatever becomes of it is written, once, to the one ledger that outlier detection, balancing, the breaker and the
/// metrics read from: by [`end`](Self::end), or when it is dropped, because nobody wanted it any more.
pub(crate) struct Ticket {
    shared: Arc<Shared>,
    method: Arc<Method>,
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) connection: Arc<Connection>,
    permit: Option<Permit>,
    at: Instant,
    begun: Tick,
    answered: bool,
    /// What ends it befalls its connection.
    pub(crate) with_connection: bool,
    pub(crate) sent_bytes: u64,
    /// `None`: it is not recorded.
    pub(crate) span: Option<Box<AttemptSpan>>,
}

impl Ticket {
    pub(crate) fn new(
        shared: &Arc<Shared>,
        method: &Arc<Method>,
        picked: Picked,
        permit: Permit,
        at: Instant,
    ) -> Self {
        picked.endpoint.enter();
        picked.connection.enter();
        method.metrics.attempt_started();
        Self {
            shared: Arc::clone(shared),
            method: Arc::clone(method),
            endpoint: picked.endpoint,
            connection: picked.connection,
            permit: Some(permit),
            at,
            begun: shared.clock.at(at),
            answered: false,
            with_connection: false,
            sent_bytes: 0,
            span: None,
        }
    }

    /// When it began.
    pub(crate) fn at(&self) -> Instant {
        self.at
    }

    /// When it began, on the channel's clock.
    pub(crate) fn begun(&self) -> Tick {
        self.begun
    }

    /// The head of the response is there.
    pub(crate) fn answered(&mut self, now: Tick) {
        self.answered = true;
        self.endpoint.load.observe(now.since(self.begun), now);
    }

    /// It ended with this status.
    pub(crate) fn end(self, code: Code, received_bytes: u64, now: Tick) {
        self.end_as(code, Outcome::of(code), received_bytes, now);
    }

    /// It ended with this status, which the endpoint is to be judged by in another way than usual.
    pub(crate) fn end_as(mut self, code: Code, outcome: Outcome, received_bytes: u64, now: Tick) {
        let Some(permit) = self.permit.take() else {
            return;
        };
        match outcome {
            Outcome::Failure => self.endpoint.load.penalize(PENALTY, now),
            // An answer that came without a head of its own was measured nowhere yet.
            Outcome::Success | Outcome::Overloaded | Outcome::Ignored => {
                if !self.answered && outcome != Outcome::Ignored {
                    self.endpoint.load.observe(now.since(self.begun), now);
                }
            }
        }
        self.endpoint.ledger.record(outcome);
        match outcome {
            Outcome::Success | Outcome::Failure => {
                self.shared.adaptive.of(&self.method).accepted(now);
            }
            Outcome::Overloaded => self.shared.adaptive.of(&self.method).refused(now),
            Outcome::Ignored => {}
        }
        // A connection that goes takes every call on it along, and is out of rotation with that: for the whole service, with its
        // other endpoints, it is one failure, however many calls there were.
        let shared_fate = self.with_connection || self.connection.is_suspect();
        let judged = if outcome == Outcome::Failure && shared_fate && !self.connection.blame() {
            Outcome::Ignored
        } else {
            outcome
        };
        if let Some(state) = self.shared.breaker.record(permit, judged, now) {
            self.shared.breaker_changed(state);
        }
        self.tell(code, received_bytes, now);
    }

    /// It never left: nothing is known of the endpoint.
    pub(crate) fn never_sent(mut self) {
        if let Some(permit) = self.permit.take() {
            self.shared.breaker.release(permit);
            self.tell(Code::Unavailable, 0, self.shared.clock.now());
        }
    }

    /// Counts the attempt, and hands in its span.
    fn tell(&mut self, code: Code, received_bytes: u64, now: Tick) {
        let duration = now.since(self.begun);
        self.method
            .metrics
            .attempt_ended(code as i32, duration, self.sent_bytes, received_bytes);
        if let Some(span) = self.span.take() {
            span.end(&self.method.spans, &self.endpoint.name, duration, code);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            self.shared.breaker.release(permit);
            self.tell(Code::Cancelled, 0, self.shared.clock.now());
        }
        self.endpoint.leave();
        self.connection.leave();
        self.shared.balancer.queue.vacated();
    }
}

/// The state of a breaker as the metrics name it.
pub(crate) fn in_metrics(state: State) -> BreakerState {
    match state {
        State::Closed => BreakerState::Closed,
        State::Open => BreakerState::Open,
        State::HalfOpen => BreakerState::HalfOpen,
    }
}
