//! What is traced, and where spans go: OpenTelemetry's standard variables.

use super::sampler::Sampler;

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

/// A variable whose value cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {reason}; a good value is {name}={example}")]
pub struct Malformed {
    /// Which.
    pub name: &'static str,
    /// Why its value cannot be used.
    pub reason: String,
    /// A good value.
    pub example: &'static str,
}

const DISABLED: &str = "OTEL_SDK_DISABLED";
const EXPORTER: &str = "OTEL_TRACES_EXPORTER";
const PROTOCOL: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
];
const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const SAMPLER_ARG: &str = "OTEL_TRACES_SAMPLER_ARG";
const QUEUE: &str = "OTEL_BSP_MAX_QUEUE_SIZE";
/// OpenTelemetry's default.
const DEFAULT_QUEUE: usize = 2048;
const HTTP: &str = "http/protobuf";

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
        if get(DISABLED).is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        match get(EXPORTER) {
            None | Some("otlp") => {}
            Some("none") => return Ok(None),
            Some(other) => {
                return Err(malformed(
                    EXPORTER,
                    other,
                    "otlp and none are known",
                    "otlp",
                ));
            }
        }
        // The one for traces is taken as it is; of the one for all signals the path is to be added.
        let own = get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").map(str::to_owned);
        let all = get("OTEL_EXPORTER_OTLP_ENDPOINT")
            .map(|url| format!("{}/v1/traces", url.trim_end_matches('/')));
        let Some(endpoint) = own.or(all) else {
            return Ok(None);
        };
        if !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
            return Err(malformed(
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                &endpoint,
                "it is no http or https URL",
                "http://collector:4318",
            ));
        }
        if let Some((name, value)) = PROTOCOL
            .into_iter()
            .find_map(|name| get(name).map(|value| (name, value)))
            && value != HTTP
        {
            let why = "http/protobuf is spoken only, on port 4318 of a collector";
            return Err(malformed(name, value, why, HTTP));
        }
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
            .ok_or_else(|| malformed(SAMPLER_ARG, text, "it is not from 0 to 1", "0.1"))?,
    };
    let why =
        "always_on, always_off and traceidratio are known, each also with parentbased_ before it";
    Sampler::named(name, ratio)
        .ok_or_else(|| malformed(SAMPLER, name, why, "parentbased_traceidratio"))
}

fn queue<'a>(get: &impl Fn(&str) -> Option<&'a str>) -> Result<usize, Malformed> {
    let Some(text) = get(QUEUE) else {
        return Ok(DEFAULT_QUEUE);
    };
    text.parse()
        .ok()
        .filter(|queue| (1..=1_000_000).contains(queue))
        .ok_or_else(|| malformed(QUEUE, text, "it is not from 1 to 1000000", "2048"))
}

fn malformed(name: &'static str, value: &str, why: &str, example: &'static str) -> Malformed {
    Malformed {
        name,
        reason: format!("{value:?}: {why}"),
        example,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
