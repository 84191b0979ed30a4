//! Every family of metrics: its name, its attributes, its buckets.

use prometheus::core::Collector;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, Result};

/// gRFC A66, Units: seconds.
const LATENCY: &[f64] = &[
    0.0, 0.000_01, 0.000_05, 0.000_1, 0.000_3, 0.000_6, 0.000_8, 0.001, 0.002, 0.003, 0.004, 0.005,
    0.006, 0.008, 0.01, 0.013, 0.016, 0.02, 0.025, 0.03, 0.04, 0.05, 0.065, 0.08, 0.1, 0.13, 0.16,
    0.2, 0.25, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0,
];
/// gRFC A66, Units: bytes.
const SIZE: &[f64] = &[
    0.0,
    1024.0,
    2048.0,
    4096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
    268_435_456.0,
    1_073_741_824.0,
    4_294_967_296.0,
];
/// gRFC A96.
const RETRIES: &[f64] = &[1.0, 2.0, 3.0, 4.0, 5.0];
const TRANSPARENT_RETRIES: &[f64] = &[1.0, 2.0, 3.0, 4.0, 5.0, 10.0];

const TARGET: &[&str] = &["grpc_target"];
const CALL: &[&str] = &["grpc_method", "grpc_target"];
const ENDED: &[&str] = &["grpc_method", "grpc_target", "grpc_status"];
const SERVED: &[&str] = &["grpc_method", "grpc_status"];
const STATE: &[&str] = &["grpc_target", "state"];
const BY_CALLER: &[&str] = &["grpc_method", "caller"];

/// The families; the order of attributes is that of the constants above.
pub(super) struct Families {
    pub(super) attempt_started: IntCounterVec,
    pub(super) attempt_duration: HistogramVec,
    pub(super) attempt_sent: HistogramVec,
    pub(super) attempt_received: HistogramVec,
    pub(super) call_duration: HistogramVec,
    pub(super) retries: HistogramVec,
    pub(super) transparent_retries: HistogramVec,
    pub(super) hedges: HistogramVec,
    pub(super) retry_delay: HistogramVec,
    pub(super) served_started: IntCounterVec,
    pub(super) served_duration: HistogramVec,
    pub(super) served_sent: HistogramVec,
    pub(super) served_received: HistogramVec,
    pub(super) server_connections: IntGaugeVec,
    pub(super) panics: IntCounterVec,
    pub(super) spans: IntCounterVec,
    pub(super) connections_made: IntCounterVec,
    pub(super) connections_failed: IntCounterVec,
    pub(super) disconnections: IntCounterVec,
    pub(super) open_connections: IntGaugeVec,
    pub(super) ejections_enforced: IntCounterVec,
    pub(super) ejections_unenforced: IntCounterVec,
    pub(super) endpoints: IntGaugeVec,
    pub(super) breaker: IntGaugeVec,
    pub(super) breaker_transitions: IntCounterVec,
    pub(super) throttled: IntCounterVec,
    pub(super) resolutions: IntCounterVec,
    pub(super) start: IntGaugeVec,
    pub(super) deprecated: IntCounterVec,
    pub(super) served_deprecated: IntCounterVec,
    pub(super) served_deprecated_last: IntGaugeVec,
}

impl Families {
    #[allow(
        clippy::expect_used,
        reason = "names and attributes are constants, and the registry is empty: every test of metrics makes them all"
    )]
    pub(super) fn register(registry: &Registry) -> Self {
        Self::try_register(registry).expect("the families are well formed and registered once")
    }

    #[allow(clippy::too_many_lines, reason = "a list: one entry for each family")]
    fn try_register(to: &Registry) -> Result<Self> {
        Ok(Self {
            attempt_started: counter(
                to,
                "grpc_client_attempt_started_total",
                "Attempts of calls that were started, those included that have not ended.",
                CALL,
            )?,
            attempt_duration: histogram(
                to,
                "grpc_client_attempt_duration_seconds",
                "Time from the pick of an endpoint to the end of the attempt.",
                LATENCY,
                ENDED,
            )?,
            attempt_sent: histogram(
                to,
                "grpc_client_attempt_sent_total_compressed_message_size_bytes",
                "Bytes of all request messages of an attempt, as they were sent, without framing.",
                SIZE,
                ENDED,
            )?,
            attempt_received: histogram(
                to,
                "grpc_client_attempt_rcvd_total_compressed_message_size_bytes",
                "Bytes of all response messages of an attempt, as they came, without framing.",
                SIZE,
                ENDED,
            )?,
            call_duration: histogram(
                to,
                "grpc_client_call_duration_seconds",
                "Time that a call took from the point of view of its caller.",
                LATENCY,
                ENDED,
            )?,
            retries: histogram(
                to,
                "grpc_client_call_retries",
                "Retries of a call; calls without any are not counted.",
                RETRIES,
                CALL,
            )?,
            transparent_retries: histogram(
                to,
                "grpc_client_call_transparent_retries",
                "Transparent retries of a call; calls without any are not counted.",
                TRANSPARENT_RETRIES,
                CALL,
            )?,
            hedges: histogram(
                to,
                "grpc_client_call_hedges",
                "Hedges of a call; calls without any are not counted.",
                RETRIES,
                CALL,
            )?,
            retry_delay: histogram(
                to,
                "grpc_client_call_retry_delay_seconds",
                "Time of a call in which no attempt was under way; calls without any are not counted.",
                LATENCY,
                CALL,
            )?,
            served_started: counter(
                to,
                "grpc_server_call_started_total",
                "Calls that came, those included that have not ended.",
                &["grpc_method"],
            )?,
            served_duration: histogram(
                to,
                "grpc_server_call_duration_seconds",
                "Time from the headers of a call to its status.",
                LATENCY,
                SERVED,
            )?,
            served_sent: histogram(
                to,
                "grpc_server_call_sent_total_compressed_message_size_bytes",
                "Bytes of all response messages of a call, as they were sent, without framing.",
                SIZE,
                SERVED,
            )?,
            served_received: histogram(
                to,
                "grpc_server_call_rcvd_total_compressed_message_size_bytes",
                "Bytes of all request messages of a call, as they came, without framing.",
                SIZE,
                SERVED,
            )?,
            server_connections: gauge(
                to,
                "scribemed_server_connections",
                "Connections of callers that are open.",
                &[],
            )?,
            panics: counter(
                to,
                "scribemed_server_panics_total",
                "Calls whose handler panicked.",
                &["grpc_method"],
            )?,
            spans: counter(
                to,
                "scribemed_traces_spans_total",
                "Spans by what became of them: exported, failed, or dropped for want of room.",
                &["outcome"],
            )?,
            connections_made: counter(
                to,
                "grpc_subchannel_connection_attempts_succeeded_total",
                "Connections that were made.",
                TARGET,
            )?,
            connections_failed: counter(
                to,
                "grpc_subchannel_connection_attempts_failed_total",
                "Connections that could not be made.",
                TARGET,
            )?,
            disconnections: counter(
                to,
                "grpc_subchannel_disconnections_total",
                "Connections that ended, by the reason.",
                &["grpc_target", "grpc_disconnect_error"],
            )?,
            open_connections: gauge(
                to,
                "grpc_subchannel_open_connections",
                "Connections that are open.",
                TARGET,
            )?,
            ejections_enforced: counter(
                to,
                "grpc_lb_outlier_detection_ejections_enforced_total",
                "Outliers that were taken out of rotation.",
                TARGET,
            )?,
            ejections_unenforced: counter(
                to,
                "grpc_lb_outlier_detection_ejections_unenforced_total",
                "Outliers that were left in rotation, because too many are out already.",
                TARGET,
            )?,
            endpoints: gauge(
                to,
                "scribemed_client_endpoints",
                "Endpoints of a target, by state.",
                STATE,
            )?,
            breaker: gauge(
                to,
                "scribemed_client_breaker",
                "Channels to a target whose circuit breaker is in this state.",
                STATE,
            )?,
            breaker_transitions: counter(
                to,
                "scribemed_client_breaker_transitions_total",
                "Changes of a circuit breaker into this state.",
                STATE,
            )?,
            throttled: counter(
                to,
                "scribemed_client_throttled_total",
                "Calls that were turned away here, because the target refuses too many.",
                TARGET,
            )?,
            deprecated: counter(
                to,
                "scribemed_client_deprecated_total",
                "Answers that said that the method goes away.",
                CALL,
            )?,
            served_deprecated: counter(
                to,
                "scribemed_server_deprecated_total",
                "Calls of methods that go away, by who made them.",
                BY_CALLER,
            )?,
            served_deprecated_last: gauge(
                to,
                "scribemed_server_deprecated_last_timestamp_seconds",
                "When a method that goes away was called last, in seconds since 1970.",
                BY_CALLER,
            )?,
            start: gauge(
                to,
                "process_start_time_seconds",
                "Since when all this is counted, in seconds since 1970.",
                &[],
            )?,
            resolutions: counter(
                to,
                "scribemed_client_resolutions_total",
                "Look-ups of a target's name, by outcome.",
                &["grpc_target", "outcome"],
            )?,
        })
    }
}

fn counter(to: &Registry, name: &str, help: &str, attributes: &[&str]) -> Result<IntCounterVec> {
    registered(to, IntCounterVec::new(Opts::new(name, help), attributes)?)
}

fn gauge(to: &Registry, name: &str, help: &str, attributes: &[&str]) -> Result<IntGaugeVec> {
    registered(to, IntGaugeVec::new(Opts::new(name, help), attributes)?)
}

fn histogram(
    to: &Registry,
    name: &str,
    help: &str,
    buckets: &[f64],
    attributes: &[&str],
) -> Result<HistogramVec> {
    let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
    registered(to, HistogramVec::new(options, attributes)?)
}

fn registered<T: Collector + Clone + 'static>(to: &Registry, family: T) -> Result<T> {
    to.register(Box::new(family.clone()))?;
    Ok(family)
}
