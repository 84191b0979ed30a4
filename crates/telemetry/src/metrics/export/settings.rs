//! Where metrics go, and how often: OpenTelemetry's standard variables.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::otel::{Malformed, Signal, first};

/// How metrics are exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportSettings {
    /// The URL that takes metrics, with its path: `http://collector:4318/v1/metrics`.
    pub(super) endpoint: String,
    pub(super) headers: HeaderMap,
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
    pub(super) service: String,
}

const METRICS: Signal = Signal {
    exporter: "OTEL_METRICS_EXPORTER",
    // They can be fetched in Prometheus's format in any case.
    others: &["prometheus"],
    endpoint: "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    path: "/v1/metrics",
    protocol: "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
};
const INTERVAL: &str = "OTEL_METRIC_EXPORT_INTERVAL";
/// Each the one for metrics, then the one for all signals.
const HEADERS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
    "OTEL_EXPORTER_OTLP_HEADERS",
];
const TIMEOUT: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
];
/// OpenTelemetry's defaults.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

impl ExportSettings {
    /// Metrics of `service` to `endpoint`, an URL with its path, every 60 s; each export may take 10 s.
    pub fn new(service: impl Into<String>, endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            headers: HeaderMap::new(),
            interval: DEFAULT_INTERVAL,
            timeout: DEFAULT_TIMEOUT,
            service: service.into(),
        }
    }

    /// Another interval, at least 1 ms.
    #[must_use]
    pub fn every(mut self, interval: Duration) -> Self {
        self.interval = interval.max(Duration::from_millis(1));
        self
    }

    /// Reads the variables, with `get`; `None`: nothing is exported, as no endpoint is named, or because
    /// `OTEL_SDK_DISABLED` or `OTEL_METRICS_EXPORTER` say so. `service` is the name of the service where `OTEL_SERVICE_NAME`
    /// gives no other.
    ///
    /// # Errors
    /// A variable that is malformed.
    pub fn read<'a>(
        get: impl Fn(&str) -> Option<&'a str>,
        service: &str,
    ) -> Result<Option<Self>, Malformed> {
        let Some(endpoint) = METRICS.url(&get)? else {
            return Ok(None);
        };
        let millis = |given: Option<(&'static str, &str)>, default, example| match given {
            None => Ok(default),
            Some((name, text)) => text
                .parse()
                .ok()
                .filter(|millis| (1..=86_400_000).contains(millis))
                .map(Duration::from_millis)
                .ok_or_else(|| {
                    Malformed::new(name, text, "it is not from 1 to 86400000 ms", example)
                }),
        };
        Ok(Some(Self {
            headers: first(&get, HEADERS).map_or_else(|| Ok(HeaderMap::new()), headers)?,
            interval: millis(
                get(INTERVAL).map(|text| (INTERVAL, text)),
                DEFAULT_INTERVAL,
                "60000",
            )?,
            timeout: millis(first(&get, TIMEOUT), DEFAULT_TIMEOUT, "10000")?,
            ..Self::new(get("OTEL_SERVICE_NAME").unwrap_or(service), endpoint)
        }))
    }
}

/// `key=value,other=value`, as in a baggage header: values are percent-encoded.
fn headers((name, text): (&'static str, &str)) -> Result<HeaderMap, Malformed> {
    let mut headers = HeaderMap::new();
    for pair in text
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
    {
        let read = || {
            let (key, value) = pair.split_once('=')?;
            let key = HeaderName::try_from(key.trim()).ok()?;
            let value = percent_encoding::percent_decode_str(value.trim())
                .decode_utf8()
                .ok()?;
            let mut value = HeaderValue::try_from(value.as_ref()).ok()?;
            value.set_sensitive(true);
            Some((key, value))
        };
        // Values are secrets: the error shows none.
        let Some((key, value)) = read() else {
            return Err(Malformed {
                name,
                reason: "a part of it is no header".to_owned(),
                example: "authorization=Basic%20c2NyaWJl,x-tenant=7",
            });
        };
        headers.append(key, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otel::{DISABLED, ENDPOINT, HTTP, PROTOCOL};

    const EXPORTER: &str = METRICS.exporter;

    fn read(variables: &[(&str, &'static str)]) -> Result<Option<ExportSettings>, String> {
        let get = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| *value)
        };
        ExportSettings::read(get, "greeter").map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_is_exported_unless_it_is_said_where_to() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/");
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[endpoint, (DISABLED, "TRUE")]), Ok(None));
        assert_eq!(read(&[endpoint, (EXPORTER, "none")]), Ok(None));
        assert_eq!(read(&[endpoint, (EXPORTER, "prometheus")]), Ok(None));
        let settings = ExportSettings::new("greeter", "http://collector:4318/v1/metrics");
        assert_eq!(read(&[endpoint]), Ok(Some(settings.clone())));
        assert_eq!(
            read(&[endpoint, (EXPORTER, "prometheus, otlp")]),
            Ok(Some(settings))
        );
    }

    #[test]
    fn the_standard_variables_are_read() {
        let settings = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://other:4318"),
            (METRICS.endpoint, "https://metrics/here"),
            (PROTOCOL, HTTP),
            (HEADERS[1], "authorization=Basic%20abc, x-tenant=7"),
            (TIMEOUT[0], "500"),
            ("OTEL_SERVICE_NAME", "mine"),
            (INTERVAL, "2000"),
        ]);
        let mut expect =
            ExportSettings::new("mine", "https://metrics/here").every(Duration::from_secs(2));
        expect.timeout = Duration::from_millis(500);
        expect
            .headers
            .insert("authorization", HeaderValue::from_static("Basic abc"));
        expect
            .headers
            .insert("x-tenant", HeaderValue::from_static("7"));
        assert_eq!(settings, Ok(Some(expect)));
    }

    #[test]
    fn a_malformed_variable_is_named_beside_a_good_value() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        for (name, value, example) in [
            (ENDPOINT, "collector:4318", "http://"),
            (PROTOCOL, "grpc", HTTP),
            (METRICS.protocol, "http/json", HTTP),
            (EXPORTER, "console", "otlp"),
            (INTERVAL, "0", "60000"),
            (TIMEOUT[1], "10s", "10000"),
            (HEADERS[0], "secret", "x-tenant=7"),
        ] {
            let error = read(&[(name, value), endpoint]).err().unwrap_or_default();
            assert!(error.contains(name) && error.contains(example), "{error}");
        }
    }
}
