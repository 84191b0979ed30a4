//! What is told of calls: metrics and the audit log.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use greeter::v1::fail_request::Way;
use greeter::v1::greeter_service_client::GreeterServiceClient;
use greeter::v1::trouble_service_client::TroubleServiceClient;
use greeter::v1::{
    CountDownRequest, FailRequest, SayGoodbyeRequest, SayHelloRequest, TroubleRequest,
};
use scribemed_audit::{AuditLog, Config};
use scribemed_client::Channel;
use scribemed_rpc::{CallContext, ClientContract as _, RequestId};
use scribemed_telemetry::metrics::Metrics;
use serde_json::Value;
use tonic::Code;

use crate::support::{Running, permissions, reason, soon, start_as};

const GREETER: &str = "greeter.v1.GreeterService";

fn hello(name: &str) -> SayHelloRequest {
    SayHelloRequest {
        name: name.to_owned(),
    }
}

fn goodbye() -> SayGoodbyeRequest {
    SayGoodbyeRequest {
        name: "Ada".to_owned(),
    }
}

fn audit(folder: &Path) -> (AuditLog, PathBuf) {
    let path = folder.join("audit.jsonl");
    (AuditLog::open(Config::new(&path, "greeter")).unwrap(), path)
}

async fn audited(log: &AuditLog) -> Running {
    let log = log.clone();
    start_as(None, |builder| builder.audit(log)).await
}

/// The records of calls.
fn records(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|record: &Value| record["event"] == "call")
        .collect()
}

/// The value of a series.
fn value(metrics: &Metrics, series: &str) -> Option<f64> {
    let text = metrics.render();
    text.lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test]
async fn calls_are_counted_by_method_and_status_with_their_bytes() {
    let metrics = Metrics::new();
    let counted = metrics.clone();
    let server = start_as(None, |builder| builder.metrics(counted)).await;
    let mut greeter = server.greeter();
    let name = "A".repeat(40);
    let answer = greeter.say_hello(hello(&name)).await.unwrap().into_inner();
    let mut raw = server.raw().await;
    raw.unary(&format!("/{GREETER}/SayHello"), &[], &hello(""))
        .await;
    let request = CountDownRequest { from: 3 };
    let mut numbers = greeter.count_down(request).await.unwrap().into_inner();
    while numbers.message().await.unwrap().is_some() {}
    let panic = FailRequest {
        way: Way::Panic.into(),
    };
    server.trouble().fail(panic).await.unwrap_err();

    let ended = |measure: &str, method: &str, status: &str| {
        let series = format!(
            "grpc_server_call_{measure}{{grpc_method=\"{method}\",grpc_status=\"{status}\"}}"
        );
        value(&metrics, &series)
    };
    let method = format!("{GREETER}/SayHello");
    let started = format!("grpc_server_call_started_total{{grpc_method=\"{method}\"}}");
    assert_eq!(value(&metrics, &started), Some(2.0));
    assert_eq!(ended("duration_seconds_count", &method, "OK"), Some(1.0));
    assert_eq!(
        ended("duration_seconds_count", &method, "INVALID_ARGUMENT"),
        Some(1.0)
    );
    let size = |message: &dyn Fn() -> usize| u32::try_from(message()).ok().map(f64::from);
    assert_eq!(
        ended(
            "rcvd_total_compressed_message_size_bytes_sum",
            &method,
            "OK"
        ),
        size(&|| prost::Message::encoded_len(&hello(&name)))
    );
    assert_eq!(
        ended(
            "sent_total_compressed_message_size_bytes_sum",
            &method,
            "OK"
        ),
        size(&|| prost::Message::encoded_len(&answer))
    );
    let streamed = format!("{GREETER}/CountDown");
    assert!(
        ended(
            "sent_total_compressed_message_size_bytes_sum",
            &streamed,
            "OK"
        ) > Some(4.0)
    );
    let failed = "greeter.v1.TroubleService/Fail";
    assert_eq!(
        ended("duration_seconds_count", failed, "INTERNAL"),
        Some(1.0)
    );
    let panics = format!("scribemed_server_panics_total{{grpc_method=\"{failed}\"}}");
    assert_eq!(value(&metrics, &panics), Some(1.0));
    assert!(value(&metrics, "scribemed_server_connections") >= Some(1.0));
}

#[tokio::test]
async fn a_caller_cannot_make_series() {
    let metrics = Metrics::new();
    let counted = metrics.clone();
    let server = start_as(None, |builder| builder.metrics(counted)).await;
    let mut raw = server.raw().await;
    for path in [
        "/greeter.v1.GreeterService/Nothing",
        "/a/b",
        "/grpc.health.v1.Health/Nothing",
    ] {
        raw.call(path, &[], Bytes::new()).await;
    }
    let text = metrics.render();
    assert!(!text.contains("Nothing"), "{text}");
    let other = "grpc_server_call_duration_seconds_count{grpc_method=\"other\",grpc_status=\"UNIMPLEMENTED\"}";
    assert_eq!(value(&metrics, other), Some(3.0), "{text}");
}

#[tokio::test]
async fn it_is_recorded_who_called_what_and_how_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (log, path) = audit(folder.path());
    let server = audited(&log).await;
    let mut greeter = GreeterServiceClient::over(server.channel_with(&["say:goodbyes"]));
    let request_id = RequestId::generate();
    CallContext::resumed(request_id)
        .scope(greeter.say_goodbye(goodbye()))
        .await
        .unwrap();
    // Nobody hears of what was done before its record is on the disk.
    let record = records(&path).pop().unwrap();
    assert_eq!(record["caller"], "tester");
    assert_eq!(record["method"], format!("{GREETER}/SayGoodbye"));
    assert_eq!(record["code"], "OK");
    assert_eq!(record["request_id"], request_id.to_string());
    assert_eq!(record["token_id"].as_str().unwrap().len(), 36);
    assert!(record["peer"].as_str().unwrap().starts_with("127.0.0.1:"));

    let granted = permissions(&["say:goodbyes"]);
    let token = server.identity.token("tester", &granted).unwrap();
    let bearer = format!("Bearer {}", token.secret.expose());
    let headers = [("authorization", bearer.as_str())];
    let nobody = SayGoodbyeRequest::default();
    let mut raw = server.raw().await;
    raw.unary(&format!("/{GREETER}/SayGoodbye"), &headers, &nobody)
        .await;
    let mut stranger = server.greeter();
    stranger.say_goodbye(goodbye()).await.unwrap_err();
    let mut guarded = TroubleServiceClient::over(server.channel_with(&["see:troubles"]));
    guarded
        .guarded(TroubleRequest::default())
        .await
        .unwrap_err();
    // A public method: nobody is known, and nothing is refused.
    stranger.say_hello(hello("Ada")).await.unwrap();
    log.close().await;
    let told: Vec<_> = records(&path)
        .iter()
        .map(|record| (record["caller"].clone(), record["code"].clone()))
        .collect();
    let tester = || Value::from("tester");
    assert_eq!(
        told,
        [
            (tester(), "OK".into()),
            (tester(), "INVALID_ARGUMENT".into()),
            (Value::Null, "UNAUTHENTICATED".into()),
            (tester(), "PERMISSION_DENIED".into()),
        ]
    );
    scribemed_audit::verify(&path, None, Some(log.sequence())).unwrap();
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_done() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::new(folder.path().join("audit.jsonl"), "greeter");
    config.capacity = 1;
    let log = AuditLog::open(config).unwrap();
    let server = audited(&log).await;
    let place = log.reserve().unwrap();
    let channel: Channel = server.channel_with(&["say:goodbyes"]);
    let mut greeter = GreeterServiceClient::over(channel);
    let refused = greeter.say_goodbye(goodbye()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert_eq!(reason(&refused), "AUDIT_UNAVAILABLE");
    // What asks for no identity needs no record.
    server.greeter().say_hello(hello("Ada")).await.unwrap();
    drop(place);
    soon(greeter.say_goodbye(goodbye())).await.unwrap();
}
