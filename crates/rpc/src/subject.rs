//! The token of the end user for whom a call is made.

use std::fmt;
use std::sync::Arc;

/// What a call that is made for an end user has to show of them, to get a token for the next service (RFC 8693).
///
/// It is a secret: `Debug` shows its kind only. Two are equal when they are the same token.
#[derive(Clone, PartialEq, Eq)]
pub struct SubjectToken {
    kind: SubjectTokenKind,
    text: Arc<str>,
}

/// The kind of a [`SubjectToken`] (RFC 8693, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectTokenKind {
    /// An access token of our own auth service for the service at hand, with which another one acts for the user.
    AccessToken,
    /// A JWT of the issuer where the user has signed in.
    Jwt,
}

impl SubjectTokenKind {
    /// Its `subject_token_type`.
    pub fn urn(self) -> &'static str {
        match self {
            Self::AccessToken => "urn:ietf:params:oauth:token-type:access_token",
            Self::Jwt => "urn:ietf:params:oauth:token-type:jwt",
        }
    }
}

impl SubjectToken {
    /// A token of our own auth service, as it came with a call.
    pub fn access_token(text: &str) -> Self {
        Self {
            kind: SubjectTokenKind::AccessToken,
            text: text.into(),
        }
    }

    /// A token of the issuer where the user has signed in.
    pub fn jwt(text: &str) -> Self {
        Self {
            kind: SubjectTokenKind::Jwt,
            text: text.into(),
        }
    }

    /// What it is.
    pub fn kind(&self) -> SubjectTokenKind {
        self.kind
    }

    /// The token, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for SubjectToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubjectToken")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
