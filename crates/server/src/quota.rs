//! How often each caller may call: limits that an operator sets, for callers who are known by their tokens.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use scribemed_rpc::{Fault, reason};
use tokio::time::Instant;
use tonic::{Code, Status};

use crate::shed::with_pushback;

/// So many callers without a rule of their own are told apart; those above share one limit. Callers come from verified tokens, so there
/// are as many as there are services.
const CALLERS: usize = 1_000;
/// Any caller that has no rule of its own.
const ANY: &str = "*";

/// How often callers may call this server, each by itself: `documentation=100/s,gateway=6000/m,*=500/s`.
///
/// A rule is `caller=calls/unit`: the discovery name of the calling service, or `*` for each that has no rule; how many calls, 1 to
/// 4,294,967,295; and `s`, `m` or `h`. So many may come at once; then one place comes back after the other, evenly. A caller
/// without a rule, where there is no `*`, is not limited, and neither are public methods, whose callers are not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateLimits {
    rules: BTreeMap<String, Rate>,
}

/// So many calls in such a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rate {
    calls: NonZeroU32,
    unit: char,
}

/// Rate limits that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{rule}` is no rate limit: {reason}; a good one is documentation=100/s")]
pub struct MalformedRateLimit {
    rule: String,
    reason: &'static str,
}

impl FromStr for RateLimits {
    type Err = MalformedRateLimit;

    fn from_str(text: &str) -> Result<Self, MalformedRateLimit> {
        let mut rules = BTreeMap::new();
        for rule in text.split(',').map(str::trim) {
            let malformed = |reason| MalformedRateLimit {
                rule: rule.chars().take(100).collect(),
                reason,
            };
            let (caller, rate) = rule
                .split_once('=')
                .ok_or_else(|| malformed("it has no `=` between caller and rate"))?;
            let caller = caller.trim();
            let named = !caller.is_empty()
                && caller
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            if !named && caller != ANY {
                return Err(malformed(
                    "a caller is the discovery name of a service, in lower case, or * for any other",
                ));
            }
            let rate = Rate::read(rate.trim()).map_err(malformed)?;
            if rules.insert(caller.to_owned(), rate).is_some() {
                return Err(malformed("the caller has a rate already"));
            }
        }
        Ok(Self { rules })
    }
}

impl Rate {
    fn read(text: &str) -> Result<Self, &'static str> {
        let (calls, unit) = text
            .split_once('/')
            .ok_or("a rate is a number of calls, `/` and a unit")?;
        let calls = calls
            .parse()
            .map_err(|_| "the number of calls is a whole number from 1 to 4294967295")?;
        let mut unit = unit.chars();
        match (unit.next(), unit.next()) {
            (Some(unit @ ('s' | 'm' | 'h')), None) => Ok(Self { calls, unit }),
            _ => Err("the unit is s, m or h"),
        }
    }

    fn quota(self) -> Quota {
        match self.unit {
            's' => Quota::per_second(self.calls),
            'm' => Quota::per_minute(self.calls),
            _ => Quota::per_hour(self.calls),
        }
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.calls, self.unit)
    }
}

/// The limits at work. What a caller has left is one atomic; who it belongs to is looked up in a map that does not change, or, for
/// callers without a rule, in one that is copied when a new caller comes.
pub(crate) struct Quotas {
    clock: TokioClock,
    named: HashMap<String, Caller>,
    any: Option<Others>,
}

struct Others {
    rate: Rate,
    seen: ArcSwap<HashMap<String, Arc<Caller>>>,
    /// Those above [`CALLERS`].
    rest: Caller,
}

struct Caller {
    rate: Rate,
    left: RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Nanos>>,
}

/// tokio's clock, so that tests can set it.
#[derive(Debug, Clone, Copy)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.elapsed().into()
    }
}

impl Caller {
    fn new(rate: Rate, clock: TokioClock) -> Self {
        Self {
            rate,
            left: RateLimiter::direct_with_clock(rate.quota(), clock),
        }
    }

    /// The time until the next place, if none is there.
    fn check(&self, clock: TokioClock) -> Result<(), Duration> {
        self.left
            .check()
            .map_err(|until| until.wait_time_from(clock.now()))
    }
}

impl Quotas {
    /// `None` where nobody is limited.
    pub(crate) fn new(limits: &RateLimits) -> Option<Self> {
        let clock = TokioClock(Instant::now());
        let named: HashMap<_, _> = limits
            .rules
            .iter()
            .filter(|(name, _)| *name != ANY)
            .map(|(name, rate)| (name.clone(), Caller::new(*rate, clock)))
            .collect();
        let any = limits.rules.get(ANY).map(|rate| Others {
            rate: *rate,
            seen: ArcSwap::default(),
            rest: Caller::new(*rate, clock),
        });
        (!limits.rules.is_empty()).then_some(Self { clock, named, any })
    }

    /// Takes a place of `caller`.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED with QuotaFailure, and with the time until there is a place as RetryInfo and pushback.
    pub(crate) fn take(&self, caller: &str, domain: &str) -> Result<(), Status> {
        let (taken, rate) = match (self.named.get(caller), &self.any) {
            (Some(named), _) => (named.check(self.clock), named.rate),
            (None, Some(others)) => (others.check(caller, self.clock), others.rate),
            (None, None) => return Ok(()),
        };
        taken.map_err(|wait| exceeded(caller, rate, wait, domain))
    }
}

impl Others {
    fn check(&self, caller: &str, clock: TokioClock) -> Result<(), Duration> {
        if let Some(known) = self.seen.load().get(caller) {
            return known.check(clock);
        }
        self.seen.rcu(|seen| {
            if seen.len() >= CALLERS || seen.contains_key(caller) {
                return Arc::clone(seen);
            }
            let mut more = HashMap::clone(seen);
            more.insert(caller.to_owned(), Arc::new(Caller::new(self.rate, clock)));
            Arc::new(more)
        });
        match self.seen.load().get(caller) {
            Some(known) => known.check(clock),
            None => self.rest.check(clock),
        }
    }
}

fn exceeded(caller: &str, rate: Rate, wait: Duration, domain: &str) -> Status {
    let status = Fault::new(
        Code::ResourceExhausted,
        reason::RATE_LIMITED,
        domain,
        format!("{caller} may make {rate} calls and has made more; try again when the time in RetryInfo has passed"),
    )
    .metadata("caller", caller)
    .metadata("rate", rate.to_string())
    .quota(format!("service:{caller}"), format!("{rate} calls"))
    .retry_after(wait)
    .into_status();
    with_pushback(status, wait)
}

#[cfg(test)]
mod tests;
