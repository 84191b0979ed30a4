//! Too much to do: which calls are taken, decided when their heads arrive and before anything else is done for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use scribemed_resilience::Tick;
use scribemed_resilience::limit::{self, Class, Limit, Permit, Sample};
use scribemed_rpc::policy::Criticality;
use scribemed_rpc::{Deadline, Fault, MethodPolicy, metadata, reason};
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};

use crate::route::{Found, Route, Routes};

/// So many waits are told in turn, spread evenly from half to one and a half of the usual one, so that those who are refused
/// together do not come again together.
const WAITS: usize = 8;

/// What a server has against overload.
pub(crate) struct Gate {
    /// `None`: everything is taken.
    limit: Option<Limit>,
    epoch: Instant,
    refusals: Refusals,
}

/// A call as it arrived.
pub(crate) struct Arrival {
    /// When its head could be read.
    pub(crate) at: Instant,
    /// Where it goes.
    pub(crate) found: Found,
    verdict: Verdict,
}

impl Arrival {
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.verdict, Verdict::Shed(_))
    }
}

/// Whether it is taken.
pub(crate) enum Verdict {
    /// It is, and takes no place: a stream, or a service that must be asked whatever else there is to do.
    Free,
    /// It is, and takes a place.
    Placed(Place),
    /// There is too much to do for calls of this class.
    Shed(Class),
}

/// A place among the calls that are worked on, given back when it is dropped.
pub(crate) struct Place {
    gate: Arc<Gate>,
    permit: Option<Permit>,
}

impl Gate {
    /// `domain` is that of the errors.
    pub(crate) fn new(config: Option<limit::Config>, domain: &str) -> Arc<Self> {
        Arc::new(Self {
            limit: config.map(|config| Limit::new(config, Tick::ZERO)),
            epoch: Instant::now(),
            refusals: Refusals::new(domain),
        })
    }

    /// The time as the policies see it.
    pub(crate) fn tick(&self, at: Instant) -> Tick {
        Tick::ZERO.after(at.saturating_duration_since(self.epoch))
    }

    /// Decides on a call whose head has arrived. Services without policies are never refused: health, so that nobody is taken
    /// out of rotation or restarted because it is busy, and reflection; and neither is a path that leads nowhere, which
    /// costs as little to answer.
    pub(crate) fn arrive(self: &Arc<Self>, routes: &Routes, path: &str, at: Instant) -> Arrival {
        let found = routes.find(path);
        let policy = routes.route(found).and_then(|route| route.policy);
        let verdict = match (&self.limit, policy) {
            (Some(limit), Some(policy)) => self.decide(limit, policy, self.tick(at)),
            (None, _) | (_, None) => Verdict::Free,
        };
        Arrival { at, found, verdict }
    }

    fn decide(self: &Arc<Self>, limit: &Limit, policy: &MethodPolicy, now: Tick) -> Verdict {
        let class = class(policy.criticality);
        // A stream lives as long as its caller likes and waits most of the time, so it neither takes a place nor tells
        // anything by the time that it takes.
        if policy.client_streaming || policy.server_streaming {
            return match limit.admit(class, now) {
                Ok(()) => Verdict::Free,
                Err(_shed) => Verdict::Shed(class),
            };
        }
        match limit.try_acquire(class, now) {
            Ok(permit) => Verdict::Placed(Place {
                gate: Arc::clone(self),
                permit: Some(permit),
            }),
            Err(_shed) => Verdict::Shed(class),
        }
    }
}

impl Place {
    /// Gives it back, and tells how the call went.
    pub(crate) fn leave(mut self, sample: Sample<'_>, at: Instant) {
        self.release(sample, at);
    }

    fn release(&mut self, sample: Sample<'_>, at: Instant) {
        if let (Some(limit), Some(permit)) = (&self.gate.limit, self.permit.take()) {
            limit.release(permit, sample, self.gate.tick(at));
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.permit.is_some() {
            self.release(Sample::Ignored, self.gate.epoch);
        }
    }
}

/// A call from the start of its turn to its answer, as far as the limit is concerned.
pub(crate) struct Stay<'a> {
    gate: &'a Gate,
    route: Option<Route<'a>>,
    verdict: Verdict,
    arrived: Instant,
    begun: Instant,
    too_late: bool,
}

/// How a call ended.
#[derive(Clone, Copy)]
pub(crate) enum Ended<'a> {
    /// With this head.
    Answered(&'a HeaderMap),
    /// At its deadline.
    Expired,
    /// It was refused before its handler, or its handler panicked.
    Otherwise,
}

impl Gate {
    /// The turn of a call has come.
    pub(crate) fn stay<'a>(&'a self, arrival: Arrival, route: Option<Route<'a>>) -> Stay<'a> {
        Stay {
            gate: self,
            route,
            verdict: arrival.verdict,
            arrived: arrival.at,
            begun: Instant::now(),
            too_late: false,
        }
    }
}

impl Stay<'_> {
    /// The answer, if the call was refused on arrival.
    pub(crate) fn refusal(&self) -> Option<http::Response<Body>> {
        match self.verdict {
            Verdict::Shed(class) => Some(self.gate.refusals.next(class)),
            Verdict::Free | Verdict::Placed(_) => None,
        }
    }

    /// Whether so little time is left that the call cannot be answered in it: nothing, or less than the quickest call of this
    /// method took in the last half minute. Then nobody is helped by beginning it. A stream is not judged so.
    pub(crate) fn is_too_late(&mut self, deadline: Deadline) -> bool {
        let left = deadline.remaining_at(self.begun);
        let floor = self
            .route
            .and_then(|route| route.baseline)
            .and_then(|baseline| baseline.floor(self.gate.tick(self.begun)));
        self.too_late = left.is_zero() || floor.is_some_and(|floor| left < floor);
        self.too_late
    }

    /// The call has its answer, or none; its place is free.
    pub(crate) fn end(self, ended: Ended<'_>) {
        let (Verdict::Placed(place), Some(baseline)) =
            (self.verdict, self.route.and_then(|route| route.baseline))
        else {
            return;
        };
        let now = Instant::now();
        let waited = self.begun.saturating_duration_since(self.arrived);
        let served = now - self.begun;
        let failed = Sample::Failed {
            baseline,
            waited,
            served,
        };
        let sample = match ended {
            Ended::Answered(head) if !head.contains_key(metadata::GRPC_STATUS) => Sample::Served {
                baseline,
                waited,
                served,
            },
            // An error without a message.
            Ended::Answered(_) | Ended::Expired => failed,
            // How long it has waited is as true as that of any other.
            Ended::Otherwise if self.too_late => failed,
            Ended::Otherwise => Sample::Ignored,
        };
        place.leave(sample, now);
    }
}

/// DEADLINE_EXCEEDED for a call that was not begun.
pub(crate) fn too_late(domain: &'static str) -> Status {
    Fault::new(
        Code::DeadlineExceeded,
        reason::DEADLINE_EXCEEDED,
        domain,
        "too little time was left to answer the call, so it was not begun; give it more",
    )
    .into_status()
}

const fn class(criticality: Criticality) -> Class {
    match criticality {
        Criticality::Sheddable => Class::Sheddable,
        Criticality::SheddablePlus => Class::SheddablePlus,
        Criticality::Critical => Class::Critical,
        Criticality::CriticalPlus => Class::CriticalPlus,
    }
}

/// As the contract names it, and the usual wait before it may come again: the less important, the longer.
const fn terms(class: Class) -> (&'static str, Duration) {
    match class {
        Class::Sheddable => ("SHEDDABLE", Duration::from_secs(4)),
        Class::SheddablePlus => ("SHEDDABLE_PLUS", Duration::from_secs(2)),
        Class::Critical => ("CRITICAL", Duration::from_secs(1)),
        Class::CriticalPlus => ("CRITICAL_PLUS", Duration::from_millis(500)),
    }
}

/// The answers to refused calls. They are made once: a server that has too much to do has no time to spell errors.
struct Refusals {
    /// By class from the least important on.
    classes: [Vec<HeaderMap>; 4],
    turn: AtomicUsize,
}

impl Refusals {
    fn new(domain: &str) -> Self {
        let classes = [
            Class::Sheddable,
            Class::SheddablePlus,
            Class::Critical,
            Class::CriticalPlus,
        ];
        Self {
            classes: classes.map(|class| {
                let (_, usual) = terms(class);
                (0..WAITS)
                    .map(|turn| {
                        let wait = usual / 2 + usual * fraction(turn) / fraction(WAITS - 1);
                        refusal(class, wait, domain).into_http::<Body>()
                    })
                    .map(|response| response.headers().clone())
                    .collect()
            }),
            turn: AtomicUsize::new(0),
        }
    }

    fn next(&self, class: Class) -> http::Response<Body> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % WAITS;
        let mut response = http::Response::new(Body::empty());
        if let Some(headers) = self.classes[class as usize].get(turn) {
            response.headers_mut().clone_from(headers);
        }
        response
    }
}

fn fraction(turn: usize) -> u32 {
    u32::try_from(turn).unwrap_or(0)
}

fn refusal(class: Class, wait: Duration, domain: &str) -> Status {
    let (name, _) = terms(class);
    let status = Fault::new(
        Code::ResourceExhausted,
        reason::OVERLOADED,
        domain,
        format!("the service has more to do than it can, and takes no calls of criticality {name} for the moment; \
                 try again when the time in RetryInfo has passed"),
    )
    .metadata("criticality", name)
    .retry_after(wait)
    .into_status();
    with_pushback(status, wait)
}

/// `status`, with the wait as clients of gRPC read it (gRFC A6), rounded up to milliseconds.
pub(crate) fn with_pushback(mut status: Status, wait: Duration) -> Status {
    let millis = wait.as_nanos().div_ceil(1_000_000);
    let millis = i32::try_from(millis).unwrap_or(i32::MAX);
    status
        .metadata_mut()
        .as_mut()
        .insert(metadata::GRPC_RETRY_PUSHBACK_MS, HeaderValue::from(millis));
    status
}

#[cfg(test)]
mod tests;
