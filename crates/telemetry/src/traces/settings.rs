//! What is traced, and where spans go: OpenTelemetry's standard variables.

use super::sampler::Sampler;
use crate::otel::{Malformed, Signal};

/// How spans are exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The URL that takes spans, with its path: `http://collector:4318/v1/traces`.
    pub(super) endpoint: String,
    pub(super) sampler: Sampler,
    /// How many spans may wait to be exported.
    pub(super) queue: usize,
    /// The name of the service.
    pub(super) service: String,
}

const SPANS: Signal = Signal {
    exporter: "OTEL_TRACES_EXPORTER",
    others: &[],
    endpoint: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    path: "/v1/traces",
    protocol: "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
};
const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const SAMPLER_ARG: &str = "OTEL_TRACES_SAMPLER_ARG";
const QUEUE: &str = "OTEL_BSP_MAX_QUEUE_SIZE";
/// OpenTelemetry's default.
const DEFAULT_QUEUE: usize = 2048;

impl Settings {
    /// Spans of `service` to `endpoint`, an URL with its path: all of new traces, and those of others as their callers have
    /// decided.
    pub fn new(service: impl Into<String>, endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            sampler: Sampler::DEFAULT,
            queue: DEFAULT_QUEUE,
            service: service.into(),
        }
    }

    /// Reads the variables, with `get`; `None`: nothing is exported, as no endpoint is named, or because
    /// `OTEL_SDK_DISABLED` or `OTEL_TRACES_EXPORTER` say so. `service` is the name of the service where `OTEL_SERVICE_NAME`
    /// gives no other.
    ///
    /// # Errors
    /// A variable that is malformed.
    pub fn read<'a>(
        get: impl Fn(&str) -> Option<&'a str>,
        service: &str,
    ) -> Result<Option<Self>, Malformed> {
        let Some(endpoint) = SPANS.url(&get)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            sampler: sampler(&get)?,
            queue: queue(&get)?,
            ..Self::new(get("OTEL_SERVICE_NAME").unwrap_or(service), endpoint)
        }))
    }

    /// Another name of the service.
    #[must_use]
    pub fn with_service(mut self, service: impl Into<String>) -> Self {
        self.service = service.into();
        self
    }
}

fn sampler<'a>(get: &impl Fn(&str) -> Option<&'a str>) -> Result<Sampler, Malformed> {
    let Some(name) = get(SAMPLER) else {
        return Ok(Sampler::DEFAULT);
    };
    let ratio = match get(SAMPLER_ARG) {
        None => 1.0,
        Some(text) => text
            .parse()
            .ok()
            .filter(|ratio| (0.0..=1.0).contains(ratio))
            .ok_or_else(|| Malformed::new(SAMPLER_ARG, text, "it is not from 0 to 1", "0.1"))?,
    };
    let why =
        "always_on, always_off and traceidratio are known, each also with parentbased_ before it";
    Sampler::named(name, ratio)
        .ok_or_else(|| Malformed::new(SAMPLER, name, why, "parentbased_traceidratio"))
}

fn queue<'a>(get: &impl Fn(&str) -> Option<&'a str>) -> Result<usize, Malformed> {
    let Some(text) = get(QUEUE) else {
        return Ok(DEFAULT_QUEUE);
    };
    text.parse()
        .ok()
        .filter(|queue| (1..=1_000_000).contains(queue))
        .ok_or_else(|| Malformed::new(QUEUE, text, "it is not from 1 to 1000000", "2048"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otel::{DISABLED, HTTP};

    const EXPORTER: &str = SPANS.exporter;

    fn read(variables: &[(&str, &'static str)]) -> Result<Option<Settings>, String> {
        let get = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| *value)
        };
        Settings::read(get, "greeter").map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_is_exported_unless_it_is_said_where_to() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/");
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[endpoint, (DISABLED, "TRUE")]), Ok(None));
        assert_eq!(read(&[endpoint, (EXPORTER, "none")]), Ok(None));
        let settings = Settings::new("greeter", "http://collector:4318/v1/traces");
        assert_eq!(read(&[endpoint]), Ok(Some(settings)));
    }

    #[test]
    fn the_standard_variables_are_read() {
        let settings = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://other:4318"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://traces/here"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", HTTP),
            ("OTEL_SERVICE_NAME", "mine"),
            (SAMPLER, "traceidratio"),
            (SAMPLER_ARG, "0"),
            (QUEUE, "7"),
        ]);
        let expect = Settings {
            endpoint: "https://traces/here".to_owned(),
            sampler: Sampler::named("always_off", 1.0).unwrap_or(Sampler::DEFAULT),
            queue: 7,
            service: "mine".to_owned(),
        };
        assert_eq!(settings, Ok(Some(expect)));
    }

    #[test]
    fn a_malformed_variable_is_named_beside_a_good_value() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        for (name, value, example) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "http://"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", HTTP),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", HTTP),
            (EXPORTER, "zipkin", "otlp"),
            (SAMPLER, "sometimes", "parentbased_traceidratio"),
            (QUEUE, "0", "2048"),
        ] {
            let error = read(&[(name, value), endpoint]).err().unwrap_or_default();
            assert!(error.contains(name) && error.contains(example), "{error}");
        }
        let error = read(&[endpoint, (SAMPLER, "traceidratio"), (SAMPLER_ARG, "2")]);
        assert!(error.err().is_some_and(|error| error.contains("0.1")));
    }
}
