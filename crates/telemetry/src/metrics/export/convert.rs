//! Totals as Prometheus has them, as OTLP has them.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum,
};
use opentelemetry_proto::tonic::resource::v1::Resource as ProtoResource;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_sdk::Resource;
use prometheus::proto::{self, MetricFamily, MetricType};

const CUMULATIVE: i32 = AggregationTemporality::Cumulative as i32;

/// What the gRFCs call a family that Prometheus spells otherwise, and its unit (UCUM).
const NAMES: [(&str, &str, &str); 19] = [
    (
        "grpc_client_attempt_started_total",
        "grpc.client.attempt.started",
        "{attempt}",
    ),
    (
        "grpc_client_attempt_duration_seconds",
        "grpc.client.attempt.duration",
        "s",
    ),
    (
        "grpc_client_attempt_sent_total_compressed_message_size_bytes",
        "grpc.client.attempt.sent_total_compressed_message_size",
        "By",
    ),
    (
        "grpc_client_attempt_rcvd_total_compressed_message_size_bytes",
        "grpc.client.attempt.rcvd_total_compressed_message_size",
        "By",
    ),
    (
        "grpc_client_call_duration_seconds",
        "grpc.client.call.duration",
        "s",
    ),
    (
        "grpc_client_call_retries",
        "grpc.client.call.retries",
        "{retry}",
    ),
    (
        "grpc_client_call_transparent_retries",
        "grpc.client.call.transparent_retries",
        "{transparent_retry}",
    ),
    (
        "grpc_client_call_hedges",
        "grpc.client.call.hedges",
        "{hedge}",
    ),
    (
        "grpc_client_call_retry_delay_seconds",
        "grpc.client.call.retry_delay",
        "s",
    ),
    (
        "grpc_server_call_started_total",
        "grpc.server.call.started",
        "{call}",
    ),
    (
        "grpc_server_call_duration_seconds",
        "grpc.server.call.duration",
        "s",
    ),
    (
        "grpc_server_call_sent_total_compressed_message_size_bytes",
        "grpc.server.call.sent_total_compressed_message_size",
        "By",
    ),
    (
        "grpc_server_call_rcvd_total_compressed_message_size_bytes",
        "grpc.server.call.rcvd_total_compressed_message_size",
        "By",
    ),
    (
        "grpc_subchannel_connection_attempts_succeeded_total",
        "grpc.subchannel.connection_attempts_succeeded",
        "{attempt}",
    ),
    (
        "grpc_subchannel_connection_attempts_failed_total",
        "grpc.subchannel.connection_attempts_failed",
        "{attempt}",
    ),
    (
        "grpc_subchannel_disconnections_total",
        "grpc.subchannel.disconnections",
        "{disconnection}",
    ),
    (
        "grpc_subchannel_open_connections",
        "grpc.subchannel.open_connections",
        "{connection}",
    ),
    (
        "grpc_lb_outlier_detection_ejections_enforced_total",
        "grpc.lb.outlier_detection.ejections_enforced",
        "{ejection}",
    ),
    (
        "grpc_lb_outlier_detection_ejections_unenforced_total",
        "grpc.lb.outlier_detection.ejections_unenforced",
        "{ejection}",
    ),
];

/// What is the same in each export.
pub(super) struct Converter {
    resource: ProtoResource,
    since: u64,
}

impl Converter {
    /// Of a process that counts `since` then.
    pub(super) fn new(resource: &Resource, since: SystemTime) -> Self {
        let attributes = ResourceAttributesWithSchema::from(resource).attributes.0;
        Self {
            resource: ProtoResource {
                attributes,
                ..ProtoResource::default()
            },
            since: nanos(since),
        }
    }

    /// All that was counted, as of `now`.
    pub(super) fn request(
        &self,
        families: &[MetricFamily],
        now: SystemTime,
    ) -> ExportMetricsServiceRequest {
        let now = nanos(now);
        let metrics = families
            .iter()
            .filter_map(|family| self.metric(family, now))
            .collect();
        let scope = InstrumentationScope {
            name: "scribemed".to_owned(),
            ..InstrumentationScope::default()
        };
        ExportMetricsServiceRequest {
            resource_metrics: vec![ResourceMetrics {
                resource: Some(self.resource.clone()),
                scope_metrics: vec![ScopeMetrics {
                    scope: Some(scope),
                    metrics,
                    ..ScopeMetrics::default()
                }],
                ..ResourceMetrics::default()
            }],
        }
    }

    /// `None` of a type that we do not have.
    fn metric(&self, family: &MetricFamily, now: u64) -> Option<Metric> {
        let numbers = |value: fn(&proto::Metric) -> f64| {
            family
                .get_metric()
                .iter()
                .map(|metric| NumberDataPoint {
                    attributes: attributes(metric),
                    start_time_unix_nano: self.since,
                    time_unix_nano: now,
                    value: Some(Value::AsDouble(value(metric))),
                    ..NumberDataPoint::default()
                })
                .collect()
        };
        let data = match family.get_field_type() {
            MetricType::COUNTER => Data::Sum(Sum {
                data_points: numbers(|metric| metric.get_counter().get_value()),
                aggregation_temporality: CUMULATIVE,
                is_monotonic: true,
            }),
            MetricType::GAUGE => Data::Gauge(Gauge {
                data_points: numbers(|metric| metric.get_gauge().get_value()),
            }),
            MetricType::HISTOGRAM => Data::Histogram(Histogram {
                data_points: family
                    .get_metric()
                    .iter()
                    .map(|metric| self.histogram(metric, now))
                    .collect(),
                aggregation_temporality: CUMULATIVE,
            }),
            MetricType::SUMMARY | MetricType::UNTYPED => return None,
        };
        let (name, unit) = named(family.name());
        Some(Metric {
            name,
            unit: unit.to_owned(),
            description: family.help().to_owned(),
            data: Some(data),
            ..Metric::default()
        })
    }

    fn histogram(&self, metric: &proto::Metric, now: u64) -> HistogramDataPoint {
        let histogram = metric.get_histogram();
        let count = histogram.get_sample_count();
        let mut bucket_counts = Vec::new();
        let mut explicit_bounds = Vec::new();
        let mut below = 0;
        for bucket in histogram.get_bucket() {
            if bucket.upper_bound().is_finite() {
                explicit_bounds.push(bucket.upper_bound());
                bucket_counts.push(bucket.cumulative_count().saturating_sub(below));
                below = bucket.cumulative_count();
            }
        }
        // Prometheus leaves out the last one, or counts all in it.
        bucket_counts.push(count.saturating_sub(below));
        HistogramDataPoint {
            attributes: attributes(metric),
            start_time_unix_nano: self.since,
            time_unix_nano: now,
            count,
            sum: Some(histogram.get_sample_sum()),
            bucket_counts,
            explicit_bounds,
            ..HistogramDataPoint::default()
        }
    }
}

/// Ours keep their names, but for what Prometheus adds to those of counters.
fn named(family: &str) -> (String, &'static str) {
    NAMES
        .iter()
        .find(|(prometheus, ..)| *prometheus == family)
        .map_or_else(
            || (family.trim_end_matches("_total").to_owned(), "1"),
            |(_, name, unit)| ((*name).to_owned(), *unit),
        )
}

fn attributes(metric: &proto::Metric) -> Vec<KeyValue> {
    let labels = metric.get_label().iter();
    labels
        .map(|label| KeyValue {
            // `grpc.method`, as A66 has it.
            key: label.name().replacen("grpc_", "grpc.", 1),
            value: Some(AnyValue {
                value: Some(any_value::Value::StringValue(label.value().to_owned())),
            }),
            ..KeyValue::default()
        })
        .collect()
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_of_a_grfc_has_its_name() {
        let families = include_str!("../families.rs").split('"');
        let grpc: Vec<&str> = families
            .filter(|word| {
                word.starts_with("grpc_client_")
                    || word.starts_with("grpc_server_")
                    || word.starts_with("grpc_lb_")
                    || word.starts_with("grpc_subchannel_")
            })
            .collect();
        assert_eq!(grpc.len(), NAMES.len());
        for family in grpc {
            assert!(named(family).0.starts_with("grpc."), "{family}");
        }
    }
}
