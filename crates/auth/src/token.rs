//! Access tokens: JWTs in the profile of RFC 9068.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use uuid::Uuid;

use crate::clock::Clock;
use crate::credentials::Secret;
use crate::jwt;
use crate::keys::{Error, SigningKey};
use crate::principal::Permission;

/// The header `typ` of an access token (RFC 9068, section 2.1).
pub const TYPE: &str = "at+jwt";

/// How long a token is good for unless said otherwise.
pub const DEFAULT_LIFETIME: Duration = Duration::from_mins(5);

/// Makes access tokens in the name of one issuer.
#[derive(Clone)]
pub struct Issuer {
    name: String,
    lifetime: Duration,
    clock: Arc<dyn Clock>,
}

/// Who gets a token, for whom, to do what.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'a> {
    /// `sub`: the service that calls.
    pub subject: &'a str,
    /// `client_id`: the client that asked for the token; the same as `subject` where a service acts for itself.
    pub client_id: &'a str,
    /// `aud`: the one service that shall accept the token.
    pub audience: &'a str,
    /// `scope`.
    pub permissions: &'a [Permission],
}

/// A new token.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The token itself.
    pub secret: Secret,
    /// When it ends.
    pub expires_at: SystemTime,
    /// How long that is from now, in whole seconds: OAuth's `expires_in`.
    pub lifetime: Duration,
    /// Its identifier, for an audit log.
    pub jti: Uuid,
}

impl Issuer {
    /// An issuer whose tokens are good for [`DEFAULT_LIFETIME`].
    pub fn new(issuer: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self {
            name: issuer.into(),
            lifetime: DEFAULT_LIFETIME,
            clock,
        }
    }

    /// Sets how long tokens are good for; kept between 1 s and 1 h, since a token cannot be taken back.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime.clamp(Duration::from_secs(1), Duration::from_hours(1));
        self
    }

    /// The name that stands in `iss`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes a token, signed with `key`, which the key set must publish already.
    ///
    /// # Errors
    /// [`Error::Crypto`] when signing fails.
    pub fn issue(&self, key: &SigningKey, grant: &Grant<'_>) -> Result<Issued, Error> {
        #[derive(Serialize)]
        struct Wire<'a> {
            iss: &'a str,
            aud: &'a str,
            sub: &'a str,
            client_id: &'a str,
            scope: String,
            jti: String,
            iat: u64,
            exp: u64,
        }
        let scope: Vec<_> = grant.permissions.iter().map(Permission::as_str).collect();
        let jti = Uuid::new_v4();
        let iat = jwt::unix_seconds(self.clock.now());
        let lifetime = self.lifetime.as_secs();
        let claims = Wire {
            iss: &self.name,
            aud: grant.audience,
            sub: grant.subject,
            client_id: grant.client_id,
            scope: scope.join(" "),
            jti: jti.to_string(),
            iat,
            exp: iat + lifetime,
        };
        let secret = jwt::sign(key, TYPE, &claims)?;
        let expires_at = UNIX_EPOCH + Duration::from_secs(iat + lifetime);
        Ok(Issued {
            secret,
            expires_at,
            lifetime: Duration::from_secs(lifetime),
            jti,
        })
    }
}
