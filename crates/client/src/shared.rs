//! What the calls of a channel have in common.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use http::HeaderMap;
use scribemed_auth::TokenCache;
use scribemed_discovery::Discovery;
use scribemed_resilience::Tick;
use scribemed_resilience::adaptive::{self, AdaptiveThrottle};
use scribemed_resilience::breaker::{Breaker, State};
use scribemed_resilience::budget::Budget;
use scribemed_resilience::throttle::RetryThrottle;
use scribemed_rpc::policy::{Criticality, LoadBalancing};
use scribemed_rpc::{MethodPolicy, metadata};
use scribemed_telemetry::metrics::{MethodMetrics, TargetMetrics};
use scribemed_telemetry::traces::Tracer;
use tokio_util::sync::DropGuard;

use crate::balance::Balancer;
use crate::clock::{Clock, Random};
use crate::failure::Failures;
use crate::policy::CallPolicy;
use crate::status::ChannelStatus;
use crate::ticket::in_metrics;
use crate::traced::SpanNames;

/// What the calls of a channel have in common. The tasks that keep its connections up do not hold it: they end with it.
pub(crate) struct Shared {
    pub(crate) failures: Failures,
    /// By path.
    pub(crate) methods: Methods,
    /// Any method that is in none of the contracts, such as those of health and reflection.
    pub(crate) other: Arc<Method>,
    pub(crate) tokens: Option<TokenCache>,
    pub(crate) scheme: http::uri::Scheme,
    pub(crate) authority: http::uri::Authority,
    pub(crate) balancer: Arc<Balancer>,
    pub(crate) breaker: Arc<Breaker>,
    pub(crate) budget: Budget,
    pub(crate) adaptive: Throttles,
    pub(crate) throttle: ArcSwapOption<RetryThrottle>,
    pub(crate) clock: Clock,
    pub(crate) random: Arc<Random>,
    pub(crate) metrics: TargetMetrics,
    pub(crate) tracer: Option<Tracer>,
    pub(crate) discovery: Arc<Discovery>,
    pub(crate) _closed: DropGuard,
}

/// Methods by their paths. A service has few of them, and of these few have paths of one length: comparing costs less than
/// hashing a path.
#[derive(Default)]
pub(crate) struct Methods(Vec<(&'static str, Arc<Method>)>);

impl Methods {
    pub(crate) fn insert(&mut self, path: &'static str, method: Arc<Method>) {
        self.0.push((path, method));
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Arc<Method>> {
        let found = self.0.iter().find(|(known, _)| *known == path);
        found.map(|(_, method)| method)
    }
}

/// The adaptive throttle of each criticality. A service that has too much to do refuses what matters least first; if one throttle counted
/// for all, its channel would turn away what the service still takes (Google SRE book, "Handling Overload").
pub(crate) struct Throttles([AdaptiveThrottle; 4]);

impl Throttles {
    pub(crate) fn new(config: adaptive::Config) -> Self {
        Self([(); 4].map(|()| AdaptiveThrottle::new(config)))
    }

    /// That of the method's criticality. A method without a contract is as critical as one whose contract says nothing.
    pub(crate) fn of(&self, method: &Method) -> &AdaptiveThrottle {
        let [sheddable, sheddable_plus, critical, critical_plus] = &self.0;
        match method.contract.map(|contract| contract.criticality) {
            Some(Criticality::Sheddable) => sheddable,
            Some(Criticality::SheddablePlus) => sheddable_plus,
            Some(Criticality::Critical) | None => critical,
            Some(Criticality::CriticalPlus) => critical_plus,
        }
    }

    /// The largest share of calls that is turned away, of all criticalities.
    fn rejected_share(&self, now: Tick) -> f64 {
        let shares = self.0.iter().map(|throttle| throttle.rejected_share(now));
        shares.fold(0.0, f64::max)
    }
}

/// A method that a channel calls.
pub(crate) struct Method {
    pub(crate) contract: Option<&'static MethodPolicy>,
    /// What is in force now.
    pub(crate) policy: ArcSwap<CallPolicy>,
    pub(crate) needs_token: bool,
    pub(crate) metrics: MethodMetrics,
    pub(crate) spans: SpanNames,
    /// That the service has said that it goes away.
    pub(crate) fading: AtomicBool,
}

impl Method {
    /// Counts an answer that says that the method goes away (RFC 9745), and tells the first one: who calls the method is to
    /// change to its successor.
    pub(crate) fn fades(&self, path: &str, headers: &HeaderMap) {
        self.metrics.deprecated();
        if self.fading.swap(true, Relaxed) {
            return;
        }
        let said = |name| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.map(|value| &value[..value.floor_char_boundary(200)])
        };
        tracing::warn!(
            method = path.trim_start_matches('/'),
            deprecation = said(metadata::DEPRECATION),
            sunset = said(metadata::SUNSET),
            link = said(metadata::LINK),
            "the method goes away; its successor is to be called instead"
        );
    }
}

impl Shared {
    pub(crate) fn method(&self, path: &str) -> &Arc<Method> {
        self.methods.get(path).unwrap_or(&self.other)
    }

    /// Tells that the breaker has changed to `state`.
    pub(crate) fn breaker_changed(&self, state: State) {
        self.metrics.breaker(in_metrics(state));
        let name = breaker_name(state);
        let (service, target) = (self.failures.service(), self.failures.target());
        if state == State::Open {
            tracing::warn!(
                service,
                target,
                "the circuit breaker is {name}: calls fail at once"
            );
        } else {
            tracing::info!(service, target, "the circuit breaker is {name}");
        }
    }

    pub(crate) fn status(&self) -> ChannelStatus {
        let now = self.clock.now();
        let view = self.discovery.view();
        let open_for: Duration = self.breaker.open_for(now);
        ChannelStatus {
            service: self.failures.service().to_owned(),
            target: self.failures.target().to_owned(),
            load_balancing: match self.balancer.policy() {
                LoadBalancing::PeakEwma => "peak_ewma",
                LoadBalancing::RoundRobin => "round_robin",
                LoadBalancing::PickFirst => "pick_first",
            },
            breaker: breaker_name(self.breaker.state(now)),
            breaker_open_for_seconds: open_for.as_secs_f64(),
            retry_tokens: self
                .throttle
                .load()
                .as_ref()
                .map(|throttle| (throttle.tokens(), throttle.max_tokens())),
            attempt_budget: self.budget.available(now),
            throttled_share: self.adaptive.rejected_share(now),
            resolver_error: view.error.as_ref().map(ToString::to_string),
            resolved_seconds_ago: view.resolved_at.map(|at| at.elapsed().as_secs_f64()),
            endpoints: self
                .balancer
                .snapshot()
                .all
                .iter()
                .map(|endpoint| endpoint.status(now))
                .collect(),
        }
    }
}

fn breaker_name(state: State) -> &'static str {
    match state {
        State::Closed => "closed",
        State::Open => "open",
        State::HalfOpen => "half_open",
    }
}
