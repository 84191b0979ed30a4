//! What the contract says of a service and its methods: the Rust face of `scribemed.options.v1`.
//!
//! Code generation writes these tables as constants; every field holds the value in force, defaults filled in.

use std::time::Duration;

use tonic::Code;

/// How a service is found, protected and retired.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServicePolicy {
    /// The full name: `scribemed.transcription.v2.TranscriptionService`.
    pub name: &'static str,
    /// The name by which callers find it, and the audience (`aud`) of the tokens that it accepts: `transcription`.
    pub discovery_name: &'static str,
    /// Its methods, in the order of the contract.
    pub methods: &'static [MethodPolicy],
    /// Bounds retries while the service is failing (gRFC A6). `None`: they are not throttled.
    pub retry_throttling: Option<RetryThrottling>,
    /// When to stop calling it.
    pub circuit_breaker: CircuitBreaker,
    /// How a call finds its endpoint among several.
    pub load_balancing: LoadBalancing,
    /// When the whole service goes away.
    pub lifecycle: Option<Lifecycle>,
}

impl ServicePolicy {
    /// The policy of the method of this short name: `CreateTranscription`.
    pub fn method(&self, name: &str) -> Option<&'static MethodPolicy> {
        self.methods.iter().find(|method| method.name == name)
    }

    /// The largest request message that any of its methods takes, in bytes.
    pub const fn max_request_bytes(&self) -> usize {
        let mut largest = 0;
        let mut i = 0;
        while i < self.methods.len() {
            if self.methods[i].max_request_bytes > largest {
                largest = self.methods[i].max_request_bytes;
            }
            i += 1;
        }
        largest
    }

    /// The largest response message that any of its methods gives, in bytes.
    pub const fn max_response_bytes(&self) -> usize {
        let mut largest = 0;
        let mut i = 0;
        while i < self.methods.len() {
            if self.methods[i].max_response_bytes > largest {
                largest = self.methods[i].max_response_bytes;
            }
            i += 1;
        }
        largest
    }
}

/// How a method is called, by whom, and until when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MethodPolicy {
    /// The path on the wire: `/scribemed.auth.v1.AuthService/GetKeySet`.
    pub path: &'static str,
    /// The short name: `GetKeySet`.
    pub name: &'static str,
    /// Whether the caller sends a stream.
    pub client_streaming: bool,
    /// Whether the server answers with a stream.
    pub server_streaming: bool,
    /// The longest that a call may take, streamed bodies and all attempts included.
    pub timeout: Duration,
    /// What a second execution would do.
    pub idempotency: Idempotency,
    /// Whether and how a failed call is sent again.
    pub reattempt: Reattempt,
    /// Who may call it.
    pub access: Access,
    /// What goes first when there is too much to do.
    pub criticality: Criticality,
    /// The largest request message, in bytes. Default 4 MiB.
    pub max_request_bytes: usize,
    /// The largest response message, in bytes. Default 4 MiB.
    pub max_response_bytes: usize,
    /// The field of the request that can make it too large, for the error that says so.
    pub bulk_field: Option<BulkField>,
    /// When it goes away: its own end, or that of its service.
    pub lifecycle: Option<Lifecycle>,
    /// Whether a call waits for a healthy endpoint until its deadline instead of failing at once while there is none.
    pub wait_for_ready: bool,
}

/// How a call finds its endpoint among several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LoadBalancing {
    /// The less loaded of two endpoints drawn at random. The default.
    #[default]
    PeakEwma,
    /// One after the other.
    RoundRobin,
    /// The first endpoint that is ready, in the order of the resolver, and the next one only when that fails.
    PickFirst,
}

/// What a second execution of a call would do (`google.protobuf.MethodOptions.IdempotencyLevel`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idempotency {
    /// Perhaps something else: never executed twice.
    Unknown,
    /// Nothing, and neither did the first.
    NoSideEffects,
    /// Nothing more than the first.
    Idempotent,
}

/// Whether and how a failed call is sent again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reattempt {
    /// It is sent once.
    Never,
    /// One attempt after the other (gRFC A6).
    Retry(RetryPolicy),
    /// Attempts in parallel (gRFC A6).
    Hedge(HedgingPolicy),
}

/// One attempt after the other (gRFC A6).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    /// All attempts, the first included: 2 to 5.
    pub max_attempts: u32,
    /// The wait before the second attempt, jittered by 20 %.
    pub initial_backoff: Duration,
    /// The longest wait.
    pub max_backoff: Duration,
    /// Growth from wait to wait.
    pub backoff_multiplier: f32,
    /// What is worth another attempt.
    pub retryable_status_codes: &'static [Code],
    /// The longest that one attempt may take; `None`: what is left of the deadline.
    pub per_attempt_timeout: Option<Duration>,
}

/// Attempts in parallel (gRFC A6).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HedgingPolicy {
    /// All attempts, the first included: 2 to 5.
    pub max_attempts: u32,
    /// The wait before each further attempt.
    pub hedging_delay: Duration,
    /// Codes that do not end the call but send the next attempt at once.
    pub non_fatal_status_codes: &'static [Code],
}

/// Who may call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody; no token is asked for.
    Public,
    /// Who holds a token that grants all of these, named `verb:things`. Never empty.
    Permissions(&'static [&'static str]),
}

/// Importance under overload; the lowest is shed first. Ordered: `Sheddable < CriticalPlus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Criticality {
    /// May be lost for hours.
    Sheddable,
    /// A retry minutes later is fine.
    SheddablePlus,
    /// A user waits. The default.
    Critical,
    /// A user waits and must not be failed.
    CriticalPlus,
}

/// A field of a request that may hold much, with its own limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkField {
    /// Its path in the request: `audio`.
    pub path: &'static str,
    /// How many bytes it may hold.
    pub max_bytes: usize,
}

/// Bounds retries while a service is failing (gRFC A6).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryThrottling {
    /// The size of the bucket: 1 to 1000.
    pub max_tokens: u32,
    /// What a success gives back; a failure takes 1.
    pub token_ratio: f32,
}

/// When to stop calling a failing service, and when to trust it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CircuitBreaker {
    /// Failures in a row that open it.
    pub failure_threshold: u32,
    /// Successes in a row that close it again.
    pub success_threshold: u32,
    /// How long it stays open.
    pub open_for: Duration,
}

impl CircuitBreaker {
    /// What holds where the contract says nothing: 5 failures, 2 successes, 30 s.
    pub const DEFAULT: Self = Self {
        failure_threshold: 5,
        success_threshold: 2,
        open_for: Duration::from_secs(30),
    };
}

/// The end of a version, announced (RFC 9745, RFC 8594). Dates are `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifecycle {
    /// Since when new callers should use the successor.
    pub deprecated_on: &'static str,
    /// From when it may be gone.
    pub sunset_on: &'static str,
    /// The full name of what to use instead.
    pub successor: &'static str,
    /// What the header `deprecation` says (RFC 9745): `@1769817600`.
    pub deprecation: &'static str,
    /// What the header `sunset` says (RFC 8594): `Sun, 31 Jan 2027 00:00:00 GMT`.
    pub sunset: &'static str,
    /// What the header `link` says (RFC 8288): where to find what to use instead, as `successor-version`.
    pub link: &'static str,
    /// The beginning of the day of the sunset (UTC), in seconds since 1970.
    pub sunset_unix: i64,
}
