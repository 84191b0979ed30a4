//! A channel as an operator sees it.

use serde::Serialize;

/// What a channel knows of its target at one moment: for `/debug/channels`, as JSON or as a page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChannelStatus {
    /// The discovery name of the service.
    pub service: String,
    /// The target as it was configured.
    pub target: String,
    /// `peak_ewma`, `round_robin` or `pick_first`.
    pub load_balancing: &'static str,
    /// `closed`, `open` or `half_open`.
    pub breaker: &'static str,
    /// Seconds until an open breaker lets a call through; 0 if it is not open.
    pub breaker_open_for_seconds: f64,
    /// Tokens left in the retry throttle, and how many there can be; `None` if retries are not throttled.
    pub retry_tokens: Option<(f64, f64)>,
    /// Further attempts that the budget would let through now.
    pub attempt_budget: u64,
    /// The share of calls, 0 to 1, that are turned away here because the service refuses too many.
    pub throttled_share: f64,
    /// Why the last look-up of the name failed; `None` if it did not.
    pub resolver_error: Option<String>,
    /// Seconds since the last look-up that gave addresses; `None`: there was none yet.
    pub resolved_seconds_ago: Option<f64>,
    /// Each endpoint, in the order of the resolver.
    pub endpoints: Vec<EndpointStatus>,
}

/// One endpoint of a [`ChannelStatus`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EndpointStatus {
    /// `10.0.0.7:50052`, or the path of a socket.
    pub address: String,
    /// `idle`, `connecting`, `ready`, `not_serving`, `health_unknown`, `transient_failure` or `leaving`.
    pub state: &'static str,
    /// Whether outlier detection keeps it out of rotation.
    pub ejected: bool,
    /// Open connections.
    pub connections: usize,
    /// Calls in flight.
    pub pending: u32,
    /// The peak-sensitive average time to an answer, in milliseconds.
    pub latency_ms: f64,
    /// Attempts that ended well.
    pub successes: u64,
    /// Attempts that failed by the endpoint's fault.
    pub failures: u64,
    /// What the last failed attempt, connection or health watch said; `None`: nothing failed yet.
    pub last_failure: Option<String>,
}
