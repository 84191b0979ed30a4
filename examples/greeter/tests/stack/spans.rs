//! Spans, as a collector receives them over OTLP.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use greeter::v1::fail_request::Way;
use greeter::v1::trouble_service_client::TroubleServiceClient;
use greeter::v1::{FailRequest, RelayRequest, SayHelloRequest};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message as _;
use scribemed_client::Channel;
use scribemed_rpc::{CallContext, ClientContract as _, RequestId, TraceContext};
use scribemed_telemetry::metrics::Metrics;
use scribemed_telemetry::traces::{Settings, Tracer};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::support::{CONTRACTS, Running, soon, start_as, target};

/// A collector that takes OTLP over HTTP: what it was sent, service by service.
struct Collector {
    address: SocketAddr,
    requests: mpsc::UnboundedReceiver<ExportTraceServiceRequest>,
}

impl Collector {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, sender.clone()));
            }
        });
        Self { address, requests }
    }

    fn tracer(&self, service: &str, metrics: &Metrics) -> Tracer {
        let url = format!("http://{}/v1/traces", self.address);
        Tracer::new(&Settings::new(service, url), metrics).unwrap()
    }

    /// All spans that have come, with the name of their service. The tracers must have been closed.
    fn spans(&mut self) -> Vec<(String, Span)> {
        let mut spans = Vec::new();
        while let Ok(request) = self.requests.try_recv() {
            for of_service in request.resource_spans {
                let resource = of_service.resource.unwrap();
                let service = text(&resource.attributes, "service.name");
                for scope in of_service.scope_spans {
                    spans.extend(scope.spans.into_iter().map(|span| (service.clone(), span)));
                }
            }
        }
        spans
    }
}

/// Takes the requests of one connection, HTTP/1.
async fn take(stream: TcpStream, sender: mpsc::UnboundedSender<ExportTraceServiceRequest>) {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut length, mut line) = (0, String::new());
        while stream.read_line(&mut line).await.is_ok_and(|read| read > 2) {
            let header = line.to_ascii_lowercase();
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        if length == 0 {
            return;
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        let request = ExportTraceServiceRequest::decode(&*body).unwrap();
        let _ = sender.send(request);
        let answer =
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
    }
}

fn text(attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|attribute| attribute.value.clone()?.value) {
        Some(Value::StringValue(text)) => text,
        other => panic!("{key} is {other:?}"),
    }
}

fn channel(server: &Running, tracer: &Tracer) -> Channel {
    Channel::builder(&target(server.address), &CONTRACTS)
        .tracer(Some(tracer.clone()))
        .build()
        .unwrap()
}

fn relay_once() -> RelayRequest {
    RelayRequest {
        hops: 1,
        ..RelayRequest::default()
    }
}

async fn serving(tracer: &Tracer, next: Option<Channel>) -> Running {
    let tracer = tracer.clone();
    start_as(next, |builder| builder.tracer(Some(tracer))).await
}

#[tokio::test]
async fn one_trace_goes_from_the_caller_through_two_services() {
    let mut collector = Collector::start().await;
    let metrics = Metrics::new();
    let [caller, a, b] = ["caller", "a", "b"].map(|name| collector.tracer(name, &metrics));
    let last = serving(&b, None).await;
    let first = serving(&a, Some(channel(&last, &a))).await;
    let mut client = TroubleServiceClient::over(channel(&first, &caller));
    let request_id = RequestId::generate();
    CallContext::resumed(request_id)
        .scope(client.relay(relay_once()))
        .await
        .unwrap();
    for tracer in [&caller, &a, &b] {
        soon(tracer.close()).await;
    }

    let spans = collector.spans();
    let names: HashMap<_, _> = spans
        .iter()
        .map(|(service, span)| ((service.as_str(), span.name.as_str()), span))
        .collect();
    let relay = |kind: &str| format!("{kind}.greeter.v1.TroubleService.Relay");
    let get = |service: &str, kind: &str| {
        let name = relay(kind);
        let found = names.get(&(service, name.as_str()));
        *found.unwrap_or_else(|| panic!("no {name} of {service} in {:?}", names.keys()))
    };
    let chain = [
        ("caller", "Sent", SpanKind::Client),
        ("caller", "Attempt", SpanKind::Client),
        ("a", "Recv", SpanKind::Server),
        ("a", "Sent", SpanKind::Client),
        ("a", "Attempt", SpanKind::Client),
        ("b", "Recv", SpanKind::Server),
    ];
    assert_eq!(spans.len(), chain.len(), "{:?}", names.keys());
    for pair in chain.windows(2) {
        let [(service, kind, _), (below, kind_below, _)] = pair else {
            unreachable!("windows of two");
        };
        let (parent, child) = (get(service, kind), get(below, kind_below));
        assert_eq!(
            child.parent_span_id, parent.span_id,
            "{kind_below} of {below}"
        );
        assert_eq!(child.trace_id, parent.trace_id);
        assert!(parent.start_time_unix_nano <= child.start_time_unix_nano);
    }
    for (service, kind, expect) in chain {
        let span = get(service, kind);
        assert_eq!(span.kind(), expect);
        assert_eq!(span.status.as_ref().unwrap().code(), StatusCode::Ok);
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
    }
    let received = get("b", "Recv");
    assert_eq!(
        text(&received.attributes, "scribemed.request_id"),
        request_id.to_string()
    );
    let exported = "scribemed_traces_spans_total{outcome=\"exported\"} 6";
    assert!(metrics.render().contains(exported), "{}", metrics.render());
}

#[tokio::test]
async fn a_failure_is_told_by_its_code_alone() {
    let mut collector = Collector::start().await;
    let tracer = collector.tracer("a", &Metrics::new());
    let server = serving(&tracer, None).await;
    let mut client = TroubleServiceClient::over(channel(&server, &tracer));
    let way = Way::Bare.into();
    client.fail(FailRequest { way }).await.unwrap_err();
    soon(tracer.close()).await;
    let spans = collector.spans();
    assert_eq!(spans.len(), 3);
    for (_, span) in spans {
        let status = span.status.unwrap();
        assert_eq!(status.code(), StatusCode::Error);
        assert_eq!(status.message, "NOT_FOUND");
    }
}

#[tokio::test]
async fn what_is_not_sampled_is_not_exported_here_or_further_down() {
    let mut collector = Collector::start().await;
    let tracer = collector.tracer("a", &Metrics::new());
    let last = serving(&tracer, None).await;
    let first = serving(&tracer, Some(channel(&last, &tracer))).await;
    let mut client = TroubleServiceClient::over(channel(&first, &tracer));
    let trace = TraceContext::root().with_sampled(false);
    CallContext::new(None, RequestId::generate(), trace)
        .scope(client.relay(relay_once()))
        .await
        .unwrap();
    soon(tracer.close()).await;
    assert!(collector.spans().is_empty());
}

#[tokio::test]
async fn a_collector_that_is_away_holds_up_nobody() {
    let metrics = Metrics::new();
    let gone = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("http://{gone}/v1/traces");
    let tracer = Tracer::new(&Settings::new("a", url), &metrics).unwrap();
    let server = serving(&tracer, None).await;
    let mut greeter = server.greeter();
    for _ in 0..3_000 {
        let name = "Ada".to_owned();
        greeter.say_hello(SayHelloRequest { name }).await.unwrap();
    }
    tokio::time::timeout(Duration::from_secs(20), tracer.close())
        .await
        .unwrap();
    let text = metrics.render();
    let lost: u32 = ["failed", "dropped"]
        .iter()
        .filter_map(|outcome| {
            let series = format!("scribemed_traces_spans_total{{outcome=\"{outcome}\"}} ");
            text.lines()
                .find_map(|line| line.strip_prefix(&series)?.parse::<u32>().ok())
        })
        .sum();
    assert_eq!(lost, 3_000, "{text}");
}
