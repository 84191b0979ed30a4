//! Prometheus itself reads the metrics, and answers what the dashboard asks.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use scribemed_auth::{KeySet, SigningKey};
use scribemed_discovery::ServiceRegistry;
use scribemed_service::{Admin, Channel, ClientSettings, Platform, ServerSettings, Settings};
use scribemed_telemetry::metrics::Metrics;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

const PATIENCE: Duration = Duration::from_secs(30);
const METHOD: &str = "scribemed.auth.v1.AuthService/GetKeySet";
const CALLED: &str = "grpc_client_attempt_started_total";
const SERVED: &str =
    "grpc_server_call_duration_seconds_count{grpc_method=\"grpc.health.v1.Health/Check\"}";

#[tokio::test]
async fn prometheus_scrapes_the_admin_port() {
    let platform = platform();
    let calls = platform
        .metrics()
        .target("dns:///auth:50051")
        .method(METHOD);
    for _ in 0..3 {
        calls.attempt_started();
        calls.attempt_ended(0, Duration::from_millis(2), 20, 300);
        calls.call_ended(0, Duration::from_millis(2), 0, 0, 0, Duration::ZERO);
    }
    serve_and_call(&platform).await;
    let admin = Admin::new();
    admin.show(&platform);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();

    let asked = async {
        let folder = tempfile::tempdir().unwrap();
        let (prometheus, api) = start(folder.path(), address).await;
        let samples = (sample(api, CALLED).await, sample(api, SERVED).await);
        for query in dashboard() {
            let answer = ask(api, &query).await;
            assert_eq!(answer["status"], "success", "{query}: {answer}");
        }
        drop(prometheus);
        samples
    };
    let asked = tokio::time::timeout(PATIENCE, asked);
    let (called, served) = admin.beside(Some(listener), asked).await.unwrap();
    assert_eq!(called["metric"]["grpc_method"], METHOD);
    assert_eq!(called["metric"]["grpc_target"], "dns:///auth:50051");
    assert_eq!(called["metric"]["job"], "scribemed");
    assert_eq!(called["value"][1], "3");
    assert_eq!(served["metric"]["grpc_status"], "OK");
    assert_eq!(served["value"][1], "2");
    platform.shutdown().cancel();
}

/// The platform's own server answers two calls.
async fn serve_and_call(platform: &Platform) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(
        platform
            .server()
            .serve(listener, platform.shutdown().clone()),
    );
    let channel = Channel::new(&target.parse().unwrap(), &[], None).unwrap();
    let mut health = HealthClient::new(channel);
    for _ in 0..2 {
        health.check(HealthCheckRequest::default()).await.unwrap();
    }
}

/// Every query of the dashboard, with its variables filled in.
fn dashboard() -> Vec<String> {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../deploy/grafana/scribemed.json"
    );
    let text = std::fs::read_to_string(file).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels
        .filter_map(|panel| panel["targets"].as_array())
        .flatten();
    let queries: Vec<_> = targets
        .map(|target| target["expr"].as_str().unwrap())
        .map(|query| {
            query
                .replace("$__rate_interval", "1m")
                .replace("$job", ".*")
        })
        .collect();
    assert!(queries.len() > 20, "{queries:?}");
    queries
}

fn platform() -> Platform {
    let key = SigningKey::generate().unwrap();
    let settings = Settings {
        name: "documentation".to_owned(),
        registry: ServiceRegistry::default(),
        issuer: "auth.test".to_owned(),
        tokens: None,
        keys: Arc::new(KeySet::new([key.public().clone()]).unwrap()),
        clients: ClientSettings::default().with_metrics(Metrics::new()),
        servers: ServerSettings::default(),
    };
    Platform::new(settings, CancellationToken::new())
}

/// Prometheus on a free port, scraping `target` once a second, and where it answers. It ends when it is dropped. The first
/// 5 s it does nothing: its discovery is that slow, and cannot be told otherwise.
async fn start(folder: &Path, target: SocketAddr) -> (Child, SocketAddr) {
    let config = format!(
        "scrape_configs:\n- job_name: scribemed\n  scrape_interval: 1s\n  static_configs:\n  - targets: ['{target}']\n"
    );
    let file = folder.join("prometheus.yml");
    std::fs::write(&file, config).unwrap();
    let mut process = Command::new(program())
        .arg(format!("--config.file={}", file.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.join("data").display()
        ))
        .args(["--web.listen-address=127.0.0.1:0", "--log.format=json"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
    let mut seen = Vec::new();
    while let Some(line) = log.next_line().await.unwrap() {
        let event: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        if event["msg"] == "Listening on" {
            let api = event["address"].as_str().unwrap().parse().unwrap();
            // Read on, or it stops when the pipe is full.
            tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
            return (process, api);
        }
        seen.push(line);
    }
    panic!("prometheus did not start:\n{}", seen.join("\n"));
}

fn program() -> PathBuf {
    let program = std::env::var_os("SCRIBEMED_PROMETHEUS")
        .map_or_else(|| PathBuf::from("/usr/bin/prometheus"), PathBuf::from);
    assert!(
        program.is_file(),
        "there is no {}: `apt-get install prometheus` brings it, or SCRIBEMED_PROMETHEUS names the program",
        program.display()
    );
    program
}

/// The sample of the query, as soon as there is one. Whoever calls sets a limit to that.
async fn sample(api: SocketAddr, query: &str) -> serde_json::Value {
    loop {
        if let Some(sample) = ask(api, query).await["data"]["result"].get(0) {
            return sample.clone();
        }
        // Between two polls of a program that is not ours.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What Prometheus answers; null while it does not.
async fn ask(api: SocketAddr, query: &str) -> serde_json::Value {
    let encoded = query.bytes().fold(String::new(), |mut encoded, byte| {
        // Writing to a String cannot fail.
        let _ = write!(encoded, "%{byte:02X}");
        encoded
    });
    let answer = get(api, &format!("/api/v1/query?query={encoded}")).await;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    serde_json::from_str(body).unwrap_or_default()
}

/// HTTP/1.0: an answer in one piece that ends with its connection.
async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.0\r\nhost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
