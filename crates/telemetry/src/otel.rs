//! OpenTelemetry's standard variables, as far as they are the same for all signals.

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

impl Malformed {
    /// Shows the value.
    pub(crate) fn new(name: &'static str, value: &str, why: &str, example: &'static str) -> Self {
        Self {
            name,
            reason: format!("{value:?}: {why}"),
            example,
        }
    }
}

/// What is exported, and the variables that are its own.
#[derive(Debug)]
pub(crate) struct Signal {
    /// Which exporters it has, separated by commas.
    pub(crate) exporter: &'static str,
    /// The exporters that are known beside `otlp` and `none`.
    pub(crate) others: &'static [&'static str],
    /// A URL with its path, taken as it is.
    pub(crate) endpoint: &'static str,
    /// The path that is added to the URL for all signals.
    pub(crate) path: &'static str,
    pub(crate) protocol: &'static str,
}

/// `true`: nothing is exported.
pub(crate) const DISABLED: &str = "OTEL_SDK_DISABLED";
/// Those for all signals.
pub(crate) const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
pub(crate) const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
/// The one protocol that is spoken.
pub(crate) const HTTP: &str = "http/protobuf";

/// The first of these variables that is set, and its value.
pub(crate) fn first<'a>(
    get: &impl Fn(&str) -> Option<&'a str>,
    names: [&'static str; 2],
) -> Option<(&'static str, &'a str)> {
    names
        .into_iter()
        .find_map(|name| get(name).map(|value| (name, value)))
}

impl Signal {
    /// The URL that takes the signal over OTLP; `None`: it is not exported.
    ///
    /// # Errors
    /// A variable that is malformed.
    pub(crate) fn url<'a>(
        &self,
        get: &impl Fn(&str) -> Option<&'a str>,
    ) -> Result<Option<String>, Malformed> {
        if get(DISABLED).is_some_and(|value| value.eq_ignore_ascii_case("true"))
            || !self.names_otlp(get(self.exporter))?
        {
            return Ok(None);
        }
        let Some((name, url)) = first(get, [self.endpoint, ENDPOINT]) else {
            return Ok(None);
        };
        if !url.starts_with("http://") && !url.starts_with("https://") {
            let why = "it is no http or https URL";
            return Err(Malformed::new(name, url, why, "http://collector:4318"));
        }
        if let Some((name, value)) = first(get, [self.protocol, PROTOCOL])
            && value != HTTP
        {
            let why = "http/protobuf is spoken only, on port 4318 of a collector";
            return Err(Malformed::new(name, value, why, HTTP));
        }
        Ok(Some(if name == self.endpoint {
            url.to_owned()
        } else {
            format!("{}{}", url.trim_end_matches('/'), self.path)
        }))
    }

    fn names_otlp(&self, exporters: Option<&str>) -> Result<bool, Malformed> {
        let mut found = false;
        for exporter in exporters.unwrap_or("otlp").split(',').map(str::trim) {
            if exporter == "otlp" {
                found = true;
            } else if exporter != "none" && !self.others.contains(&exporter) {
                let known = [&["otlp", "none"], self.others].concat().join(", ");
                let why = format!("known are {known}");
                return Err(Malformed::new(self.exporter, exporter, &why, "otlp"));
            }
        }
        Ok(found)
    }
}
