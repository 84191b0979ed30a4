//! Why a token is refused.

use crate::flight::Cause;
use crate::jwt::Flaw;

/// Why a token is refused.
///
/// The messages may be sent to the caller: they hold nothing of the token. The source may not: it is for our log.
///
/// # Troubleshooting
/// [`reason`](Self::reason) is stable and stands in the ErrorInfo of the answer. `TOKEN_WRONG_AUDIENCE` and
/// `TOKEN_WRONG_ISSUER` come from configuration that differs between two services, `TOKEN_EXPIRED` and
/// `TOKEN_NOT_YET_VALID` mostly from clocks, `TOKEN_UNKNOWN_KEY` from an auth service that has lost its keys.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// There is none.
    #[error(
        "a token is required: send `authorization: Bearer` and an access token of the auth service"
    )]
    Missing,
    /// It is no access token.
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    /// It is over.
    #[error("the token has expired: get a new one from the auth service")]
    Expired,
    /// It has not begun.
    #[error("the token's `nbf` or `iat` is in the future: check the clocks")]
    NotYetValid,
    /// It is for another service.
    #[error("the token is for another service: get one for the audience `{expected}`")]
    WrongAudience {
        /// The audience that is accepted.
        expected: String,
    },
    /// It is of another issuer.
    #[error("the token is of another issuer: get one from `{expected}`")]
    WrongIssuer {
        /// The issuer that is accepted.
        expected: String,
    },
    /// Its key is not published.
    #[error("the token's key is not among those that the auth service publishes: get a new token")]
    UnknownKey,
    /// Its signature is not of that key.
    #[error("the token's signature does not match: it was changed, or is not of the auth service")]
    BadSignature,
    /// It is not signed with Ed25519.
    #[error("the token's `alg` must be EdDSA")]
    Algorithm,
    /// The keys cannot be had, so nothing can be said about the token.
    #[error("the keys to check the token with cannot be fetched at the moment: try again")]
    KeysUnavailable {
        /// What the key source said.
        source: Cause,
    },
}

impl Error {
    /// The stable reason, for `google.rpc.ErrorInfo`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "TOKEN_MISSING",
            Self::Malformed(_) => "TOKEN_MALFORMED",
            Self::Expired => "TOKEN_EXPIRED",
            Self::NotYetValid => "TOKEN_NOT_YET_VALID",
            Self::WrongAudience { .. } => "TOKEN_WRONG_AUDIENCE",
            Self::WrongIssuer { .. } => "TOKEN_WRONG_ISSUER",
            Self::UnknownKey => "TOKEN_UNKNOWN_KEY",
            Self::BadSignature => "TOKEN_BAD_SIGNATURE",
            Self::Algorithm => "TOKEN_ALGORITHM",
            Self::KeysUnavailable { .. } => "KEYS_UNAVAILABLE",
        }
    }

    /// Whether it is our trouble (UNAVAILABLE) and not the caller's (UNAUTHENTICATED).
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::KeysUnavailable { .. })
    }
}

impl From<Flaw> for Error {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::Malformed(why) => Self::Malformed(why),
            Flaw::Algorithm => Self::Algorithm,
            Flaw::BadSignature => Self::BadSignature,
        }
    }
}

impl From<Cause> for Error {
    fn from(source: Cause) -> Self {
        Self::KeysUnavailable { source }
    }
}
