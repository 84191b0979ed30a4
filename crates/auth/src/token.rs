//! Access tokens: JWTs in the profile of RFC 9068.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use uuid::Uuid;

use crate::clock::Clock;
use crate::credentials::Secret;
use crate::end_user::Subject;
use crate::jwt::{self, Actor, SubjectId};
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
    /// The service that calls: `sub`, or `act.sub` where it acts for an end user.
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
        self.sign(key, grant, None)
    }

    /// Makes a token with which the service `grant.subject` acts for an end user (RFC 8693, section 4.1): `sub` is the user,
    /// `act` the service and in it those that acted before, `sub_id` the user with the issuer that knows them (RFC 9493).
    /// The permissions are those of the service. The token ends with what `subject` was learned from, if that is sooner.
    ///
    /// # Errors
    /// [`Error::Crypto`] when signing fails.
    pub fn issue_on_behalf(
        &self,
        key: &SigningKey,
        grant: &Grant<'_>,
        subject: &Subject,
    ) -> Result<Issued, Error> {
        self.sign(key, grant, Some(subject))
    }

    fn sign(
        &self,
        key: &SigningKey,
        grant: &Grant<'_>,
        on_behalf_of: Option<&Subject>,
    ) -> Result<Issued, Error> {
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
            #[serde(skip_serializing_if = "Option::is_none")]
            act: Option<Actor>,
            #[serde(skip_serializing_if = "Option::is_none")]
            sub_id: Option<SubjectId>,
        }
        let scope: Vec<_> = grant.permissions.iter().map(Permission::as_str).collect();
        let jti = Uuid::new_v4();
        let iat = jwt::unix_seconds(self.clock.now());
        let mut exp = iat + self.lifetime.as_secs();
        if let Some(subject) = on_behalf_of {
            exp = exp.min(jwt::unix_seconds(subject.expires_at()));
        }
        let claims = Wire {
            iss: &self.name,
            aud: grant.audience,
            sub: on_behalf_of.map_or(grant.subject, |subject| subject.user().subject()),
            client_id: grant.client_id,
            scope: scope.join(" "),
            jti: jti.to_string(),
            iat,
            exp,
            act: on_behalf_of.map(|subject| actor(grant.subject, subject.actors())),
            sub_id: on_behalf_of.map(|subject| SubjectId {
                format: SubjectId::ISS_SUB.to_owned(),
                iss: Some(subject.user().issuer().to_owned()),
                sub: Some(subject.user().subject().to_owned()),
            }),
        };
        let secret = jwt::sign(key, TYPE, &claims)?;
        Ok(Issued {
            secret,
            expires_at: UNIX_EPOCH + Duration::from_secs(exp),
            lifetime: Duration::from_secs(exp.saturating_sub(iat)),
            jti,
        })
    }
}

/// The service that acts now is outermost; what is within it is history.
fn actor(service: &str, prior: &[String]) -> Actor {
    Actor {
        sub: service.to_owned(),
        act: prior
            .split_first()
            .map(|(latest, before)| Box::new(actor(latest, before))),
    }
}
