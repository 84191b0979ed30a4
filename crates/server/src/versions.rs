//! What a server says of methods that go away, and what it does once they may be gone.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderValue};
use scribemed_rpc::policy::Lifecycle;
use scribemed_rpc::{Fault, MethodPolicy, metadata, reason};
use tonic::{Code, Status};

/// What becomes of calls to a method that is past its sunset. Until then it is served, whatever this says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AfterSunset {
    /// It is served as before. The default: a date alone breaks nobody.
    #[default]
    Serve,
    /// It is refused: UNIMPLEMENTED with the reason `METHOD_SUNSET`, and the successor is named.
    Refuse,
}

/// What the answers of a method that goes away say with their headers (RFC 9745, RFC 8594, RFC 8288).
pub(crate) struct Signals {
    lifecycle: Lifecycle,
    deprecation: HeaderValue,
    sunset: HeaderValue,
    link: HeaderValue,
    sunset_at: SystemTime,
}

impl Signals {
    /// Those of a method; `None` where it stays.
    pub(crate) fn of(policy: &MethodPolicy) -> Option<Self> {
        let lifecycle = policy.lifecycle?;
        // Before 1970 is past like anything else that is past.
        let sunset = Duration::from_secs(u64::try_from(lifecycle.sunset_unix).unwrap_or(0));
        Some(Self {
            deprecation: HeaderValue::from_static(lifecycle.deprecation),
            sunset: HeaderValue::from_static(lifecycle.sunset),
            link: HeaderValue::from_static(lifecycle.link),
            sunset_at: UNIX_EPOCH + sunset,
            lifecycle,
        })
    }

    /// Adds them to the head of an answer, or of a failure.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        headers.insert(metadata::DEPRECATION, self.deprecation.clone());
        headers.insert(metadata::SUNSET, self.sunset.clone());
        // A handler may have links of its own.
        headers.append(metadata::LINK, self.link.clone());
    }

    /// Whether the method may be gone.
    pub(crate) fn is_past(&self, now: SystemTime) -> bool {
        now >= self.sunset_at
    }

    /// How a method is refused that may be gone.
    pub(crate) fn refusal(&self, policy: &MethodPolicy, domain: &'static str) -> Status {
        let Lifecycle {
            sunset_on,
            successor,
            ..
        } = self.lifecycle;
        let method = policy.path.trim_start_matches('/');
        Fault::new(
            Code::Unimplemented,
            reason::METHOD_SUNSET,
            domain,
            format!("{method} is gone since {sunset_on}; use {successor}"),
        )
        .metadata("method", method)
        .metadata("sunset_on", sunset_on)
        .metadata("successor", successor)
        .into_status()
    }
}
