//! Metrics, exported over OTLP: everything that [`Metrics`] counts, at an interval.
//!
//! What counts stays as it is; the totals are read and sent. Counters are cumulative, so an export that is lost is made up for by
//! the next one. Names are those of OpenTelemetry and of the gRFCs, with dots: `grpc.client.attempt.duration`.

mod convert;
mod settings;

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use opentelemetry_sdk::Resource;
use prost::Message as _;
use reqwest::blocking::Client;

use self::convert::Converter;
pub use self::settings::ExportSettings;
use super::Metrics;

/// How long the last export may take.
const CLOSING: Duration = Duration::from_secs(5);

/// Exports metrics until it is closed. Clones are one.
#[derive(Debug, Clone)]
pub struct Exporter {
    running: Arc<Mutex<Option<Running>>>,
}

#[derive(Debug)]
struct Running {
    /// Dropped: the thread exports once more, and ends.
    stop: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

/// No thread could be started for the export.
#[derive(Debug, thiserror::Error)]
#[error("metrics cannot be exported: no thread could be started")]
pub struct StartError(#[from] std::io::Error);

impl Exporter {
    /// Begins to export `metrics`, the first time after one interval.
    ///
    /// # Errors
    /// No thread could be started.
    pub fn start(settings: ExportSettings, metrics: Metrics) -> Result<Self, StartError> {
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("metrics".to_owned())
            .spawn(move || run(&settings, &metrics, &stopped))?;
        let running = Arc::new(Mutex::new(Some(Running { stop, thread })));
        Ok(Self { running })
    }

    /// Exports once more, and ends. Takes 5 s at most.
    pub async fn close(&self) {
        let running = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(Running { stop, thread }) = running else {
            return;
        };
        drop(stop);
        let ended = tokio::task::spawn_blocking(move || thread.join());
        match tokio::time::timeout(CLOSING, ended).await {
            Ok(Ok(Ok(()))) => {}
            Ok(_) => tracing::error!("the exporter of metrics ended in a panic"),
            Err(_elapsed) => tracing::warn!("the last metrics may not have been exported"),
        }
    }
}

fn run(settings: &ExportSettings, metrics: &Metrics, stopped: &mpsc::Receiver<()>) {
    let client = match Client::builder().timeout(settings.timeout).build() {
        Ok(client) => client,
        Err(error) => return tracing::error!(%error, "metrics cannot be exported"),
    };
    // Reads OTEL_RESOURCE_ATTRIBUTES, as for spans.
    let resource = Resource::builder()
        .with_service_name(settings.service.clone())
        .build();
    let converter = Converter::new(&resource, SystemTime::now());
    let mut failing = false;
    loop {
        let last = stopped.recv_timeout(settings.interval) != Err(RecvTimeoutError::Timeout);
        let request = converter.request(&metrics.registry.gather(), SystemTime::now());
        let done = send(&client, settings, request.encode_to_vec());
        if done.is_err() != failing {
            failing = done.is_err();
            match done {
                Ok(()) => tracing::info!("metrics are exported again"),
                Err(error) => tracing::warn!(error, "metrics cannot be exported"),
            }
        }
        if last {
            return;
        }
    }
}

/// Sends one request (OTLP 1.x, "OTLP/HTTP Request"). A later one carries all that this one does, so nothing is repeated.
fn send(client: &Client, settings: &ExportSettings, body: Vec<u8>) -> Result<(), String> {
    let response = client
        .post(&settings.endpoint)
        .headers(settings.headers.clone())
        .header("content-type", "application/x-protobuf")
        .body(body)
        .send()
        .and_then(reqwest::blocking::Response::error_for_status)
        // The URL may hold what is nobody's business.
        .map_err(|error| error.without_url().to_string())?;
    let body = response
        .bytes()
        .map_err(|error| error.without_url().to_string())?;
    let answer = ExportMetricsServiceResponse::decode(body).unwrap_or_default();
    match answer.partial_success {
        Some(partial) if partial.rejected_data_points > 0 => Err(format!(
            "the collector took all but {} points",
            partial.rejected_data_points
        )),
        _ => Ok(()),
    }
}
