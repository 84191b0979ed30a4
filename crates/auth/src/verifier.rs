//! Offline verification of access tokens (RFC 9068, section 4; RFC 8725).

mod cache;
mod error;
mod recent;

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use http::HeaderMap;
use http::header::AUTHORIZATION;
use scribemed_rpc::metadata::X_SERVICE_AUTHORIZATION;

pub use self::cache::{CacheConfig, CachedKeys, KeySource};
pub use self::error::Error;
use self::recent::{Entry, Recent};
use crate::clock::Clock;
use crate::jwt::{self, LEEWAY};
use crate::keys::Jwk;
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
    /// How many verified tokens are remembered, so that their signatures are not checked again; 0: none. 10,000 by default,
    /// about 5 MB.
    pub max_remembered: usize,
    /// How long one is remembered at most; never longer than it is good. 5 min by default.
    pub remember_for: Duration,
}

impl Config {
    /// Accepts tokens of this issuer for this audience.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            leeway: LEEWAY,
            max_remembered: 10_000,
            remember_for: Duration::from_mins(5),
        }
    }
}

/// Turns an access token into a [`Principal`], without asking the auth service about each.
///
/// A token that was verified is remembered for a few minutes, so that its signature is checked once and not for each call.
/// What is remembered holds while the token is good by the clock, and while the key that signed it is published: a key that
/// is withdrawn takes its tokens with it. Refusals are not remembered. Clones share what they know.
#[derive(Clone)]
pub struct Verifier {
    config: Arc<Config>,
    recent: Arc<Recent>,
    keys: CachedKeys,
    clock: Arc<dyn Clock>,
}

impl Verifier {
    /// Verifies with these keys.
    pub fn new(config: Config, keys: CachedKeys, clock: Arc<dyn Clock>) -> Self {
        Self {
            recent: Arc::new(Recent::new(config.max_remembered)),
            config: Arc::new(config),
            keys,
            clock,
        }
    }

    /// Verifies the bearer token of a request (RFC 6750, section 2.1).
    ///
    /// # Errors
    /// [`Error::Missing`] without `authorization` and without `x-service-authorization`, [`Error::Malformed`] when it is not one bearer token; otherwise as
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
        if token.len() > jwt::MAX_TOKEN_BYTES {
            return Err(Error::Malformed("it is larger than 8 KiB"));
        }
        let id = self.recent.id(token);
        if let Some(known) = self.recent.get(id, self.clock.now())
            && self.keys.publishes(&known.key)
        {
            return Ok(known.principal.clone());
        }
        let entry = self.check(token).await?;
        let principal = entry.principal.clone();
        self.recent.insert(id, entry, self.clock.now());
        Ok(principal)
    }

    /// Verifies a token of which nothing is known.
    async fn check(&self, token: &str) -> Result<Entry, Error> {
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
        self.judge(claims, key)
    }

    /// Judges authentic claims.
    fn judge(&self, claims: jwt::Claims, key: Jwk) -> Result<Entry, Error> {
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
        // Token times are bounded (year 9999), a configured leeway is not.
        let until = expires_at.checked_add(leeway).unwrap_or(expires_at);
        if now >= until {
            return Err(Error::Expired);
        }
        let begin = [claims.nbf, claims.iat]
            .into_iter()
            .flatten()
            .map(jwt::NumericDate::time)
            .max();
        // Without either time it is good at any time before its end, whatever a clock shows.
        let from = begin.map_or(UNIX_EPOCH, |begin| {
            begin.checked_sub(leeway).unwrap_or(UNIX_EPOCH)
        });
        if begin.is_some() && now < from {
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
        let principal = Principal::from_verified(Verified {
            service,
            permissions,
            expires_at,
            token_id: claims.jti,
        });
        Ok(Entry {
            principal,
            key,
            from,
            until: now
                .checked_add(self.config.remember_for)
                .map_or(until, |end| end.min(until)),
        })
    }
}

/// RFC 9068, section 4: the media type, with or without its `application/`.
fn is_access_token_type(typ: &str) -> bool {
    typ.eq_ignore_ascii_case(token::TYPE) || typ.eq_ignore_ascii_case("application/at+jwt")
}

fn bearer(headers: &HeaderMap) -> Result<&str, Error> {
    const FORM: Error = Error::Malformed("`authorization` or `x-service-authorization` must be `Bearer` and the token, once");
    let mut values = headers
        .get_all(AUTHORIZATION)
        .iter()
        .chain(headers.get_all(X_SERVICE_AUTHORIZATION));
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
