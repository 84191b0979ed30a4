#![allow(clippy::unwrap_used, reason = "a test may panic")]
use std::time::Duration;

use scribemed_auth::{KeySet, SigningKey};
use scribemed_client::EndpointStatus;
use scribemed_discovery::ServiceRegistry;
use scribemed_server::Status;
use scribemed_telemetry::metrics::Metrics;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::{ClientSettings, ServerSettings, Settings};

fn platform() -> Platform {
    let key = SigningKey::generate().unwrap();
    platform_with(Arc::new(KeySet::new([key.public().clone()]).unwrap()))
}

fn platform_with(keys: Arc<dyn scribemed_auth::KeySource>) -> Platform {
    let settings = Settings {
        name: "documentation".to_owned(),
        registry: ServiceRegistry::default(),
        issuer: "auth.test".to_owned(),
        tokens: None,
        keys,
        clients: ClientSettings::default().with_metrics(Metrics::new()),
        servers: ServerSettings::default(),
    };
    Platform::new(settings, CancellationToken::new())
}

/// An admin port beside a service that runs until it is told to end.
struct Running {
    address: std::net::SocketAddr,
    end: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Running {
    async fn start(admin: Admin) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (end, told) = oneshot::channel();
        let ended = tokio::spawn(async move {
            admin
                .beside(Some(listener), async { told.await.unwrap() })
                .await;
        });
        Self {
            address,
            end,
            ended,
        }
    }

    /// Shows `platform`.
    async fn with(platform: &Platform) -> Self {
        let admin = Admin::new();
        admin.show(platform);
        Self::start(admin).await
    }

    async fn send(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// Status line, headers and body of the answer.
    async fn get(&self, path: &str, headers: &str) -> (String, String, String) {
        let answer = self
            .send(&format!(
                "GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n{headers}\r\n"
            ))
            .await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let (status, headers) = head.split_once("\r\n").unwrap();
        (status.to_owned(), headers.to_lowercase(), body.to_owned())
    }

    async fn ready(&self) -> (String, String) {
        let (status, _, body) = self.get("/readyz", "").await;
        (status, body)
    }
}

const OK: &str = "HTTP/1.1 200 OK";
const NOT_READY: &str = "HTTP/1.1 503 Service Unavailable";

fn status(resolved: bool) -> ChannelStatus {
    ChannelStatus {
        service: "transcription".to_owned(),
        target: "dns:///transcription:50052".to_owned(),
        load_balancing: "peak_ewma",
        breaker: "open",
        breaker_open_for_seconds: 12.34,
        retry_tokens: Some((7.5, 10.0)),
        attempt_budget: 42,
        throttled_share: 0.25,
        resolver_error: (!resolved).then(|| "no such host".to_owned()),
        resolved_seconds_ago: resolved.then_some(3.0),
        endpoints: vec![EndpointStatus {
            address: "10.0.0.7:50052".to_owned(),
            state: "not_serving",
            ejected: true,
            connections: 2,
            pending: 5,
            latency_ms: 1.5,
            successes: 100,
            failures: 3,
            last_failure: Some("<script>alert('it & \"more\"')</script>".to_owned()),
        }],
    }
}

#[tokio::test]
async fn ready_when_the_server_serves_and_every_name_was_resolved() {
    let admin = Admin::new();
    let running = Running::start(admin.clone()).await;
    let not_ready = |missing: &str| (NOT_READY.to_owned(), format!("not ready:\n- {missing}\n"));
    assert_eq!(running.ready().await, not_ready("the service is starting"));

    let platform = platform();
    admin.show(&platform);
    assert_eq!(
        running.ready().await,
        not_ready("the server has not started")
    );
    let health = platform.server().health();
    assert_eq!(running.ready().await, (OK.to_owned(), "ready\n".to_owned()));

    health.set("greeter.v1.GreeterService", Status::NotServing);
    let (line, body) = running.ready().await;
    assert_eq!(line, NOT_READY);
    assert!(
        body.contains("greeter.v1.GreeterService is set to NOT_SERVING"),
        "{body}"
    );
    health.set("greeter.v1.GreeterService", Status::Serving);

    let resolved = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let look = Arc::clone(&resolved);
    platform
        .channels()
        .add(move || status(look.load(std::sync::atomic::Ordering::SeqCst)));
    assert_eq!(
        running.ready().await,
        not_ready(
            "transcription at dns:///transcription:50052: its name was never resolved: no such host"
        )
    );
    resolved.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(running.ready().await.0, OK);

    platform.shutdown().cancel();
    assert_eq!(
        running.ready().await,
        not_ready("the service is shutting down")
    );
    assert_eq!(running.get("/livez", "").await.0, OK);
}

/// Keys that come from somewhere that may be away.
struct Away {
    keys: KeySet,
    there: Arc<std::sync::atomic::AtomicBool>,
}

impl scribemed_auth::KeySource for Away {
    fn fetch(&self) -> scribemed_auth::BoxFuture<'_, Result<KeySet, scribemed_auth::BoxError>> {
        let there = self.there.load(std::sync::atomic::Ordering::SeqCst);
        let answer = if there {
            Ok(self.keys.clone())
        } else {
            Err("connection refused".into())
        };
        Box::pin(std::future::ready(answer))
    }
}

#[tokio::test]
async fn a_service_that_cannot_verify_its_callers_says_why_it_is_not_ready() {
    let there = Arc::<std::sync::atomic::AtomicBool>::default();
    let key = SigningKey::generate().unwrap();
    let keys = Away {
        keys: KeySet::new([key.public().clone()]).unwrap(),
        there: Arc::clone(&there),
    };
    let platform = platform_with(Arc::new(keys));
    let server = platform.server();
    let health = server.health();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let serving = tokio::spawn(server.serve(listener, platform.shutdown().clone()));
    let running = Running::with(&platform).await;
    let until = async |status| {
        let wait = async {
            while health.get("") != Some(status) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait)
            .await
            .unwrap();
    };
    until(Status::NotServing).await;
    let (line, body) = running.ready().await;
    assert_eq!(line, NOT_READY);
    assert!(
        body.contains("the check `keys` fails") && body.contains("connection refused"),
        "{body}"
    );
    there.store(true, std::sync::atomic::Ordering::SeqCst);
    until(Status::Serving).await;
    assert_eq!(running.ready().await.0, OK);
    platform.shutdown().cancel();
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn channels_as_json() {
    let platform = platform();
    platform.channels().add(|| status(true));
    let running = Running::with(&platform).await;
    for (path, headers) in [
        ("/debug/channels?format=json", ""),
        ("/debug/channels", "accept: application/json\r\n"),
        (
            "/debug/channels",
            "accept: */*;q=0.1, application/json;q=0.9\r\n",
        ),
        ("/debug/channels?format=json", "accept: text/html\r\n"),
    ] {
        let (line, headers, body) = running.get(path, headers).await;
        assert_eq!(line, OK);
        assert!(
            headers.contains("content-type: application/json"),
            "{headers}"
        );
        let channels: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(channels[0]["service"], "transcription");
        assert_eq!(channels[0]["endpoints"][0]["state"], "not_serving");
        assert_eq!(channels[0]["endpoints"][0]["pending"], 5);
    }
    let (line, _, body) = running.get("/debug/channels?format=xml", "").await;
    assert_eq!(line, "HTTP/1.1 400 Bad Request");
    assert!(body.contains("`json` or `html`"), "{body}");
}

#[tokio::test]
async fn channels_as_a_page_that_fetches_and_runs_nothing() {
    let platform = platform();
    platform.channels().add(|| status(true));
    platform.channels().add(|| status(false));
    let running = Running::with(&platform).await;
    let browser =
        "accept: text/html,application/xhtml+xml,application/xml;q=0.9,application/json\r\n";
    for (path, headers) in [
        ("/debug/channels", ""),
        ("/debug/channels", browser),
        (
            "/debug/channels?format=html",
            "accept: application/json\r\n",
        ),
    ] {
        let (line, headers, body) = running.get(path, headers).await;
        assert_eq!(line, OK);
        assert!(
            headers.contains("content-type: text/html; charset=utf-8"),
            "{headers}"
        );
        assert!(
            headers.contains("content-security-policy: default-src 'none'"),
            "{headers}"
        );
        for part in [
            "<title>Channels of documentation</title>",
            "<code>dns:///transcription:50052</code>",
            ">open</span>, for 12.3 s more",
            "7.5 of 10",
            "25.0 %",
            "<code>10.0.0.7:50052</code>",
            ">not_serving</span> <span class=\"bad\">ejected</span>",
            "&lt;script&gt;alert(&#39;it &amp; &quot;more&quot;&#39;)&lt;/script&gt;",
            "3.0 s ago",
            ">never</span>",
            "no such host",
        ] {
            assert!(body.contains(part), "{part} in\n{body}");
        }
        for foreign in ["<script", "src=", "http:", "https:", "url("] {
            assert!(!body.contains(foreign), "{foreign} in\n{body}");
        }
    }
}

#[tokio::test]
async fn metrics_are_those_of_the_platform() {
    let platform = platform();
    platform.metrics().target("dns:///auth:1").throttled();
    let running = Running::with(&platform).await;
    let (line, headers, body) = running.get("/metrics", "").await;
    assert_eq!(line, OK);
    assert!(
        headers.contains("content-type: text/plain; version=0.0.4"),
        "{headers}"
    );
    assert!(
        body.contains("scribemed_client_throttled_total{grpc_target=\"dns:///auth:1\"} 1\n"),
        "{body}"
    );
}

#[tokio::test]
async fn what_is_not_there_tells_what_is() {
    let running = Running::with(&platform()).await;
    let (line, _, body) = running.get("/", "").await;
    assert_eq!(line, "HTTP/1.1 404 Not Found");
    assert!(body.contains("/debug/channels"), "{body}");
    let answer = running
        .send("POST /readyz HTTP/1.1\r\nhost: admin\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
}

#[tokio::test]
async fn ends_with_the_service_whoever_holds_a_request_open() {
    let running = Running::with(&platform()).await;
    let mut held = TcpStream::connect(running.address).await.unwrap();
    held.write_all(b"GET /livez HTTP/1.1\r\n").await.unwrap();
    assert_eq!(running.get("/livez", "").await.0, OK);
    running.end.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(10), running.ended)
        .await
        .unwrap()
        .unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}
