use std::time::Duration;

use super::*;

const METHOD: &str = "scribemed.auth.v1.AuthService/GetKeySet";
const TARGET: &str = "dns:///auth:50051";

/// The value of a series, written as Prometheus reads it.
fn value<'a>(text: &'a str, series: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))
}

fn check(metrics: &Metrics, expect: &[(&str, Option<&str>)]) {
    let text = metrics.render();
    for (series, expect) in expect {
        assert_eq!(value(&text, series), *expect, "{series} in\n{text}");
    }
}

#[test]
fn counts_attempts_and_calls_by_method_target_and_status() {
    let metrics = Metrics::new();
    let method = metrics.target(TARGET).method(METHOD);
    method.attempt_started();
    method.attempt_started();
    method.attempt_ended(14, Duration::from_millis(2), 64, 0);
    method.attempt_ended(0, Duration::from_millis(4), 64, 5000);
    method.call_ended(
        0,
        Duration::from_millis(8),
        1,
        0,
        0,
        Duration::from_millis(2),
    );
    let call = format!("{{grpc_method=\"{METHOD}\",grpc_target=\"{TARGET}\"}}");
    let ended = |status| {
        format!("grpc_method=\"{METHOD}\",grpc_status=\"{status}\",grpc_target=\"{TARGET}\"")
    };
    let (ok, unavailable) = (ended("OK"), ended("UNAVAILABLE"));
    let received = "grpc_client_attempt_rcvd_total_compressed_message_size_bytes";
    let series = |name: &str, attributes: &str| format!("{name}{attributes}");
    for (series, expect) in [
        (series("grpc_client_attempt_started_total", &call), "2"),
        (
            format!("grpc_client_attempt_duration_seconds_count{{{ok}}}"),
            "1",
        ),
        (
            format!("grpc_client_attempt_duration_seconds_sum{{{unavailable}}}"),
            "0.002",
        ),
        (
            format!("grpc_client_attempt_duration_seconds_bucket{{{ok},le=\"0.003\"}}"),
            "0",
        ),
        (
            format!("grpc_client_attempt_duration_seconds_bucket{{{ok},le=\"0.004\"}}"),
            "1",
        ),
        (format!("{received}_bucket{{{ok},le=\"4096\"}}"), "0"),
        (format!("{received}_bucket{{{ok},le=\"16384\"}}"), "1"),
        (format!("{received}_bucket{{{unavailable},le=\"0\"}}"), "1"),
        (
            format!("grpc_client_attempt_sent_total_compressed_message_size_bytes_sum{{{ok}}}"),
            "64",
        ),
        (
            format!("grpc_client_call_duration_seconds_count{{{ok}}}"),
            "1",
        ),
        (series("grpc_client_call_retries_sum", &call), "1"),
        (
            series("grpc_client_call_retry_delay_seconds_sum", &call),
            "0.002",
        ),
    ] {
        check(&metrics, &[(&series, Some(expect))]);
    }
}

#[test]
fn what_did_not_happen_has_no_series() {
    let metrics = Metrics::new();
    let method = metrics.target(TARGET).method(METHOD);
    method.attempt_started();
    method.attempt_ended(0, Duration::ZERO, 0, 0);
    method.call_ended(0, Duration::ZERO, 0, 0, 0, Duration::ZERO);
    let text = metrics.render();
    for absent in [
        "grpc_client_call_retries",
        "grpc_client_call_transparent_retries",
        "grpc_client_call_hedges",
        "grpc_client_call_retry_delay",
        "UNAVAILABLE",
        "grpc_lb_outlier_detection",
        "grpc_subchannel_disconnections",
    ] {
        assert!(!text.contains(absent), "{absent} in\n{text}");
    }
}

#[test]
fn a_code_that_is_none_is_unknown() {
    let metrics = Metrics::new();
    let method = metrics.target(TARGET).method("other");
    for code in [-1, 2, 17, i32::MAX] {
        method.call_ended(code, Duration::ZERO, 0, 0, 0, Duration::ZERO);
    }
    method.call_ended(16, Duration::ZERO, 0, 0, 0, Duration::ZERO);
    let count = |status: &str| {
        format!(
            "grpc_client_call_duration_seconds_count{{grpc_method=\"other\",grpc_status=\"{status}\",grpc_target=\"{TARGET}\"}}"
        )
    };
    check(
        &metrics,
        &[
            (&count("UNKNOWN"), Some("4")),
            (&count("UNAUTHENTICATED"), Some("1")),
        ],
    );
}

#[test]
fn a_breaker_counts_changes_only() {
    let metrics = Metrics::new();
    let target = metrics.target("t");
    let state = |state| format!("scribemed_client_breaker{{grpc_target=\"t\",state=\"{state}\"}}");
    let turned = |state| {
        format!("scribemed_client_breaker_transitions_total{{grpc_target=\"t\",state=\"{state}\"}}")
    };
    target.breaker(BreakerState::Closed);
    check(
        &metrics,
        &[(&state("closed"), Some("1")), (&turned("closed"), None)],
    );
    target.breaker(BreakerState::Open);
    target.breaker(BreakerState::Open);
    target.breaker(BreakerState::HalfOpen);
    check(
        &metrics,
        &[
            (&state("closed"), Some("0")),
            (&state("open"), Some("0")),
            (&state("half_open"), Some("1")),
            (&turned("open"), Some("1")),
            (&turned("half_open"), Some("1")),
            (&turned("closed"), None),
        ],
    );
}

#[test]
fn channels_to_one_target_add_up_and_leave_nothing_behind() {
    let metrics = Metrics::new();
    let (one, other) = (metrics.target("t"), metrics.target("t"));
    let ready = "scribemed_client_endpoints{grpc_target=\"t\",state=\"ready\"}";
    let open = "grpc_subchannel_open_connections{grpc_target=\"t\"}";
    let closed = "scribemed_client_breaker{grpc_target=\"t\",state=\"closed\"}";
    one.endpoints("ready", 3);
    one.endpoints("ready", 2);
    other.endpoints("ready", 1);
    one.open_connections(4);
    check(
        &metrics,
        &[(ready, Some("3")), (open, Some("4")), (closed, Some("2"))],
    );
    drop(one.clone());
    drop(one);
    check(
        &metrics,
        &[(ready, Some("1")), (open, Some("0")), (closed, Some("1"))],
    );
}

#[test]
fn the_rest_of_a_target() {
    let metrics = Metrics::new();
    let target = metrics.target("t");
    target.ejected(2, 1);
    target.connection_attempt(true);
    target.connection_attempt(false);
    target.connection_attempt(false);
    target.disconnected("connection reset");
    target.throttled();
    target.resolution(true);
    target.resolution(false);
    check(
        &metrics,
        &[
            (
                "grpc_lb_outlier_detection_ejections_enforced_total{grpc_target=\"t\"}",
                Some("2"),
            ),
            (
                "grpc_lb_outlier_detection_ejections_unenforced_total{grpc_target=\"t\"}",
                Some("1"),
            ),
            (
                "grpc_subchannel_connection_attempts_succeeded_total{grpc_target=\"t\"}",
                Some("1"),
            ),
            (
                "grpc_subchannel_connection_attempts_failed_total{grpc_target=\"t\"}",
                Some("2"),
            ),
            (
                "grpc_subchannel_disconnections_total{grpc_disconnect_error=\"connection reset\",grpc_target=\"t\"}",
                Some("1"),
            ),
            (
                "scribemed_client_throttled_total{grpc_target=\"t\"}",
                Some("1"),
            ),
            (
                "scribemed_client_resolutions_total{grpc_target=\"t\",outcome=\"ok\"}",
                Some("1"),
            ),
            (
                "scribemed_client_resolutions_total{grpc_target=\"t\",outcome=\"failed\"}",
                Some("1"),
            ),
        ],
    );
}

#[test]
fn an_audit_log_is_looked_at_when_the_metrics_are_read() {
    let metrics = Metrics::new();
    let state = |sequence, failing| move || AuditState { sequence, failing };
    metrics.audit(state(7, true));
    metrics.audit(state(9, false));
    check(
        &metrics,
        &[
            ("scribemed_audit_sequence", Some("7")),
            ("scribemed_audit_failing", Some("1")),
        ],
    );
}

#[test]
fn counts_what_is_served() {
    let metrics = Metrics::new();
    let served = metrics.server().method(METHOD);
    let connections = [metrics.server().connected(), metrics.server().connected()];
    let open = |expect| check(&metrics, &[("scribemed_server_connections", Some(expect))]);
    open("2");
    drop(connections);
    open("0");
    served.panicked();
    let panics = format!("scribemed_server_panics_total{{grpc_method=\"{METHOD}\"}}");
    check(&metrics, &[(&panics, Some("1"))]);
    served.call_started();
    served.call_ended(5, Duration::from_millis(4), 10, 2000);
    let ended = format!("{{grpc_method=\"{METHOD}\",grpc_status=\"NOT_FOUND\"}}");
    let sum = |name: &str| format!("grpc_server_call_{name}_sum{ended}");
    check(
        &metrics,
        &[
            (
                &format!("grpc_server_call_started_total{{grpc_method=\"{METHOD}\"}}"),
                Some("1"),
            ),
            (&sum("duration_seconds"), Some("0.004")),
            (&sum("sent_total_compressed_message_size_bytes"), Some("10")),
            (
                &sum("rcvd_total_compressed_message_size_bytes"),
                Some("2000"),
            ),
        ],
    );
}
