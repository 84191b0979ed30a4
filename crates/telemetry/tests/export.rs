//! A collector is sent what was counted.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric::Data, number_data_point};
use prost::Message as _;
use scribemed_telemetry::metrics::{ExportSettings, Exporter, Metrics};

const METHOD: &str = "greeter.v1.GreeterService/SayHello";
const LONG: Duration = Duration::from_secs(3_600);

struct Request {
    head: String,
    body: ExportMetricsServiceRequest,
}

/// A collector that answers each request with `answer`.
fn collector(answer: &'static str) -> (SocketAddr, mpsc::Receiver<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, requests) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            take(stream.unwrap(), answer, &sender);
        }
    });
    (address, requests)
}

/// Takes the one request of a connection, HTTP/1.
fn take(stream: TcpStream, answer: &str, sender: &mpsc::Sender<Request>) {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while stream.read_line(&mut head).unwrap() > 2 {}
    let head = head.to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .map_or(0, |length| length.trim().parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    let body = ExportMetricsServiceRequest::decode(&*body).unwrap();
    let answer = format!("HTTP/1.1 {answer}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    stream.get_mut().write_all(answer.as_bytes()).unwrap();
    let _ = sender.send(Request { head, body });
}

fn settings(address: SocketAddr) -> ExportSettings {
    let endpoint = format!("http://{address}/v1/metrics");
    ExportSettings::new("greeter", endpoint).every(LONG)
}

fn metrics_of(request: &Request) -> Vec<&Metric> {
    let of_services = request.body.resource_metrics.iter();
    of_services
        .flat_map(|service| &service.scope_metrics)
        .flat_map(|scope| &scope.metrics)
        .collect()
}

fn named<'a>(request: &'a Request, name: &str) -> &'a Metric {
    let all = metrics_of(request);
    let found = all.iter().find(|metric| metric.name == name);
    found.unwrap_or_else(|| panic!("{name} is not among {all:?}"))
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> &'a str {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(text)) => text,
        other => panic!("{key} is {other:?}"),
    }
}

fn counted() -> Metrics {
    let metrics = Metrics::new();
    let served = metrics.server().method(METHOD);
    for millis in [3, 3, 90_000] {
        served.call_started();
        served.call_ended(0, Duration::from_millis(millis), 10, 20);
    }
    metrics
}

#[tokio::test]
async fn what_was_counted_is_sent_at_the_end_under_the_names_of_the_grfcs() {
    let (address, requests) = collector("200 OK");
    let exporter = Exporter::start(settings(address), counted()).unwrap();
    exporter.close().await;
    let request = requests.try_recv().unwrap();
    assert!(
        request.head.starts_with("post /v1/metrics "),
        "{}",
        request.head
    );
    assert!(
        request
            .head
            .contains("content-type: application/x-protobuf")
    );
    let resource = request.body.resource_metrics[0].resource.as_ref().unwrap();
    assert_eq!(text(&resource.attributes, "service.name"), "greeter");

    let started = named(&request, "grpc.server.call.started");
    let Some(Data::Sum(sum)) = &started.data else {
        panic!("{started:?}");
    };
    assert!(sum.is_monotonic && sum.aggregation_temporality == 2);
    let point = &sum.data_points[0];
    assert_eq!(point.value, Some(number_data_point::Value::AsDouble(3.0)));
    assert_eq!(text(&point.attributes, "grpc.method"), METHOD);
    assert!(point.start_time_unix_nano <= point.time_unix_nano);

    let duration = named(&request, "grpc.server.call.duration");
    assert_eq!(duration.unit, "s");
    let Some(Data::Histogram(histogram)) = &duration.data else {
        panic!("{duration:?}");
    };
    let point = &histogram.data_points[0];
    assert_eq!(text(&point.attributes, "grpc.status"), "OK");
    assert_eq!((point.count, point.sum), (3, Some(90.006)));
    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
    assert_eq!(point.bucket_counts.iter().sum::<u64>(), 3);
    let two = point
        .bucket_counts
        .iter()
        .position(|count| *count == 2)
        .unwrap();
    let (over, upper) = (point.explicit_bounds[two - 1], point.explicit_bounds[two]);
    assert!(over < 0.003 && 0.003 <= upper, "{over} {upper}");

    // Everything that Prometheus is told is told here.
    let families = counted().render().matches("# TYPE ").count();
    assert_eq!(metrics_of(&request).len(), families);
}

#[tokio::test]
async fn it_is_sent_again_and_again() {
    let (address, requests) = collector("200 OK");
    let often = settings(address).every(Duration::from_millis(1));
    let exporter = Exporter::start(often, counted()).unwrap();
    let twice = tokio::task::spawn_blocking(move || {
        let wait = Duration::from_secs(20);
        requests.recv_timeout(wait).unwrap();
        requests.recv_timeout(wait).unwrap();
    });
    twice.await.unwrap();
    exporter.close().await;
    exporter.close().await;
}

#[tokio::test]
async fn a_collector_that_refuses_ends_nothing() {
    let (address, requests) = collector("503 Service Unavailable");
    let exporter = Exporter::start(settings(address), counted()).unwrap();
    exporter.close().await;
    assert!(requests.try_recv().is_ok());
    // Nor does one that is not there.
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let exporter = Exporter::start(settings(nobody), counted()).unwrap();
    exporter.close().await;
}
