//! What became of a call, for whoever handles its error.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use scribemed_rpc::metadata::{
    X_CALL_ATTEMPTS as ATTEMPTS, X_CALL_ENDPOINT as ENDPOINT, X_CALL_LAST_FAILURE as LAST,
    X_CALL_SENT as SENT, X_CALL_SERVICE as SERVICE, X_CALL_TARGET as TARGET,
};
use tonic::Status;

/// What became of a call that failed: on each error of a [`Channel`](crate::Channel), whoever made it, the service or the
/// channel itself. It stays within the process: a handler that returns such an error as its own is answered for by
/// [`Fault::upstream`](scribemed_rpc::Fault::upstream).
///
/// ```
/// # fn handle(status: tonic::Status) {
/// use scribemed_client::CallReport;
///
/// if let Some(report) = CallReport::of(&status)
///     && !report.may_have_been_sent()
/// {
///     // Nothing of it reached the service: it can safely be made again.
/// }
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallReport {
    service: String,
    target: String,
    endpoint: Option<String>,
    attempts: u32,
    may_have_been_sent: bool,
    last_failure: Option<String>,
}

impl CallReport {
    pub(crate) fn new(
        service: &str,
        target: &str,
        attempts: u32,
        may_have_been_sent: bool,
    ) -> Self {
        Self {
            service: service.to_owned(),
            target: target.to_owned(),
            endpoint: None,
            attempts,
            may_have_been_sent,
            last_failure: None,
        }
    }

    pub(crate) fn with_last(mut self, endpoint: Option<&str>, failure: Option<&str>) -> Self {
        self.endpoint = endpoint.map(str::to_owned);
        self.last_failure = failure.map(str::to_owned);
        self
    }

    /// That of a status which a [`Channel`](crate::Channel) gave. `None`: it came from elsewhere.
    pub fn of(status: &Status) -> Option<Self> {
        let text = |name: &HeaderName| {
            let value = status.metadata().get(name.as_str())?;
            value.to_str().ok().map(str::to_owned)
        };
        Some(Self {
            service: text(&SERVICE)?,
            target: text(&TARGET)?,
            endpoint: text(&ENDPOINT),
            attempts: text(&ATTEMPTS)?.parse().ok()?,
            may_have_been_sent: text(&SENT)? != "no",
            last_failure: text(&LAST),
        })
    }

    /// The discovery name of the service that was called.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Where the service was looked for.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The endpoint of the last attempt. `None`: there was none to send it to.
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// How many attempts were made. Those that provably never left are not counted.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether the request may have been carried out, by any attempt.
    pub fn may_have_been_sent(&self) -> bool {
        self.may_have_been_sent
    }

    /// What the last attempt before the end of the call failed with.
    pub fn last_failure(&self) -> Option<&str> {
        self.last_failure.as_deref()
    }

    /// Writes it to the metadata of an error.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        // A peer may have written some of it.
        for name in [&ENDPOINT, &LAST] {
            headers.remove(name);
        }
        let mut put = |name: HeaderName, text: &str| {
            // What a peer said may hold anything; a header may not.
            let clean: String = text
                .chars()
                .map(|letter| {
                    if letter.is_ascii_graphic() || letter == ' ' {
                        letter
                    } else {
                        '?'
                    }
                })
                .take(300)
                .collect();
            if let Ok(value) = HeaderValue::try_from(clean) {
                headers.insert(name, value);
            }
        };
        put(SERVICE, &self.service);
        put(TARGET, &self.target);
        put(ATTEMPTS, &self.attempts.to_string());
        put(
            SENT,
            if self.may_have_been_sent {
                "perhaps"
            } else {
                "no"
            },
        );
        if let Some(endpoint) = &self.endpoint {
            put(ENDPOINT, endpoint);
        }
        if let Some(failure) = &self.last_failure {
            put(LAST, failure);
        }
    }
}

/// In a sentence: `2 attempts, the last at 10.0.0.7:50052 (UNAVAILABLE: draining); the request may have been carried out`.
impl fmt::Display for CallReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attempts {
            0 => f.write_str("no attempt")?,
            1 => f.write_str("1 attempt")?,
            more => write!(f, "{more} attempts")?,
        }
        if let Some(endpoint) = &self.endpoint {
            write!(f, ", the last at {endpoint}")?;
        }
        if let Some(failure) = &self.last_failure {
            write!(f, " ({failure})")?;
        }
        f.write_str(if self.may_have_been_sent {
            "; the request may have been carried out"
        } else {
            "; nothing was sent"
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use tonic::metadata::MetadataMap;

    use super::*;

    fn read(headers: HeaderMap) -> Option<CallReport> {
        let mut status = Status::unavailable("");
        *status.metadata_mut() = MetadataMap::from_headers(headers);
        CallReport::of(&status)
    }

    #[test]
    fn is_read_as_it_was_written() {
        for report in [
            CallReport::new("inn", "dns:///inn:1", 0, false),
            CallReport::new("inn", "dns:///inn:1", 1, true).with_last(Some("10.0.0.7:1"), None),
            CallReport::new("inn", "unix:///run/inn", 5, true)
                .with_last(Some("unix:/run/inn"), Some("Unavailable: draining")),
        ] {
            let mut headers = HeaderMap::new();
            report.write(&mut headers);
            assert_eq!(read(headers), Some(report));
        }
    }

    #[test]
    fn what_fits_no_header_is_made_to() {
        let report = CallReport::new("inn", "t", 1, true).with_last(None, Some("a\nb\u{e9}\0"));
        let mut headers = HeaderMap::new();
        report.write(&mut headers);
        assert_eq!(read(headers).unwrap().last_failure(), Some("a?b??"));
        let long = "x".repeat(10_000);
        let report = CallReport::new("inn", "t", 1, true).with_last(None, Some(&long));
        let mut headers = HeaderMap::new();
        report.write(&mut headers);
        assert_eq!(read(headers).unwrap().last_failure().unwrap().len(), 300);
    }

    #[test]
    fn what_a_peer_wrote_is_written_over() {
        let mut headers = HeaderMap::new();
        let forged = CallReport::new("inn", "evil", 0, false).with_last(Some("evil"), Some("evil"));
        forged.write(&mut headers);
        let report = CallReport::new("inn", "t", 2, true);
        report.write(&mut headers);
        assert_eq!(read(headers), Some(report));
    }

    #[test]
    fn of_another_status_there_is_none() {
        assert_eq!(read(HeaderMap::new()), None);
    }

    #[test]
    fn is_a_sentence() {
        let report =
            CallReport::new("inn", "t", 2, true).with_last(Some("a:1"), Some("Unavailable: x"));
        assert_eq!(
            report.to_string(),
            "2 attempts, the last at a:1 (Unavailable: x); the request may have been carried out"
        );
        let none = CallReport::new("inn", "t", 0, false);
        assert_eq!(none.to_string(), "no attempt; nothing was sent");
    }
}
