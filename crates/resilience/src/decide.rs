//! Whether a failed attempt is sent again ([gRFC A6]).
//!
//! [gRFC A6]: https://github.com/grpc/proposal/blob/master/A6-client-retries.md

use std::fmt;
use std::time::Duration;

use rand::Rng;
use tonic::Code;

use crate::Tick;
use crate::backoff::Backoff;
use crate::budget::Budget;
use crate::pushback::Pushback;
use crate::throttle::RetryThrottle;

/// A6, "Limits on Retries and Hedges": no policy gets more attempts, the first included.
pub const MAX_ATTEMPTS: u32 = 5;

/// Whether the service may have seen an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sent {
    /// It provably never left this client.
    Never,
    /// It arrived and was provably not looked at: REFUSED_STREAM, or above the last stream id of a GOAWAY.
    Refused,
    /// It may have been carried out.
    Perhaps,
}

/// How an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// The code in the trailers, or the one that the client has made of a broken connection.
    pub code: Code,
    /// Whether the service may have seen it.
    pub sent: Sent,
    /// What the server says about sending again.
    pub pushback: Pushback,
}

/// What to do about a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Send it again at once; nobody has seen it, and it does not count as an attempt.
    Transparent,
    /// Send it again after this wait. The attempt is counted and its place in the budget is reserved.
    Retry {
        /// How long to wait.
        after: Duration,
    },
    /// The call ends with this failure.
    Stop(Why),
}

/// Why a failed attempt is not sent again. Its `Display` completes "not sent again: ...".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// By contract a second execution may do harm.
    NotRepeatable,
    /// The contract does not name this code.
    NotRetryable,
    /// There were as many attempts as the contract allows.
    AttemptsExhausted,
    /// The target fails too often ([`RetryThrottle`]).
    Throttled,
    /// There are too many further attempts at the target already ([`Budget`]).
    NoBudget,
    /// The server forbade it.
    Pushback,
    /// The caller has seen a response, or the request is no longer there to be sent.
    Committed,
    /// The call that is being served is itself a further attempt: whoever made it tries again, and nobody below.
    AlreadyReattempted,
    /// The deadline has passed, or will have when the wait is over.
    Deadline,
}

/// What contract, target and call say about sending again. Made for each failure; it borrows and copies only.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// Whether a second execution is harmless by contract (`idempotency_level`).
    pub repeatable: bool,
    /// All attempts, the first included. 0 and 1: no retries. Above [`MAX_ATTEMPTS`]: that.
    pub max_attempts: u32,
    /// Whether the code of this failure is among the `retryable_status_codes`.
    pub retryable: bool,
    /// How long to wait.
    pub backoff: Backoff,
    /// `grpc-previous-rpc-attempts` of the call that is being served; 0 outside of any call, and where it is a first attempt.
    pub previous_attempts: u32,
    /// The throttle of the target, if its contract asks for one.
    pub throttle: Option<&'a RetryThrottle>,
    /// The budget of the target. `None`: further attempts are not counted.
    pub budget: Option<&'a Budget>,
    /// When the call must be over, all attempts included.
    pub deadline: Tick,
}

/// The attempts of one call. The first is under way when it is made.
///
/// ```
/// use std::time::Duration;
/// use scribemed_resilience::Tick;
/// use scribemed_resilience::backoff::Backoff;
/// use scribemed_resilience::decide::{Failure, Retries, Rules, Sent, Verdict, Why};
/// use scribemed_resilience::pushback::Pushback;
/// use tonic::Code;
///
/// let rules = Rules {
///     repeatable: true,
///     max_attempts: 2,
///     retryable: true,
///     backoff: Backoff::DEFAULT,
///     previous_attempts: 0,
///     throttle: None,
///     budget: None,
///     deadline: Tick::ZERO.after(Duration::from_secs(5)),
/// };
/// let failure = Failure { code: Code::Unavailable, sent: Sent::Perhaps, pushback: Pushback::None };
/// let mut retries = Retries::new();
/// let first = retries.on_failure(&rules, failure, Tick::ZERO, &mut rand::rng());
/// assert!(matches!(first, Verdict::Retry { .. }));
/// let second = retries.on_failure(&rules, failure, Tick::ZERO, &mut rand::rng());
/// assert_eq!(second, Verdict::Stop(Why::AttemptsExhausted));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retries {
    attempts: u32,
    transparent: u32,
    transparent_refused: bool,
    backoff_step: u32,
    committed: bool,
}

impl Retries {
    /// A call whose first attempt is under way.
    pub const fn new() -> Self {
        Self {
            attempts: 1,
            transparent: 0,
            transparent_refused: false,
            backoff_step: 0,
            committed: false,
        }
    }

    /// Notes that nothing may be sent again from now on (A6, "When Retries are Valid"): response headers have come that are not
    /// Trailers-Only, or the request has outgrown the buffer from which it would be sent.
    pub fn commit(&mut self) {
        self.committed = true;
    }

    /// Judges a failed attempt.
    ///
    /// 1. What never left is sent again at once, until the deadline, if the code is UNAVAILABLE; with any other code it is the
    ///    request that fails, and would again. What was refused is sent again at once, but once a call: it is load on the wire.
    ///    Neither counts as an attempt or a failure, and both are safe whatever the method does.
    /// 2. All else is counted by the throttle if the code is retryable or the server says "do not retry". That goes first: what a
    ///    failure says of the target does not depend on whether this call could be sent again.
    /// 3. Then everything must allow another attempt, in the order: commitment, the contract (repeatable, code), pushback, the call that is
    ///    being served, the number of attempts, the throttle, the deadline. The budget is asked last, because what it has
    ///    reserved is never given back.
    ///
    /// The wait is the server's if it names one, and the backoff then starts anew; else it is the backoff's next.
    pub fn on_failure(
        &mut self,
        rules: &Rules<'_>,
        failure: Failure,
        now: Tick,
        rng: &mut (impl Rng + ?Sized),
    ) -> Verdict {
        if let Some(verdict) = self.transparently(rules, failure, now) {
            return verdict;
        }
        if let Some(throttle) = rules.throttle
            && (rules.retryable || failure.pushback == Pushback::Stop)
        {
            throttle.on_failure();
        }
        if let Some(why) = self.refusal(rules, failure) {
            return Verdict::Stop(why);
        }
        let (after, step) = match failure.pushback {
            Pushback::After(wait) => (wait, 0),
            Pushback::None | Pushback::Stop => {
                let step = self.backoff_step.saturating_add(1);
                (rules.backoff.delay(step, rng), step)
            }
        };
        if now.after(after) >= rules.deadline {
            return Verdict::Stop(Why::Deadline);
        }
        if rules.budget.is_some_and(|budget| !budget.try_reserve(now)) {
            return Verdict::Stop(Why::NoBudget);
        }
        self.backoff_step = step;
        self.attempts = self.attempts.saturating_add(1);
        Verdict::Retry { after }
    }

    /// All attempts so far that count, the first included: 1 to [`MAX_ATTEMPTS`].
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// What `grpc-previous-rpc-attempts` says on the next attempt; 0 is not sent (A6, "Exposed Retry Metadata").
    pub const fn previous_attempts(&self) -> u32 {
        self.attempts - 1
    }

    /// How often it was sent again transparently.
    pub const fn transparent(&self) -> u32 {
        self.transparent
    }

    fn transparently(&mut self, rules: &Rules<'_>, failure: Failure, now: Tick) -> Option<Verdict> {
        match failure.sent {
            Sent::Never if failure.code == Code::Unavailable => {}
            Sent::Refused if !self.transparent_refused => {}
            Sent::Never | Sent::Refused | Sent::Perhaps => return None,
        }
        if self.committed {
            return Some(Verdict::Stop(Why::Committed));
        }
        if now >= rules.deadline {
            return Some(Verdict::Stop(Why::Deadline));
        }
        if failure.sent == Sent::Refused {
            self.transparent_refused = true;
        }
        self.transparent = self.transparent.saturating_add(1);
        Some(Verdict::Transparent)
    }

    fn refusal(&self, rules: &Rules<'_>, failure: Failure) -> Option<Why> {
        let checks = [
            (self.committed, Why::Committed),
            (!rules.repeatable, Why::NotRepeatable),
            (!rules.retryable, Why::NotRetryable),
            (failure.pushback == Pushback::Stop, Why::Pushback),
            (rules.previous_attempts > 0, Why::AlreadyReattempted),
            (
                self.attempts >= rules.max_attempts.min(MAX_ATTEMPTS),
                Why::AttemptsExhausted,
            ),
            (
                rules.throttle.is_some_and(|throttle| !throttle.allows()),
                Why::Throttled,
            ),
        ];
        checks
            .into_iter()
            .find_map(|(holds, why)| holds.then_some(why))
    }
}

impl Default for Retries {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotRepeatable => "a second execution may do harm by contract",
            Self::NotRetryable => "the contract does not retry this code",
            Self::AttemptsExhausted => "it has had all of its attempts",
            Self::Throttled => "the target fails too often (retry throttling)",
            Self::NoBudget => "the retry budget of the target is used up",
            Self::Pushback => "the server forbade it (grpc-retry-pushback-ms)",
            Self::Committed => "a response has begun, or the request outgrew the retry buffer",
            Self::AlreadyReattempted => "the call being served is a further attempt itself",
            Self::Deadline => "no time is left before the deadline",
        })
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
