//! Spans of calls, exported over OTLP.
//!
//! Ids are not made here: a span has those of the [`TraceContext`] that its call had on the wire, so what another service
//! says of its parent is true. Server and channel hand in each span when it has ended; nothing is kept before. Of a call
//! that is not sampled, or without a [`Tracer`], nothing is done.
//!
//! Names are those of gRFC A72: `Sent.<service>.<method>` for a call as its caller sees it, `Attempt.` for each time it is
//! sent, `Recv.` for a call that is served.
//!
//! Spans wait in a bounded queue for a thread that exports them; what finds no room is dropped and counted. No call waits.

mod counted;
mod sampler;
mod settings;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{Protocol, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor as _,
};
use scribemed_rpc::TraceContext;

use self::counted::Counted;
use self::sampler::Sampler;
pub use self::settings::Settings;
use crate::metrics::{Metrics, SpanCounts, code_name};

/// How long the last spans may take to be exported.
const CLOSING: Duration = Duration::from_secs(5);
const OK: i32 = 0;

/// Takes the spans of one service. Clones are one.
#[derive(Debug, Clone)]
pub struct Tracer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    processor: BatchSpanProcessor,
    sampler: Sampler,
    scope: InstrumentationScope,
    capacity: usize,
    waiting: Arc<AtomicUsize>,
    counts: SpanCounts,
}

/// Spans cannot be exported to what was configured.
#[derive(Debug, thiserror::Error)]
#[error("spans cannot be exported: {0}")]
pub struct ExportError(#[from] opentelemetry_otlp::ExporterBuildError);

/// Which side of a call a span tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// That of the caller.
    Client,
    /// That of the service.
    Server,
}

/// A value that a span tells.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    /// A name or an id, never text of a message.
    Text(&'a str),
    /// A number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
}

/// A span that has ended.
#[derive(Debug)]
pub struct Span<'a> {
    /// `Recv.greeter.v1.Greeter.Greet` (A72).
    pub name: &'a str,
    /// Whose it is.
    pub side: Side,
    /// Its ids, and that of its parent.
    pub context: &'a TraceContext,
    /// When it began.
    pub begun: SystemTime,
    /// How long it took.
    pub duration: Duration,
    /// The gRPC status with which it ended.
    pub code: i32,
    /// What else there is to tell. Its name and its status are told already.
    pub attributes: &'a [(&'static str, Value<'a>)],
}

impl Tracer {
    /// A tracer with these settings, which counts its spans in `metrics`.
    ///
    /// # Errors
    /// The exporter cannot be made: of the standard variables that it reads itself, as `OTEL_EXPORTER_OTLP_HEADERS`, one is
    /// malformed.
    pub fn new(settings: &Settings, metrics: &Metrics) -> Result<Self, ExportError> {
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(&settings.endpoint)
            .build()?;
        let waiting = Arc::new(AtomicUsize::new(0));
        let counts = metrics.spans();
        let exporter = Counted::new(exporter, Arc::clone(&waiting), counts.clone());
        let config = BatchConfigBuilder::default()
            // The limit is ours, below: what is above is counted there.
            .with_max_queue_size(settings.queue * 2)
            .build();
        let mut processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(config)
            .build();
        let resource = Resource::builder()
            .with_service_name(settings.service.clone())
            .build();
        processor.set_resource(&resource);
        Ok(Self {
            shared: Arc::new(Shared {
                processor,
                sampler: settings.sampler,
                scope: InstrumentationScope::builder("scribemed").build(),
                capacity: settings.queue,
                waiting,
                counts,
            }),
        })
    }

    /// A context that has just been made, with the sampler's decision in it: of a new trace always, of a trace that came
    /// from elsewhere where the sampler does not leave it to that.
    #[must_use]
    pub fn begin(&self, context: TraceContext) -> TraceContext {
        let sampled = self.shared.sampler.decide(&context);
        context.with_sampled(sampled)
    }

    /// Takes a span; of a trace that is not sampled it does nothing. Never waits.
    pub fn record(&self, span: &Span<'_>) {
        let Shared {
            processor,
            scope,
            capacity,
            waiting,
            counts,
            ..
        } = &*self.shared;
        if !span.context.is_sampled() {
            return;
        }
        if waiting.fetch_add(1, Ordering::Relaxed) >= *capacity {
            waiting.fetch_sub(1, Ordering::Relaxed);
            counts.dropped(1);
            return;
        }
        processor.on_end(data(span, scope));
    }

    /// Exports what there is, and ends. Takes 5 s at most.
    pub async fn close(&self) {
        let shared = Arc::clone(&self.shared);
        let closed =
            tokio::task::spawn_blocking(move || shared.processor.shutdown_with_timeout(CLOSING));
        match closed.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the last spans may not have been exported"),
            Err(error) => tracing::error!(%error, "the end of the exporter of spans failed"),
        }
    }
}

fn data(span: &Span<'_>, scope: &InstrumentationScope) -> SpanData {
    let context = span.context;
    let ids = SpanContext::new(
        TraceId::from(context.trace_id_value()),
        SpanId::from(context.span_id_value()),
        TraceFlags::SAMPLED,
        false,
        TraceState::default(),
    );
    let (name, code) = (code_name(span.code), i64::from(span.code));
    let mut attributes = Vec::with_capacity(span.attributes.len() + 2);
    attributes.push(KeyValue::new("rpc.system", "grpc"));
    attributes.push(KeyValue::new("rpc.grpc.status_code", code));
    attributes.extend(span.attributes.iter().map(|(key, value)| match *value {
        Value::Text(text) => KeyValue::new(*key, text.to_owned()),
        Value::Number(number) => KeyValue::new(*key, number),
        Value::Flag(flag) => KeyValue::new(*key, flag),
    }));
    SpanData {
        span_context: ids,
        parent_span_id: context
            .parent_span_id()
            .map_or(SpanId::INVALID, SpanId::from),
        parent_span_is_remote: span.side == Side::Server,
        span_kind: match span.side {
            Side::Client => SpanKind::Client,
            Side::Server => SpanKind::Server,
        },
        name: span.name.to_owned().into(),
        start_time: span.begun,
        end_time: span.begun + span.duration,
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        // The message of an error may say what a patient said; the name of its code does not.
        status: if span.code == OK {
            Status::Ok
        } else {
            Status::error(name)
        },
        instrumentation_scope: scope.clone(),
    }
}
