//! What is in force for the calls of one method.

use std::time::Duration;

use scribemed_resilience::backoff::Backoff;
use scribemed_rpc::MethodPolicy;
use scribemed_rpc::policy::{Idempotency, Reattempt as Contract};
use tonic::Code;

/// What is in force for the calls of one method: the contract's policy, or what an operator's service config puts in its
/// place.
#[derive(Debug, Clone, PartialEq)]
pub struct CallPolicy {
    /// The longest that a call may take, streamed bodies and all attempts included.
    pub timeout: Duration,
    /// Whether a call waits for a ready endpoint until its deadline instead of failing at once while there is none.
    pub wait_for_ready: bool,
    /// What a second execution would do. Always the contract's: no configuration can know better.
    pub idempotency: Idempotency,
    /// Whether and how a failed call is sent again.
    pub reattempt: Reattempt,
    /// The largest request message, in bytes.
    pub max_request_bytes: usize,
    /// The largest response message, in bytes.
    pub max_response_bytes: usize,
}

/// Whether and how a failed call is sent again (gRFC A6).
#[derive(Debug, Clone, PartialEq)]
pub enum Reattempt {
    /// It is sent once.
    Never,
    /// One attempt after the other.
    Retry(Retry),
    /// Attempts in parallel.
    Hedge(Hedge),
}

/// One attempt after the other (gRFC A6).
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    /// All attempts, the first included: 2 to 5.
    pub max_attempts: u32,
    /// The wait before each further attempt.
    pub backoff: Backoff,
    /// What is worth another attempt.
    pub codes: CodeSet,
    /// The longest that one attempt may take; `None`: what is left of the deadline.
    pub per_attempt_timeout: Option<Duration>,
}

/// Attempts in parallel (gRFC A6).
#[derive(Debug, Clone, PartialEq)]
pub struct Hedge {
    /// All attempts, the first included: 2 to 5.
    pub max_attempts: u32,
    /// The wait before each further attempt.
    pub delay: Duration,
    /// Codes that do not end the call but send the next attempt at once.
    pub non_fatal: CodeSet,
}

/// A set of status codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CodeSet(u32);

/// The longest call of a method without a contract, such as those of health and reflection.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// gRPC's default for messages that are received.
const DEFAULT_MESSAGE_BYTES: usize = 4 * 1024 * 1024;

impl CallPolicy {
    /// What holds for a method without a contract: 10 s, sent once, 4 MiB.
    pub const DEFAULT: Self = Self {
        timeout: DEFAULT_TIMEOUT,
        wait_for_ready: false,
        idempotency: Idempotency::Unknown,
        reattempt: Reattempt::Never,
        max_request_bytes: DEFAULT_MESSAGE_BYTES,
        max_response_bytes: DEFAULT_MESSAGE_BYTES,
    };
}

impl From<&MethodPolicy> for CallPolicy {
    fn from(method: &MethodPolicy) -> Self {
        Self {
            timeout: method.timeout,
            wait_for_ready: method.wait_for_ready,
            idempotency: method.idempotency,
            reattempt: match &method.reattempt {
                Contract::Never => Reattempt::Never,
                Contract::Retry(retry) => Reattempt::Retry(Retry {
                    max_attempts: retry.max_attempts,
                    // Code generation has checked the numbers.
                    backoff: Backoff::new(
                        retry.initial_backoff,
                        retry.max_backoff,
                        f64::from(retry.backoff_multiplier),
                        0.2,
                    )
                    .unwrap_or_default(),
                    codes: retry.retryable_status_codes.iter().copied().collect(),
                    per_attempt_timeout: retry.per_attempt_timeout,
                }),
                Contract::Hedge(hedge) => Reattempt::Hedge(Hedge {
                    max_attempts: hedge.max_attempts,
                    delay: hedge.hedging_delay,
                    non_fatal: hedge.non_fatal_status_codes.iter().copied().collect(),
                }),
            },
            max_request_bytes: method.max_request_bytes,
            max_response_bytes: method.max_response_bytes,
        }
    }
}

impl CodeSet {
    /// Whether `code` is in it.
    pub const fn contains(self, code: Code) -> bool {
        self.0 & (1 << code as u32) != 0
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Code> for CodeSet {
    fn from_iter<I: IntoIterator<Item = Code>>(codes: I) -> Self {
        Self(
            codes
                .into_iter()
                .fold(0, |set, code| set | (1 << code as u32)),
        )
    }
}
