//! Where end users sign in, as an operator says it.

use std::sync::Arc;
use std::time::Duration;

use scribemed_auth::end_user::Issuer;
use scribemed_auth::verifier::CacheConfig;
use scribemed_auth::{Algorithm, CachedKeys, Clock, EndUsers};

use crate::jwks::{HttpsKeys, JwksUrl};
use crate::{Env, env};

const ISSUER: &str = "SCRIBEMED_END_USER_ISSUER";
const ISSUER_EXAMPLE: &str = "https://id.example.org";
const JWKS_URL: &str = "SCRIBEMED_END_USER_JWKS_URL";
const JWKS_URL_EXAMPLE: &str = "https://id.example.org/.well-known/jwks.json";
const AUDIENCE: &str = "SCRIBEMED_END_USER_AUDIENCE";
const AUDIENCE_EXAMPLE: &str = "scribemed";
const ALGORITHMS: &str = "SCRIBEMED_END_USER_ALGORITHMS";
const ALGORITHMS_EXAMPLE: &str = "ES256,RS256";

/// The longest name of an issuer or an audience, in bytes.
const MAX_NAME: usize = 255;

/// How long keys of the issuer are used while its URL fails. Shorter than for our own auth service: nobody here can withdraw
/// a key in a hurry.
const MAX_STALE: Duration = Duration::from_hours(1);

/// The issuer of end users' tokens: an OpenID provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndUserSettings {
    /// The `iss` that their tokens must have, letter by letter.
    pub issuer: String,
    /// Where the issuer publishes its keys.
    pub jwks_url: JwksUrl,
    /// The `aud` that their tokens must have, or have among others.
    pub audience: String,
    /// What the issuer signs with; anything else is refused. At least one.
    pub algorithms: Vec<Algorithm>,
}

impl EndUserSettings {
    /// Reads the environment. `None`: no end users' tokens are accepted.
    ///
    /// | variable | what it is | default |
    /// |---|---|---|
    /// | `SCRIBEMED_END_USER_ISSUER` | the OpenID provider where end users sign in: the `iss` of their tokens, letter by letter | none; with the next two or not at all |
    /// | `SCRIBEMED_END_USER_JWKS_URL` | where it publishes its keys, https (http on this machine only): `jwks_uri` in its `/.well-known/openid-configuration` | required with the issuer |
    /// | `SCRIBEMED_END_USER_AUDIENCE` | the `aud` that their tokens must have: what this platform is called at the provider | required with the issuer |
    /// | `SCRIBEMED_END_USER_ALGORITHMS` | what it signs with: some of `EdDSA`, `ES256`, `RS256`, separated by commas | `ES256,RS256` |
    ///
    /// # Errors
    /// A variable that is malformed, or not set while another one is; the error shows a good value.
    pub fn from_env(env: &Env) -> Result<Option<Self>, env::Error> {
        let all = [ISSUER, JWKS_URL, AUDIENCE, ALGORITHMS];
        if all.iter().all(|name| env.get(name).is_none()) {
            return Ok(None);
        }
        env.require(ISSUER, ISSUER_EXAMPLE)?;
        env.require(JWKS_URL, JWKS_URL_EXAMPLE)?;
        env.require(AUDIENCE, AUDIENCE_EXAMPLE)?;
        let name = |variable, example| {
            let value = env.require(variable, example)?;
            let printable = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
            if !printable || value.len() > MAX_NAME || value.trim() != value {
                let reason =
                    "it must have at most 255 printable ASCII characters, and no space at its ends";
                return Err(env.malformed(variable, reason, example));
            }
            Ok(value.to_owned())
        };
        let url = env.require(JWKS_URL, JWKS_URL_EXAMPLE)?;
        Ok(Some(Self {
            issuer: name(ISSUER, ISSUER_EXAMPLE)?,
            jwks_url: url
                .parse()
                .map_err(|error| env.malformed(JWKS_URL, error, JWKS_URL_EXAMPLE))?,
            audience: name(AUDIENCE, AUDIENCE_EXAMPLE)?,
            algorithms: algorithms(env)?,
        }))
    }

    /// Verifies the tokens of this issuer. Nothing is fetched yet.
    ///
    /// # Errors
    /// As for [`HttpsKeys::new`].
    pub fn end_users(&self, clock: Arc<dyn Clock>) -> Result<EndUsers, reqwest::Error> {
        let config = CacheConfig {
            max_stale: MAX_STALE,
            ..CacheConfig::default()
        };
        let source = Arc::new(HttpsKeys::new(self.jwks_url.clone())?);
        let keys = CachedKeys::new(source, config, Arc::clone(&clock));
        let algorithms = self.algorithms.iter().copied();
        let issuer = Issuer::new(
            self.issuer.as_str(),
            self.audience.as_str(),
            algorithms,
            keys,
        );
        Ok(EndUsers::new([issuer], clock))
    }
}

fn algorithms(env: &Env) -> Result<Vec<Algorithm>, env::Error> {
    env.get(ALGORITHMS)
        .unwrap_or(ALGORITHMS_EXAMPLE)
        .split(',')
        .map(|name| {
            name.trim()
                .parse()
                .map_err(|error| env.malformed(ALGORITHMS, error, ALGORITHMS_EXAMPLE))
        })
        .collect()
}

#[cfg(test)]
mod tests;
