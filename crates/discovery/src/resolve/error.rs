//! Why a look-up failed.

use std::fmt;
use std::time::Duration;

use crate::Address;

/// Why a look-up failed: which name, what was asked for, what came back and from where.
///
/// # Troubleshooting
/// - [`is_not_found`](Self::is_not_found): the server works and knows no such name, or no address for it. Look at the spelling, at the
///   search list in `/etc/resolv.conf`, and whether anything runs under that name.
/// - [`is_timeout`](Self::is_timeout): the server named in the message does not answer. Look at the network and firewalls
///   (port 53, UDP and TCP).
/// - Neither: the server answered that it could not tell (SERVFAIL, REFUSED), or with what is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolveError {
    name: String,
    asked: &'static str,
    from: String,
    cause: Cause,
    partial: Vec<Address>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Cause {
    NotFound,
    Empty,
    Timeout(Duration),
    Other(String),
}

impl ResolveError {
    /// There is no such name: NXDOMAIN (RFC 1035 section 4.1.1).
    pub fn not_found(name: impl Into<String>) -> Self {
        Self::new(name, Cause::NotFound)
    }

    /// The name is there, and has no record of the kind that was asked for.
    pub fn empty(name: impl Into<String>) -> Self {
        Self::new(name, Cause::Empty)
    }

    /// No answer came in time.
    pub fn timeout(name: impl Into<String>, after: Duration) -> Self {
        Self::new(name, Cause::Timeout(after))
    }

    /// Anything else: SERVFAIL, an answer that cannot be read, no way to the server. `reason` follows a colon.
    pub fn failed(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(name, Cause::Other(reason.into()))
    }

    /// The same, saying what was asked for: `A and AAAA`, `SRV`.
    #[must_use]
    pub fn asking(mut self, records: &'static str) -> Self {
        self.asked = records;
        self
    }

    /// The same, saying who was asked: `the DNS server 10.0.0.2:53`.
    #[must_use]
    pub fn of(mut self, source: impl Into<String>) -> Self {
        self.from = source.into();
        self
    }

    /// The same, with those addresses that could be had. [`Discovery`](crate::Discovery) uses them as long as it has none at
    /// all, so that one name of several which cannot be looked up does not keep a client from starting.
    #[must_use]
    pub fn with_partial(mut self, addresses: Vec<Address>) -> Self {
        self.partial = addresses;
        self
    }

    /// What could be had nevertheless; mostly nothing.
    pub fn partial(&self) -> &[Address] {
        &self.partial
    }

    /// Whether the answer was that there is no such name, or none of its records.
    pub fn is_not_found(&self) -> bool {
        matches!(self.cause, Cause::NotFound | Cause::Empty)
    }

    /// Whether no answer came in time.
    pub fn is_timeout(&self) -> bool {
        matches!(self.cause, Cause::Timeout(_))
    }

    fn new(name: impl Into<String>, cause: Cause) -> Self {
        Self {
            name: name.into(),
            asked: "",
            from: String::new(),
            cause,
            partial: Vec::new(),
        }
    }
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name, asked, from, ..
        } = self;
        let records = if asked.is_empty() { "addresses" } else { asked };
        write!(f, "{name} could not be looked up ({records}")?;
        if !from.is_empty() {
            write!(f, ", asking {from}")?;
        }
        f.write_str("): ")?;
        match &self.cause {
            Cause::NotFound => f.write_str("there is no such name (NXDOMAIN)"),
            Cause::Empty => f.write_str("the answer is empty, the name has no such record"),
            Cause::Timeout(after) => write!(f, "no answer within {after:?}"),
            Cause::Other(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for ResolveError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_which_what_whence_and_why() {
        let error = ResolveError::timeout("auth", Duration::from_secs(5))
            .asking("A and AAAA")
            .of("the DNS server 10.0.0.2:53");
        assert_eq!(
            error.to_string(),
            "auth could not be looked up (A and AAAA, asking the DNS server 10.0.0.2:53): no answer within 5s"
        );
        assert!(error.is_timeout() && !error.is_not_found());
        for (error, expect, not_found) in [
            (
                ResolveError::not_found("auth"),
                "(addresses): there is no such name (NXDOMAIN)",
                true,
            ),
            (ResolveError::empty("auth"), "the answer is empty", true),
            (
                ResolveError::failed("auth", "SERVFAIL"),
                "(addresses): SERVFAIL",
                false,
            ),
        ] {
            assert!(error.to_string().contains(expect), "{error}");
            assert_eq!(error.is_not_found(), not_found, "{error}");
            assert!(!error.is_timeout(), "{error}");
        }
    }
}
