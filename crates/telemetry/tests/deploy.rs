//! What is given to operators fits the metrics that there are. Debian's package `prometheus` brings `promtool`.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use scribemed_telemetry::metrics::{AuditState, Metrics};
use scribemed_telemetry::traces::{Settings, Tracer};

const DASHBOARD: &str = "deploy/grafana/scribemed.json";
const ALERTS: &str = "deploy/prometheus/alerts.yml";

fn file(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.parent().unwrap().join(path)
}

fn promtool() -> Command {
    let program = std::env::var_os("SCRIBEMED_PROMTOOL")
        .map_or_else(|| PathBuf::from("/usr/bin/promtool"), PathBuf::from);
    assert!(
        program.is_file(),
        "there is no {}: `apt-get install prometheus` brings it, or SCRIBEMED_PROMTOOL names the program",
        program.display()
    );
    Command::new(program)
}

/// Metrics in which everything has happened once.
fn everything() -> String {
    let metrics = Metrics::new();
    let target = metrics.target("dns:///auth:50051");
    target.endpoints("ready", 1);
    target.open_connections(1);
    target.breaker(scribemed_telemetry::metrics::BreakerState::Open);
    target.ejected(1, 1);
    target.connection_attempt(true);
    target.connection_attempt(false);
    target.disconnected("unknown");
    target.throttled();
    target.resolution(true);
    let second = Duration::from_secs(1);
    let called = target.method("greeter.v1.Greeter/Greet");
    called.attempt_started();
    called.attempt_ended(0, second, 1, 1);
    called.call_ended(0, second, 1, 1, 1, second);
    called.deprecated();
    let server = metrics.server();
    let _connection = server.connected();
    let of_server = server.method("greeter.v1.Greeter/Greet");
    of_server.call_started();
    of_server.panicked();
    of_server.deprecated("emr", std::time::UNIX_EPOCH + second);
    of_server.call_ended(13, second, 1, 1);
    metrics.audit(|| AuditState {
        sequence: 1,
        failing: false,
    });
    let nowhere = Settings::new("greeter", "http://127.0.0.1:9/v1/traces");
    let _tracer = Tracer::new(&nowhere, &metrics).unwrap();
    metrics.render()
}

/// The names that a query may use.
fn names(text: &str) -> BTreeSet<String> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types
        .flat_map(|line| {
            let (name, kind) = line.split_once(' ').unwrap();
            let suffixes: &[&str] = match kind {
                "histogram" => &["_bucket", "_sum", "_count"],
                _ => &[""],
            };
            suffixes.iter().map(move |suffix| format!("{name}{suffix}"))
        })
        .collect()
}

/// The metrics that are named in `text`.
fn used(text: &str) -> BTreeSet<&str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .filter(|word| {
            let attribute = [
                "grpc_method",
                "grpc_status",
                "grpc_target",
                "grpc_disconnect_error",
            ];
            (word.starts_with("grpc_") || word.starts_with("scribemed_"))
                && !attribute.contains(word)
        })
        .collect()
}

#[test]
fn dashboard_and_alerts_use_metrics_that_there_are() {
    let there = names(&everything());
    for path in [DASHBOARD, ALERTS] {
        let text = std::fs::read_to_string(file(path)).unwrap();
        let used = used(&text);
        assert!(used.len() > 5, "{path} uses {used:?}");
        for name in used {
            assert!(
                there.contains(name),
                "{path} uses {name}, and there is {there:?}"
            );
        }
    }
    let dashboard = std::fs::read_to_string(file(DASHBOARD)).unwrap();
    let shown = used(&dashboard);
    for name in &there {
        let base = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|suffix| name.strip_suffix(suffix))
            .unwrap_or(name);
        // Attempts are shown by their number; how long each took and how large it was is for whoever looks closer. And since when
        // there is anything is for programs.
        if base.starts_with("grpc_client_attempt_") || base.starts_with("process_") {
            continue;
        }
        assert!(
            shown.iter().any(|shown| shown.starts_with(base)),
            "{base} is on no panel"
        );
    }
}

#[test]
fn promtool_finds_nothing_wrong_with_the_metrics() {
    let mut child = promtool()
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(everything().as_bytes()).unwrap();
    drop(input);
    let told = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.status.success() && said.is_empty(), "{said}");
}

#[test]
fn promtool_reads_the_alerts() {
    let told = promtool()
        .args(["check", "rules"])
        .arg(file(ALERTS))
        .output()
        .unwrap();
    let said = [told.stdout, told.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(
        told.status.success() && said.contains("11 rules found"),
        "{said}"
    );
}
