//! End users: who they are, and how the token of one is verified when a service wants to act for them.
//!
//! An end user signs in at an OpenID provider, which is an issuer of its own: [`EndUsers`] knows for each its name, the
//! audience that its tokens must have, the algorithms that it is pinned to, and its keys, which verify nobody else's tokens.
//! The auth service turns such a token into one for a service that acts on the user's behalf (RFC 8693): see
//! [`token::Issuer::issue_on_behalf`](crate::token::Issuer::issue_on_behalf).

mod error;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Deserialize;

pub use self::error::Error;
use crate::clock::Clock;
use crate::jwt::{self, Audience, LEEWAY, NumericDate, Untimely};
use crate::keys::Algorithm;
use crate::verifier::{self, CachedKeys};

/// The longest subject, in bytes (OpenID Connect Core 1.0, section 2: `sub`), and the longest name of an issuer.
const MAX_NAME: usize = 255;

/// How many services may stand between an end user and the service that is called.
pub const MAX_ACTORS: usize = 8;

/// An end user: the name that an issuer has for them. Nothing else is known of them here, and `Debug` shows only the issuer.
///
/// Only a verified token makes one.
#[derive(Clone, PartialEq, Eq)]
pub struct EndUser {
    issuer: Box<str>,
    subject: Box<str>,
}

impl EndUser {
    pub(crate) fn new(issuer: &str, subject: &str) -> Option<Self> {
        let is_name = |name: &str| {
            (1..=MAX_NAME).contains(&name.len())
                && name.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        };
        (is_name(issuer) && is_name(subject)).then(|| Self {
            issuer: issuer.into(),
            subject: subject.into(),
        })
    }

    /// Who knows them: the `iss` of the token that they signed in with.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The `sub` that the issuer has for them: 1 to 255 visible ASCII characters and spaces, and unique with the issuer only.
    /// For an audit log; it does not belong into other logs.
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

impl fmt::Debug for EndUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndUser")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// For whom a token may be issued, as verified: by [`EndUsers::verify`], or by
/// [`Principal::subject`](crate::Principal::subject).
#[derive(Debug, Clone)]
pub struct Subject {
    pub(crate) user: EndUser,
    /// Who acted before, the latest first.
    pub(crate) actors: Vec<String>,
    pub(crate) expires_at: SystemTime,
}

impl Subject {
    /// The end user.
    pub fn user(&self) -> &EndUser {
        &self.user
    }

    /// The services that acted for the user before, the latest first.
    pub fn actors(&self) -> &[String] {
        &self.actors
    }

    /// When the token ends that tells this. A token that is issued for it ends no later.
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }
}

/// An issuer whose end users' tokens are accepted.
#[derive(Clone)]
pub struct Issuer {
    name: String,
    audience: String,
    algorithms: Vec<Algorithm>,
    leeway: Duration,
    keys: CachedKeys,
}

impl Issuer {
    /// Accepts tokens with this `iss` and this `aud`, signed with one of `algorithms` and one of `keys`. Those are this
    /// issuer's alone. Without an algorithm none is accepted.
    pub fn new(
        name: impl Into<String>,
        audience: impl Into<String>,
        algorithms: impl IntoIterator<Item = Algorithm>,
        keys: CachedKeys,
    ) -> Self {
        Self {
            name: name.into(),
            audience: audience.into(),
            algorithms: algorithms.into_iter().collect(),
            leeway: LEEWAY,
            keys,
        }
    }
}

/// The issuers whose end users' tokens are accepted. Clones share their keys.
#[derive(Clone)]
pub struct EndUsers {
    issuers: Arc<[Issuer]>,
    clock: Arc<dyn Clock>,
}

/// What we look at; of a user's name, address and the like nothing is read.
#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Audience>,
    exp: Option<NumericDate>,
    nbf: Option<NumericDate>,
    iat: Option<NumericDate>,
}

impl EndUsers {
    /// Accepts the tokens of these issuers.
    pub fn new(issuers: impl IntoIterator<Item = Issuer>, clock: Arc<dyn Clock>) -> Self {
        Self {
            issuers: issuers.into_iter().collect(),
            clock,
        }
    }

    /// Whether the token says that it is of one of these issuers. Nothing is verified.
    pub fn knows(&self, token: &str) -> bool {
        self.issuer_of(token).is_ok()
    }

    /// Verifies an end user's token: an ID token or an access token that is a JWT.
    ///
    /// `iss` chooses the issuer, and with it everything else: `alg` must be one that it is pinned to and that of the key that
    /// `kid` names among its keys. `aud`, `sub` and `exp` are required; times have a leeway of 60 s.
    ///
    /// # Errors
    /// See [`Error`].
    ///
    /// # Cancel safety
    /// Cancel safe: a fetch of keys that has begun goes on for the next caller.
    pub async fn verify(&self, token: &str) -> Result<Subject, Error> {
        if token.len() > jwt::MAX_TOKEN_BYTES {
            return Err(Error::Malformed("it is larger than 8 KiB"));
        }
        let issuer = self.issuer_of(token)?;
        let head = jwt::read_head(token, &issuer.algorithms)
            .map_err(|flaw| Error::new(flaw, &issuer.algorithms))?;
        if !head.typ.as_deref().is_none_or(is_user_token_type) {
            return Err(Error::Malformed("its `typ` must be JWT or at+jwt"));
        }
        let kid = head
            .kid
            .ok_or(Error::Malformed("its header has no `kid`"))?;
        let key = issuer.keys.find(&kid).await.map_err(|error| {
            if let verifier::Error::KeysUnavailable { source } = error {
                Error::KeysUnavailable { source }
            } else {
                Error::BadSignature
            }
        })?;
        // The header's word counts for nothing: the key says which algorithm it is for.
        if key.algorithm() != head.algorithm {
            return Err(Error::Algorithm {
                expected: key.algorithm().name().to_owned(),
            });
        }
        let claims =
            jwt::verify(token, &key).map_err(|flaw| Error::new(flaw, &issuer.algorithms))?;
        self.judge(claims, issuer)
    }

    fn issuer_of(&self, token: &str) -> Result<&Issuer, Error> {
        #[derive(Deserialize)]
        struct Named {
            iss: Option<String>,
        }
        let named: Named =
            jwt::read_claims_unverified(token).map_err(|flaw| Error::new(flaw, &[]))?;
        let name = named.iss.ok_or(Error::Malformed("`iss` is required"))?;
        self.issuers
            .iter()
            .find(|issuer| issuer.name == name)
            .ok_or_else(|| Error::WrongIssuer {
                expected: self.names(),
            })
    }

    fn names(&self) -> String {
        let names: Vec<_> = self.issuers.iter().map(|one| one.name.as_str()).collect();
        names.join(" or ")
    }

    /// Judges authentic claims.
    fn judge(&self, claims: Claims, issuer: &Issuer) -> Result<Subject, Error> {
        // Chosen by it before; said once more where the signature vouches for it.
        if claims.iss.as_deref() != Some(issuer.name.as_str()) {
            return Err(Error::WrongIssuer {
                expected: issuer.name.clone(),
            });
        }
        let audience = claims.aud.ok_or(Error::Malformed("`aud` is required"))?;
        if !audience.contains(&issuer.audience) {
            return Err(Error::WrongAudience {
                expected: issuer.audience.clone(),
            });
        }
        let period = jwt::period(
            claims.exp,
            [claims.nbf, claims.iat],
            self.clock.now(),
            issuer.leeway,
        )
        .map_err(|untimely| match untimely {
            Untimely::NoEnd => Error::Malformed("`exp` is required"),
            Untimely::Over => Error::Expired,
            Untimely::NotBegun => Error::NotYetValid,
        })?;
        let user = claims
            .sub
            .and_then(|subject| EndUser::new(&issuer.name, &subject))
            .ok_or(Error::Malformed(
                "`sub` must have 1 to 255 printable ASCII characters",
            ))?;
        Ok(Subject {
            user,
            actors: Vec::new(),
            expires_at: period.expires_at,
        })
    }
}

impl fmt::Debug for EndUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndUsers")
            .field("issuers", &self.names())
            .finish_non_exhaustive()
    }
}

/// Tokens of other kinds say so in their `typ` (RFC 8725, section 3.11), as logout and event tokens do.
fn is_user_token_type(typ: &str) -> bool {
    ["JWT", "at+jwt", "application/at+jwt"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(typ))
}

#[cfg(test)]
mod tests;
