//! Metrics of calls: named as gRFCs A66, A91, A94 and A96 name them, in Prometheus's spelling.
//!
//! The path of a call takes no lock and looks nothing up: a channel resolves its [`TargetMetrics`] and the
//! [`MethodMetrics`] of each method once, and what they hold are atomics. A series appears when it is first used.
//! Calls of methods that go away are the one exception: who made them is looked up, under a lock for reading.
//!
//! | metric | what it is | attributes |
//! |---|---|---|
//! | `grpc_client_attempt_started_total` | attempts begun (A66) | method, target |
//! | `grpc_client_attempt_duration_seconds` | from the pick to the status (A66) | method, target, status |
//! | `grpc_client_attempt_sent_total_compressed_message_size_bytes` | request messages of an attempt (A66) | method, target, status |
//! | `grpc_client_attempt_rcvd_total_compressed_message_size_bytes` | response messages of an attempt (A66) | method, target, status |
//! | `grpc_client_call_duration_seconds` | the whole call, as its caller sees it (A66) | method, target, status |
//! | `grpc_client_call_retries`, `_transparent_retries`, `_hedges` | of calls that had any (A96) | method, target |
//! | `grpc_client_call_retry_delay_seconds` | time of a call without an attempt under way (A96) | method, target |
//! | `grpc_server_call_started_total` | calls that came (A66) | method |
//! | `grpc_server_call_duration_seconds` | from the headers to the status (A66) | method, status |
//! | `grpc_server_call_sent_total_compressed_message_size_bytes` | response messages of a call (A66) | method, status |
//! | `grpc_server_call_rcvd_total_compressed_message_size_bytes` | request messages of a call (A66) | method, status |
//! | `scribemed_server_connections` | connections of callers that are open | |
//! | `scribemed_server_panics_total` | calls whose handler panicked | method |
//! | `scribemed_server_deprecated_total` | calls of methods that go away | method, `caller` |
//! | `scribemed_server_deprecated_last_timestamp_seconds` | when such a method was called last, in seconds since 1970 | method, `caller` |
//! | `scribemed_traces_spans_total` | spans by what became of them | `outcome`: `exported`, `failed` or `dropped` |
//! | `scribemed_audit_sequence` | the number of the last record of the audit log | |
//! | `scribemed_audit_failing` | 1 while the audit log cannot be written | |
//! | `grpc_subchannel_connection_attempts_succeeded_total`, `_failed_total` | connections made, or not (A94) | target |
//! | `grpc_subchannel_disconnections_total` | connections lost (A94) | target, `grpc_disconnect_error` |
//! | `grpc_subchannel_open_connections` | connections that are open (A94) | target |
//! | `grpc_lb_outlier_detection_ejections_enforced_total`, `_unenforced_total` | outliers found (A91) | target |
//! | `scribemed_client_endpoints` | endpoints by state | target, `state` |
//! | `scribemed_client_breaker` | channels whose breaker is in a state | target, `state` |
//! | `scribemed_client_breaker_transitions_total` | changes into a state | target, `state` |
//! | `scribemed_client_throttled_total` | calls turned away here | target |
//! | `scribemed_client_deprecated_total` | answers that said that the method goes away (RFC 9745) | method, target |
//! | `scribemed_client_resolutions_total` | look-ups of the name | target, `outcome`: `ok` or `failed` |
//! | `process_start_time_seconds` | since when all this is counted, in seconds since 1970 | |
//!
//! The attributes are `grpc_method` (`scribemed.auth.v1.AuthService/GetKeySet`, or `other`), `grpc_target` (as configured)
//! and `grpc_status` (`OK`, `UNAVAILABLE`). `caller` is the service whose token was verified, or `-`. All of them come from contracts and configuration: none is of a patient, and
//! their number is bounded.

mod audit;
mod ended;
mod export;
mod families;
mod method;
mod server;
mod spans;
mod target;

use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus::{Registry, TextEncoder};

use self::audit::Audit;
pub use self::audit::AuditState;
pub use self::ended::code_name;
pub use self::export::{ExportSettings, Exporter, StartError};
use self::families::Families;
pub use self::method::MethodMetrics;
pub use self::server::{OpenConnection, ServedMetrics, ServerMetrics};
pub use self::spans::SpanCounts;
pub use self::target::{BreakerState, TargetMetrics};

/// The content type of what [`Metrics::render`] gives.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4";

/// The metrics of a process, or of one test. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    families: Arc<Families>,
}

impl Metrics {
    /// Metrics of their own, with nothing counted.
    pub fn new() -> Self {
        let registry = Registry::new();
        let families = Arc::new(Families::register(&registry));
        families
            .start
            .with_label_values::<&str>(&[])
            .set(seconds(SystemTime::now()));
        Self { registry, families }
    }

    /// Those of this process.
    pub fn global() -> &'static Self {
        static GLOBAL: OnceLock<Metrics> = OnceLock::new();
        GLOBAL.get_or_init(Self::new)
    }

    /// The metrics of one channel to `target`, which is named as it was configured. Two channels of a process to the same
    /// target count into the same series.
    pub fn target(&self, target: &str) -> TargetMetrics {
        TargetMetrics::new(Arc::clone(&self.families), target)
    }

    /// The metrics of a server of this process.
    pub fn server(&self) -> ServerMetrics {
        ServerMetrics::new(Arc::clone(&self.families))
    }

    /// What became of the spans of this process.
    pub(crate) fn spans(&self) -> SpanCounts {
        SpanCounts::new(&self.families)
    }

    /// Tells of an audit log, which `look` looks at whenever the metrics are read. A second one is not taken.
    pub fn audit(&self, look: impl Fn() -> AuditState + Send + Sync + 'static) {
        let registered = Audit::new(look).and_then(|audit| self.registry.register(Box::new(audit)));
        if let Err(error) = registered {
            tracing::debug!(%error, "the metrics tell of one audit log");
        }
    }

    /// Everything that was counted so far, in Prometheus's text format ([`CONTENT_TYPE`]).
    pub fn render(&self) -> String {
        let mut text = String::new();
        if let Err(error) = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut text) {
            // What comes after the family that cannot be written is missing from the text.
            tracing::error!(%error, "the metrics cannot be rendered in full");
        }
        text
    }
}

/// Since 1970.
fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
