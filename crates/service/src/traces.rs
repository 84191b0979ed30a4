//! Where a service's spans and metrics go.

use scribemed_telemetry::metrics::{ExportSettings, Exporter, Metrics};
use scribemed_telemetry::traces::{Settings, Tracer};

use crate::{Env, env};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const ENDPOINT_EXAMPLE: &str = "http://collector:4318";

/// The tracer of the service `name`, by OpenTelemetry's standard variables; `None`: no endpoint is named, or spans are
/// switched off. It counts its spans in `metrics`.
///
/// | variable | what it is | default |
/// |---|---|---|
/// | `OTEL_EXPORTER_OTLP_ENDPOINT` | a collector, without the path; `_TRACES_ENDPOINT`: with the path | no spans are exported |
/// | `OTEL_EXPORTER_OTLP_PROTOCOL`, `_TRACES_PROTOCOL` | `http/protobuf` | `http/protobuf` |
/// | `OTEL_EXPORTER_OTLP_HEADERS`, `_TIMEOUT`, and those for traces | as OpenTelemetry has them | none, 10 s |
/// | `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` | what the spans say of the service | its discovery name |
/// | `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG` | `always_on`, `always_off`, `traceidratio`, or one of them after `parentbased_` | `parentbased_always_on` |
/// | `OTEL_BSP_MAX_QUEUE_SIZE`, and the others of `OTEL_BSP_` | how spans are gathered | as OpenTelemetry has them |
/// | `OTEL_TRACES_EXPORTER` | `otlp` or `none` | `otlp` |
/// | `OTEL_SDK_DISABLED` | `true`: no spans | `false` |
///
/// # Errors
/// A variable that is malformed; the error shows a good value.
pub fn tracer(env: &Env, name: &str, metrics: &Metrics) -> Result<Option<Tracer>, env::Error> {
    let settings = Settings::read(|variable| env.get(variable), name)
        .map_err(|bad| env.malformed(bad.name, &bad.reason, bad.example))?;
    settings
        .map(|settings| Tracer::new(&settings, metrics))
        .transpose()
        .map_err(|error| env.malformed(ENDPOINT, error, ENDPOINT_EXAMPLE))
}

/// What exports `metrics` of the service `name`, by OpenTelemetry's standard variables; `None`: no endpoint is named, or the export
/// is switched off. The admin port shows them in any case.
///
/// | variable | what it is | default |
/// |---|---|---|
/// | `OTEL_EXPORTER_OTLP_ENDPOINT` | a collector, without the path; `_METRICS_ENDPOINT`: with the path | no metrics are exported |
/// | `OTEL_EXPORTER_OTLP_PROTOCOL`, `_METRICS_PROTOCOL` | `http/protobuf` | `http/protobuf` |
/// | `OTEL_EXPORTER_OTLP_HEADERS`, `_METRICS_HEADERS` | `key=value,other=value`, percent-encoded | none |
/// | `OTEL_EXPORTER_OTLP_TIMEOUT`, `_METRICS_TIMEOUT` | how long an export may take, ms, 1 to 86400000 | 10000 |
/// | `OTEL_METRIC_EXPORT_INTERVAL` | how often, ms, 1 to 86400000 | 60000 |
/// | `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` | what the metrics say of the service | its discovery name |
/// | `OTEL_METRICS_EXPORTER` | `otlp`, `prometheus` (the admin port alone) or `none` | `otlp` |
/// | `OTEL_SDK_DISABLED` | `true`: no export | `false` |
///
/// # Errors
/// A variable that is malformed; the error shows a good value.
pub fn metrics_exporter(
    env: &Env,
    name: &str,
    metrics: &Metrics,
) -> Result<Option<Exporter>, env::Error> {
    let settings = ExportSettings::read(|variable| env.get(variable), name)
        .map_err(|bad| env.malformed(bad.name, &bad.reason, bad.example))?;
    settings
        .map(|settings| Exporter::start(settings, metrics.clone()))
        .transpose()
        .map_err(|error| env.malformed(ENDPOINT, error, ENDPOINT_EXAMPLE))
}
