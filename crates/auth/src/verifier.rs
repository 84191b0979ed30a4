//! Offline verification of access tokens (RFC 9068, section 4; RFC 8725).

mod cache;
mod error;
mod recent;

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use scribemed_rpc::metadata::X_SERVICE_AUTHORIZATION;

pub use self::cache::{CacheConfig, CachedKeys, KeySource};
pub use self::error::Error;
use self::recent::{Entry, Recent};
use crate::clock::Clock;
use crate::end_user::{EndUser, MAX_ACTORS};
use crate::jwt::{self, LEEWAY, Untimely};
use crate::keys::{Algorithm, Jwk};
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
        self.verify(bearer_token(headers)?).await
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
        let now = self.clock.now();
        let published = |key: &Jwk| self.keys.publishes(key, now);
        if let Some(known) = self.recent.get(id, now, published) {
            return Ok(known);
        }
        // Boxed because it is rare and large, and would make the future of every call as large.
        let entry = Box::pin(self.check(token)).await?;
        let principal = entry.principal.clone();
        self.recent.insert(id, entry, self.clock.now());
        Ok(principal)
    }

    /// Verifies a token of which nothing is known.
    async fn check(&self, token: &str) -> Result<Entry, Error> {
        let head = jwt::read_head(token, &[Algorithm::EdDsa])?;
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
        let period = jwt::period(
            claims.exp,
            [claims.nbf, claims.iat],
            now,
            self.config.leeway,
        )
        .map_err(|untimely| match untimely {
            Untimely::NoEnd => Error::Malformed("`exp` is required"),
            Untimely::Over => Error::Expired,
            Untimely::NotBegun => Error::NotYetValid,
        })?;
        let subject = claims
            .sub
            .filter(|sub| !sub.is_empty())
            .ok_or(Error::Malformed("`sub` is required"))?;
        let caller = match claims.act {
            None => Caller {
                service: subject,
                on_behalf_of: None,
                prior_actors: Vec::new(),
            },
            Some(act) => delegated(&act, &subject, claims.sub_id)?,
        };
        // A scope that is no permission of ours grants nothing.
        let scopes = claims.scope.unwrap_or_default();
        let permissions = scopes
            .split(' ')
            .filter_map(|scope| Permission::new(scope).ok())
            .collect();
        let principal = Principal::from_verified(Verified {
            service: caller.service,
            on_behalf_of: caller.on_behalf_of,
            prior_actors: caller.prior_actors,
            permissions,
            expires_at: period.expires_at,
            token_id: claims.jti,
        });
        Ok(Entry {
            principal,
            key,
            from: period.from,
            until: now
                .checked_add(self.config.remember_for)
                .map_or(period.until, |end| end.min(period.until)),
        })
    }
}

/// Who calls, and for whom.
struct Caller {
    service: String,
    on_behalf_of: Option<EndUser>,
    prior_actors: Vec<String>,
}

/// Reads a token with `act`: the outermost actor is the service that calls, those in it are history (RFC 8693, section
/// 4.1), and `sub_id` names the end user together with the issuer that knows them (RFC 9493, section 3.2.3).
fn delegated(
    act: &jwt::Actor,
    subject: &str,
    sub_id: Option<jwt::SubjectId>,
) -> Result<Caller, Error> {
    const USER: Error = Error::Malformed(
        "with `act` there must be a `sub_id` of format iss_sub that names the end user in `sub`",
    );
    let sub_id = sub_id
        .filter(|id| id.format == jwt::SubjectId::ISS_SUB && id.sub.as_deref() == Some(subject))
        .ok_or(USER)?;
    let user = EndUser::new(sub_id.iss.as_deref().unwrap_or_default(), subject).ok_or(USER)?;
    let mut actors = std::iter::successors(Some(act), |act| act.act.as_deref())
        .map(|act| act.sub.clone())
        .take(MAX_ACTORS + 1);
    let service = actors
        .next()
        .filter(|service| !service.is_empty())
        .ok_or(Error::Malformed(
            "`act.sub` must name the service that calls",
        ))?;
    let prior_actors: Vec<_> = actors.collect();
    if prior_actors.len() >= MAX_ACTORS {
        return Err(Error::Malformed("`act` names more than 8 services"));
    }
    Ok(Caller {
        service,
        on_behalf_of: Some(user),
        prior_actors,
    })
}

/// RFC 9068, section 4: the media type, with or without its `application/`.
fn is_access_token_type(typ: &str) -> bool {
    typ.eq_ignore_ascii_case(token::TYPE) || typ.eq_ignore_ascii_case("application/at+jwt")
}

/// The token in the headers of a request, not verified: one bearer token in `authorization` or `x-service-authorization`
/// (RFC 6750, section 2.1).
///
/// # Errors
/// [`Error::Missing`] without one, [`Error::Malformed`] for anything else than one.
pub fn bearer_token(headers: &HeaderMap) -> Result<&str, Error> {
    const FORM: Error = Error::Malformed(
        "`authorization` or `x-service-authorization` must be `Bearer` and the token, once",
    );
    // One of the two is there, seldom both; looking for a header costs more than looking at it.
    let (usual, ours) = (
        headers.get(AUTHORIZATION),
        headers.get(X_SERVICE_AUTHORIZATION),
    );
    let (value, name) = match (usual, ours) {
        (Some(value), None) => (value, AUTHORIZATION),
        (None, Some(value)) => (value, X_SERVICE_AUTHORIZATION),
        (None, None) => return Err(Error::Missing),
        (Some(_), Some(_)) => return Err(FORM),
    };
    let some_twice = headers.len() > headers.keys_len();
    if some_twice && headers.get_all(name).iter().nth(1).is_some() {
        return Err(FORM);
    }
    // Not `to_str`, which looks at each byte by itself.
    let (scheme, token) = std::str::from_utf8(value.as_bytes())
        .ok()
        .filter(|text| text.is_ascii())
        .and_then(|text| text.split_once(' '))
        .ok_or(FORM)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token.trim_ascii())
    } else {
        Err(FORM)
    }
}

#[cfg(test)]
mod tests;
