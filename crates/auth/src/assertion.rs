//! Client assertions: how a service proves to the auth service who it is (`private_key_jwt`: RFC 7523, section 3;
//! RFC 7521, section 4.2).
//!
//! The caller's side is [`sign`]. The auth service's side has two steps, since it must look up the client's keys in
//! between: [`Assertion::parse`], then [`Assertion::verify`]. What `verify` returns is authentic, but may be a replay:
//! the caller records the client and [`Claims::jti`] until [`Claims::forget_after`] and refuses a pair that it has seen.

use std::time::{Duration, SystemTime};

use serde::Serialize;
use uuid::Uuid;

use crate::credentials::Secret;
use crate::jwt::{self, Flaw, LEEWAY};
use crate::keys::{self, Algorithm, KeySet, SigningKey};

/// The `client_assertion_type` of these assertions (RFC 7523, section 2.2).
pub const CLIENT_ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How long an assertion that we make is good for.
const LIFETIME: Duration = Duration::from_secs(60);

/// The farthest `exp` that is accepted, from now: a bound on how long a `jti` has to be remembered.
const MAX_AHEAD: Duration = Duration::from_mins(5);

/// The longest client name and `jti`, in bytes: both are stored.
const MAX_NAME: usize = 128;

/// Makes an assertion: `client` speaks, and `audience` (the auth service's issuer name) alone shall listen.
///
/// It is good for 60 s from `now` and for one use.
///
/// # Errors
/// [`keys::Error::Crypto`] when signing fails.
pub fn sign(
    key: &SigningKey,
    client: &str,
    audience: &str,
    now: SystemTime,
) -> Result<Secret, keys::Error> {
    #[derive(Serialize)]
    struct Wire<'a> {
        iss: &'a str,
        sub: &'a str,
        aud: &'a str,
        jti: String,
        iat: u64,
        exp: u64,
    }
    let iat = jwt::unix_seconds(now);
    let claims = Wire {
        iss: client,
        sub: client,
        aud: audience,
        jti: Uuid::new_v4().to_string(),
        iat,
        exp: iat + LIFETIME.as_secs(),
    };
    jwt::sign(key, "JWT", &claims)
}

/// An assertion that has been read but not yet checked.
pub struct Assertion<'a> {
    text: &'a str,
    kid: Option<String>,
    client: String,
}

impl<'a> Assertion<'a> {
    /// Reads an assertion far enough to know whose it claims to be.
    ///
    /// # Errors
    /// [`Error::Malformed`] when it is no JWT, larger than 8 KiB, of a foreign `typ`, or `iss` and `sub` are not the
    /// same client; [`Error::Algorithm`] for any algorithm but `EdDSA`.
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        let head = jwt::read_head(text, &[Algorithm::EdDsa])?;
        // Access tokens carry `at+jwt`: one must never pass as an assertion.
        let typ = head.typ.as_deref().unwrap_or("JWT");
        if !["JWT", "client-authentication+jwt"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(typ))
        {
            return Err(Error::Malformed(
                "its `typ` must be JWT or client-authentication+jwt",
            ));
        }
        let claims: jwt::Claims = jwt::read_claims_unverified(text)?;
        let client = match (claims.iss, claims.sub) {
            (Some(iss), Some(sub)) if iss == sub => sub,
            (Some(_), Some(_)) => {
                return Err(Error::Malformed(
                    "`iss` and `sub` must both be the client's name",
                ));
            }
            _ => {
                return Err(Error::Malformed(
                    "`iss` and `sub` are required and must both be the client's name",
                ));
            }
        };
        if client.is_empty() || client.len() > MAX_NAME {
            return Err(Error::Malformed(
                "the client's name must have 1 to 128 bytes",
            ));
        }
        Ok(Self {
            text,
            kid: head.kid,
            client,
        })
    }

    /// The client whose assertion this claims to be. Good for looking up its keys, for nothing else.
    pub fn client(&self) -> &str {
        &self.client
    }

    /// Checks the assertion with that client's keys.
    ///
    /// `audience` is the auth service's issuer name, and must be the only one. Without a `kid`, the client's only key
    /// is used. Times have a leeway of 60 s; `exp` is required and at most 5 min ahead.
    ///
    /// # Errors
    /// Every other variant of [`Error`].
    pub fn verify(self, keys: &KeySet, audience: &str, now: SystemTime) -> Result<Claims, Error> {
        let key = match &self.kid {
            Some(kid) => keys.get(kid),
            None if keys.len() == 1 => keys.iter().next(),
            None => None,
        };
        let claims: jwt::Claims = jwt::verify(self.text, key.ok_or(Error::UnknownKey)?)?;

        let aud = claims.aud.ok_or(Error::Malformed("`aud` is required"))?;
        if !aud.is_only(audience) {
            return Err(Error::WrongAudience {
                expected: audience.to_owned(),
            });
        }
        let expires_at = claims
            .exp
            .ok_or(Error::Malformed("`exp` is required"))?
            .time();
        if expires_at + LEEWAY <= now {
            return Err(Error::Expired);
        }
        if expires_at > now + MAX_AHEAD {
            return Err(Error::TooLongLived);
        }
        if [claims.nbf, claims.iat]
            .into_iter()
            .flatten()
            .any(|date| date.time() > now + LEEWAY)
        {
            return Err(Error::NotYetValid);
        }
        let jti = claims.jti.ok_or(Error::Malformed("`jti` is required"))?;
        if jti.is_empty() || jti.len() > MAX_NAME {
            return Err(Error::Malformed("`jti` must have 1 to 128 bytes"));
        }
        Ok(Claims {
            client: self.client,
            jti,
            expires_at,
        })
    }
}

/// What an authentic assertion says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    client: String,
    jti: String,
    expires_at: SystemTime,
}

impl Claims {
    /// The client that made it.
    pub fn client(&self) -> &str {
        &self.client
    }

    /// Its identifier, which the client must not use twice.
    pub fn jti(&self) -> &str {
        &self.jti
    }

    /// When it ends.
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// Until when it would be accepted again, so until when its `jti` has to be remembered.
    pub fn forget_after(&self) -> SystemTime {
        self.expires_at + LEEWAY
    }
}

/// Why an assertion is refused. The messages may be sent to the client: they hold nothing of the assertion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is no assertion.
    #[error("the client assertion is malformed: {0}")]
    Malformed(&'static str),
    /// It is not signed with Ed25519.
    #[error("the client assertion's `alg` must be EdDSA")]
    Algorithm,
    /// The client has no such key.
    #[error(
        "the client assertion's `kid` names none of the client's keys: use a key that is registered for it"
    )]
    UnknownKey,
    /// The signature is not of the client's key.
    #[error("the client assertion's signature does not match the client's key")]
    BadSignature,
    /// It is for somebody else.
    #[error("the client assertion's `aud` must be `{expected}` and nothing else")]
    WrongAudience {
        /// The audience that is accepted.
        expected: String,
    },
    /// It is over.
    #[error(
        "the client assertion has expired: make a new one for each request, and check the clock"
    )]
    Expired,
    /// It has not begun.
    #[error("the client assertion's `iat` or `nbf` is in the future: check the clock")]
    NotYetValid,
    /// It would be good for too long.
    #[error("the client assertion's `exp` must be at most 5 minutes ahead")]
    TooLongLived,
}

impl Error {
    /// The stable reason, for `google.rpc.ErrorInfo`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "ASSERTION_MALFORMED",
            Self::Algorithm => "ASSERTION_ALGORITHM",
            Self::UnknownKey => "ASSERTION_UNKNOWN_KEY",
            Self::BadSignature => "ASSERTION_BAD_SIGNATURE",
            Self::WrongAudience { .. } => "ASSERTION_WRONG_AUDIENCE",
            Self::Expired => "ASSERTION_EXPIRED",
            Self::NotYetValid => "ASSERTION_NOT_YET_VALID",
            Self::TooLongLived => "ASSERTION_TOO_LONG_LIVED",
        }
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

#[cfg(test)]
mod tests;
