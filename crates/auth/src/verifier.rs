//! Offline verification of access tokens (RFC 9068, section 4; RFC 8725).

mod cache;
mod error;

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::AUTHORIZATION;

pub use self::cache::{CacheConfig, CachedKeys, KeySource};
pub use self::error::Error;
use crate::clock::Clock;
use crate::jwt::{self, LEEWAY};
use crate::principal::{Permission, Principal, Verified};
use crate::token;

/// Whose tokens are accepted, and for whom.
#[derive(Debug, Clone)]
pub struct Config {
    /// The `iss` that tokens must have.
    pub issuer: String,
    /// The `aud` that tokens must have, or have among others: this service's name.
    pub audience: String,
    /// How far the issuer's clock may be from ours. 60 s by default.
    pub leeway: Duration,
}

impl Config {
    /// Accepts tokens of this issuer for this audience.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            leeway: LEEWAY,
        }
    }
}

/// Turns an access token into a [`Principal`], without asking the auth service about each.
#[derive(Clone)]
pub struct Verifier {
    config: Arc<Config>,
    keys: CachedKeys,
    clock: Arc<dyn Clock>,
}

impl Verifier {
    /// Verifies with these keys.
    pub fn new(config: Config, keys: CachedKeys, clock: Arc<dyn Clock>) -> Self {
        Self {
            config: Arc::new(config),
            keys,
            clock,
        }
    }

    /// Verifies the bearer token of a request (RFC 6750, section 2.1).
    ///
    /// # Errors
    /// [`Error::Missing`] without `authorization`, [`Error::Malformed`] when it is not one bearer token; otherwise as
    /// for [`verify`](Self::verify).
    ///
    /// # Cancel safety
    /// As for [`verify`](Self::verify).
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Principal, Error> {
        self.verify(bearer(headers)?).await
    }

    /// Verifies a token.
    ///
    /// The algorithm is pinned to `EdDSA` before a key is looked at. `kid`, the `typ` of an access token, `iss`, `aud`,
    /// `sub` and `exp` are required; `nbf` and `iat` must not be in the future. Only fetching keys ever waits.
    ///
    /// # Errors
    /// See [`Error`].
    ///
    /// # Cancel safety
    /// Cancel safe: a fetch of keys that has begun goes on for the next caller.
    pub async fn verify(&self, token: &str) -> Result<Principal, Error> {
        if token.is_empty() {
            return Err(Error::Missing);
        }
        let head = jwt::read_head(token)?;
        if !head.typ.as_deref().is_some_and(is_access_token_type) {
            return Err(Error::Malformed(
                "its `typ` must be at+jwt, so an access token of the auth service",
            ));
        }
        let kid = head
            .kid
            .ok_or(Error::Malformed("its header has no `kid`"))?;
        let key = self.keys.find(&kid).await?;
        let claims = jwt::verify(token, &key)?;
        self.judge(claims)
    }

    /// Judges authentic claims.
    fn judge(&self, claims: jwt::Claims) -> Result<Principal, Error> {
        let now = self.clock.now();
        let leeway = self.config.leeway;

        let issuer = claims.iss.ok_or(Error::Malformed("`iss` is required"))?;
        if issuer != self.config.issuer {
            return Err(Error::WrongIssuer {
                expected: self.config.issuer.clone(),
            });
        }
        let audience = claims.aud.ok_or(Error::Malformed("`aud` is required"))?;
        if !audience.contains(&self.config.audience) {
            return Err(Error::WrongAudience {
                expected: self.config.audience.clone(),
            });
        }
        let expires_at = claims
            .exp
            .ok_or(Error::Malformed("`exp` is required"))?
            .time();
        if now
            .duration_since(expires_at)
            .is_ok_and(|over| over >= leeway)
        {
            return Err(Error::Expired);
        }
        let begins = [claims.nbf, claims.iat]
            .into_iter()
            .flatten()
            .map(jwt::NumericDate::time);
        if begins
            .into_iter()
            .any(|begin| begin.duration_since(now).is_ok_and(|ahead| ahead > leeway))
        {
            return Err(Error::NotYetValid);
        }
        let service = claims
            .sub
            .filter(|sub| !sub.is_empty())
            .ok_or(Error::Malformed("`sub` is required"))?;
        // A scope that is no permission of ours grants nothing.
        let scopes = claims.scope.unwrap_or_default();
        let permissions = scopes
            .split(' ')
            .filter_map(|scope| Permission::new(scope).ok())
            .collect();
        Ok(Principal::from_verified(Verified {
            service,
            permissions,
            expires_at,
            token_id: claims.jti,
        }))
    }
}

/// RFC 9068, section 4: the media type, with or without its `application/`.
fn is_access_token_type(typ: &str) -> bool {
    typ.eq_ignore_ascii_case(token::TYPE) || typ.eq_ignore_ascii_case("application/at+jwt")
}

fn bearer(headers: &HeaderMap) -> Result<&str, Error> {
    const FORM: Error = Error::Malformed("`authorization` must be `Bearer` and the token, once");
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Error::Missing)?;
    if values.next().is_some() {
        return Err(FORM);
    }
    let (scheme, token) = value
        .to_str()
        .map_err(|_| FORM)?
        .split_once(' ')
        .ok_or(FORM)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token.trim_ascii())
    } else {
        Err(FORM)
    }
}

#[cfg(test)]
mod tests;
