//! Why a recording is not fetched.

use std::io;

/// Why a recording is not fetched. The message never holds the path of the URL: people put names into file names.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a URL.
    #[error("not a URL ({detail}): it must look like {example}")]
    Malformed {
        /// What is wrong.
        detail: String,
        /// What would be right.
        example: &'static str,
    },

    /// A URL that is not allowed.
    #[error("not allowed ({what}): allowed are {allowed}")]
    Refused {
        /// What is not allowed.
        what: String,
        /// What is.
        allowed: String,
    },

    /// More bytes than are accepted.
    #[error("the recording is larger than the {limit} bytes that are accepted")]
    TooLarge {
        /// How many are accepted.
        limit: u64,
    },

    /// There is nothing to be had there.
    #[error("there is no recording to be had ({detail})")]
    Missing {
        /// What happened.
        detail: String,
        /// The cause, where there is one.
        #[source]
        source: Option<io::Error>,
    },

    /// It cannot be had now; later it may.
    #[error("the recording cannot be had now ({detail})")]
    Unavailable {
        /// What happened.
        detail: String,
        /// The cause, where there is one.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

impl Error {
    /// Whether another attempt can help.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Malformed { .. }
            | Self::Refused { .. }
            | Self::TooLarge { .. }
            | Self::Missing { .. } => false,
        }
    }

    /// The kind of failure, for tables of tests. What callers are told is the contract's, see `crate::reason`.
    #[cfg(test)]
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "AUDIO_URL_MALFORMED",
            Self::Refused { .. } => "AUDIO_URL_NOT_ALLOWED",
            Self::TooLarge { .. } => "AUDIO_TOO_LARGE",
            Self::Missing { .. } => "AUDIO_NOT_FOUND",
            Self::Unavailable { .. } => "AUDIO_SOURCE_UNAVAILABLE",
        }
    }
}

/// Why the configuration cannot work.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// An entry of the allowed hosts.
    #[error("{entry:?} is no host: it must look like audio.example.org or audio.example.org:8443")]
    Host {
        /// The entry.
        entry: String,
    },

    /// No TLS on this machine.
    #[error("no https client can be set up")]
    Tls(#[source] reqwest::Error),
}
