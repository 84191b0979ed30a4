//! Addresses of services.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// The address of a service: `http://host:port` or `dns:///host:port` (gRPC name resolution). Both connect to the addresses
/// that the system's resolver gives for the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    text: String,
    authority: String,
}

/// Why a text is no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It cannot be taken apart.
    #[error("it is no URI ({reason})")]
    Malformed {
        /// What the parser says.
        reason: String,
    },
    /// The scheme is none of those known.
    #[error("the scheme {scheme:?} is not known; use http:// or dns:///")]
    Scheme {
        /// As given.
        scheme: String,
    },
    /// There is no host.
    #[error("it names no host")]
    Host,
    /// There is no port, or it is 0.
    #[error("it names no port; give one from 1 to 65535")]
    Port,
    /// There is a path, a query, a user or a fragment.
    #[error("it holds more than a host and a port")]
    Excess,
}

impl Target {
    /// `host:port`, for connecting and for the `:authority` of requests.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let malformed = |error: url::ParseError| TargetError::Malformed {
            reason: error.to_string(),
        };
        let http = match text.split_once("://") {
            Some(("http", _)) => text.to_owned(),
            Some(("dns", rest)) => match rest.strip_prefix('/') {
                Some(name) => format!("http://{name}"),
                None => return Err(TargetError::Excess),
            },
            Some((scheme, _)) => {
                return Err(TargetError::Scheme {
                    scheme: scheme.to_owned(),
                });
            }
            None => {
                return Err(TargetError::Malformed {
                    reason: "no scheme".to_owned(),
                });
            }
        };
        let url = Url::parse(&http).map_err(malformed)?;
        let host = match url.host() {
            Some(Host::Domain("")) | None => return Err(TargetError::Host),
            Some(host) => host.to_string(),
        };
        let excess = !url.username().is_empty()
            || url.password().is_some()
            || !matches!(url.path(), "" | "/")
            || url.query().is_some()
            || url.fragment().is_some();
        if excess {
            return Err(TargetError::Excess);
        }
        // The default port of the scheme is dropped by the parser, so 80 must have been written.
        let port = url
            .port()
            .or_else(|| http.trim_end_matches('/').ends_with(":80").then_some(80));
        match port {
            Some(0) | None => Err(TargetError::Port),
            Some(port) => Ok(Self {
                text: text.to_owned(),
                authority: format!("{host}:{port}"),
            }),
        }
    }
}

/// As it was written.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_http_and_dns() {
        for (text, authority) in [
            ("http://127.0.0.1:50051", "127.0.0.1:50051"),
            ("http://auth:80", "auth:80"),
            ("http://[::1]:50051/", "[::1]:50051"),
            ("dns:///transcription:50052", "transcription:50052"),
        ] {
            assert_eq!(
                text.parse::<Target>().map(|t| t.authority),
                Ok(authority.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, expect) in [
            ("", "no scheme"),
            ("transcription:50052", "no scheme"),
            ("https://auth:1", "scheme \"https\" is not known"),
            ("ftp://auth:1", "scheme \"ftp\" is not known"),
            ("http://auth", "names no port"),
            ("http://auth:0", "names no port"),
            ("http://auth:99999", "invalid port"),
            ("http://:50051", "empty host"),
            ("http://user@auth:1", "more than a host and a port"),
            ("http://auth:1/path", "more than a host and a port"),
            ("dns://server/auth:1", "more than a host and a port"),
        ] {
            let error = text.parse::<Target>().map_err(|e| e.to_string());
            assert!(
                error.as_ref().is_err_and(|e| e.contains(expect)),
                "{text}: {error:?}"
            );
        }
    }
}
