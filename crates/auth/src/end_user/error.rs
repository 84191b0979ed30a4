//! Why an end user's token is refused.

use crate::flight::Cause;
use crate::jwt::Flaw;
use crate::keys::{self, Algorithm};

/// Why an end user's token is refused.
///
/// The messages may be sent to the caller: they hold nothing of the token. The source may not: it is for our log.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// It is no token of an end user.
    #[error("the end user's token is malformed: {0}")]
    Malformed(&'static str),
    /// The issuer is not pinned to its algorithm, or the key is for another one.
    #[error("the `alg` of the end user's token must be {expected}")]
    Algorithm {
        /// What is accepted.
        expected: String,
    },
    /// It is of an issuer that is not configured.
    #[error("the end user's token is of an unknown issuer: its `iss` must be {expected}")]
    WrongIssuer {
        /// The issuers that are accepted.
        expected: String,
    },
    /// It is for somebody else.
    #[error("the end user's token is for another audience: its `aud` must name {expected}")]
    WrongAudience {
        /// The audience that is accepted.
        expected: String,
    },
    /// It is over.
    #[error(
        "the end user's token has expired: the user has to sign in again, or the token to be renewed"
    )]
    Expired,
    /// It has not begun.
    #[error("the end user's token has an `nbf` or `iat` in the future: check the clocks")]
    NotYetValid,
    /// No key that the issuer publishes has signed it.
    #[error("none of the keys that the issuer publishes has signed the end user's token")]
    BadSignature,
    /// The keys cannot be had, so nothing can be said about the token.
    #[error(
        "the keys to check the end user's token with cannot be fetched at the moment: try again"
    )]
    KeysUnavailable {
        /// What the key source said.
        source: Cause,
    },
}

impl Error {
    pub(super) fn new(flaw: Flaw, pinned: &[Algorithm]) -> Self {
        match flaw {
            Flaw::Malformed(why) => Self::Malformed(why),
            Flaw::Algorithm => Self::Algorithm {
                expected: keys::list(pinned),
            },
            Flaw::BadSignature => Self::BadSignature,
        }
    }

    /// Whether it is our trouble (UNAVAILABLE) and not the caller's (UNAUTHENTICATED).
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::KeysUnavailable { .. })
    }
}
