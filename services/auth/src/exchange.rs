//! From an assertion to a token.

use std::sync::Arc;

use scribemed_auth::assertion::Assertion;
use scribemed_auth::token::{Grant, Issued, Issuer};
use scribemed_auth::{Clock, KeySet, Permission, SigningKey};

use crate::error::Error;
use crate::grants::{Client, GrantsFile};
use crate::store::Store;
use crate::subjects::{Presented, Subjects};
use crate::time::to_millis;

/// Issues tokens to the clients in the grants.
pub(crate) struct Exchange {
    store: Store,
    grants: GrantsFile,
    subjects: Subjects,
    issuer: Issuer,
    clock: Arc<dyn Clock>,
    /// Stands in for the keys of a client that does not exist, so that its assertion goes the way of one with a wrong key
    /// and nobody can find out which clients there are.
    decoy: KeySet,
}

/// A token and what it grants.
pub(crate) struct Exchanged {
    pub(crate) issued: Issued,
    pub(crate) permissions: Vec<Permission>,
}

impl Exchange {
    pub(crate) fn new(
        store: Store,
        grants: GrantsFile,
        subjects: Subjects,
        issuer: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, scribemed_auth::keys::Error> {
        let decoy = KeySet::new([SigningKey::generate()?.public().clone()])?;
        Ok(Self {
            store,
            grants,
            subjects,
            issuer: Issuer::new(issuer, Arc::clone(&clock)),
            clock,
            decoy,
        })
    }

    /// Exchanges an assertion for a token for `audience` with the permissions that are asked for; none: all granted ones.
    ///
    /// With a subject token the client acts for the end user whose it is, with the client's own permissions.
    ///
    /// The assertion is used up once it is authentic, whatever becomes of the rest.
    pub(crate) async fn exchange(
        &self,
        assertion: &str,
        audience: &str,
        requested: &[String],
        presented: Option<Presented<'_>>,
    ) -> Result<Exchanged, Error> {
        let now = self.clock.now();
        let assertion = Assertion::parse(assertion)?;
        let grants = self.grants.current(now).await;
        let client = grants.get(assertion.client());
        let keys = client.map_or(&self.decoy, |client| &client.keys);
        // What it claims to be, as text of a stranger.
        let claimed = format!("{:?}", assertion.client());
        let claims = assertion
            .verify(keys, self.issuer.name(), now)
            .inspect_err(|error| {
                tracing::info!(
                    client = claimed,
                    known = client.is_some(),
                    reason = error.reason(),
                    "an assertion was refused"
                );
            })?;
        let key = self.store.take(&claims, to_millis(now)).await?;
        let key = key.ok_or(Error::Replayed)?;
        let permissions = permitted(claims.client(), client, requested)?;
        let grant = Grant {
            subject: claims.client(),
            client_id: claims.client(),
            audience,
            permissions: &permissions,
        };
        let issued = match &presented {
            None => self.issuer.issue(&key, &grant),
            Some(presented) => {
                let subject = self.subjects.verify(claims.client(), presented).await?;
                self.issuer.issue_on_behalf(&key, &grant, &subject)
            }
        }
        .map_err(Error::Signing)?;
        tracing::info!(
            client = claims.client(),
            audience,
            jti = %issued.jti,
            on_behalf_of_a_user = presented.is_some(),
            "a token was issued"
        );
        Ok(Exchanged {
            issued,
            permissions,
        })
    }
}

/// The permissions to put into the token, in the order of their names.
fn permitted(
    name: &str,
    client: Option<&Client>,
    requested: &[String],
) -> Result<Vec<Permission>, Error> {
    let granted = client.map(|client| &client.permissions);
    let granted = granted.into_iter().flatten();
    if requested.is_empty() {
        return Ok(granted.cloned().collect());
    }
    let missing: Vec<&str> = requested
        .iter()
        .map(String::as_str)
        .filter(|name| !granted.clone().any(|held| held.as_str() == *name))
        .collect();
    if !missing.is_empty() {
        return Err(Error::NotGranted {
            client: name.to_owned(),
            missing: missing.join(" "),
        });
    }
    Ok(granted
        .filter(|held| requested.iter().any(|name| held.as_str() == name))
        .cloned()
        .collect())
}
