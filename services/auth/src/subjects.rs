//! For whom a client wants to act: the subject token of an exchange (RFC 8693, section 2.1).

use std::sync::Arc;
use std::time::Duration;

use scribemed_auth::Clock;
use scribemed_auth::end_user::{self, EndUsers, MAX_ACTORS, Subject};
use scribemed_auth::verifier::{self, CachedKeys, Verifier};
use scribemed_rpc::SubjectTokenKind;

use crate::error::Error;

/// A subject token as it was sent.
pub(crate) struct Presented<'a> {
    kind: SubjectTokenKind,
    token: &'a str,
}

impl<'a> Presented<'a> {
    /// Reads the two fields of a request; `None` when both are empty. The contract allows no other type.
    pub(crate) fn read(token: &'a str, kind: &str) -> Result<Option<Self>, Error> {
        let kinds = [SubjectTokenKind::AccessToken, SubjectTokenKind::Jwt];
        match kinds.into_iter().find(|known| known.urn() == kind) {
            Some(kind) if !token.is_empty() => Ok(Some(Self { kind, token })),
            None if token.is_empty() => Ok(None),
            _ => Err(Error::SubjectIncomplete),
        }
    }
}

/// Verifies subject tokens.
pub(crate) struct Subjects {
    end_users: Option<EndUsers>,
    issuer: String,
    own_keys: CachedKeys,
    clock: Arc<dyn Clock>,
}

impl Subjects {
    /// `issuer` and `own_keys` are this service's own.
    pub(crate) fn new(
        end_users: Option<EndUsers>,
        issuer: &str,
        own_keys: CachedKeys,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            end_users,
            issuer: issuer.to_owned(),
            own_keys,
            clock,
        }
    }

    /// For whom `client` may act with this token.
    pub(crate) async fn verify(
        &self,
        client: &str,
        presented: &Presented<'_>,
    ) -> Result<Subject, Error> {
        let subject = match presented.kind {
            SubjectTokenKind::Jwt => {
                let users = self.end_users.as_ref().ok_or(Error::NoEndUsers)?;
                users.verify(presented.token).await?
            }
            SubjectTokenKind::AccessToken => {
                let mut config = verifier::Config::new(self.issuer.as_str(), client);
                // One for each exchange: there is nothing to remember.
                config.max_remembered = 0;
                // Sent to the client by the service that acts for the user, and to nobody else.
                let verifier =
                    Verifier::new(config, self.own_keys.clone(), Arc::clone(&self.clock));
                let principal = verifier.verify(presented.token).await?;
                principal.subject().ok_or(Error::NoUser)?
            }
        };
        // The leeway is for clocks; what is issued ends with the token, and must be good for a moment.
        if subject.expires_at() < self.clock.now() + Duration::from_secs(1) {
            return Err(end_user::Error::Expired.into());
        }
        if subject.actors().len() >= MAX_ACTORS {
            return Err(Error::ChainTooLong);
        }
        Ok(subject)
    }
}
