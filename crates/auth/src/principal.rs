//! Who is calling, and what they may do.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::SystemTime;

use crate::end_user::{EndUser, Subject};

/// A permission, named `verb:things`: `read:transcriptions`, `write:notes`.
///
/// The verb is made of `a-z`, the things of `a-z` and `-`; neither is empty; at most 64 bytes in all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission(Box<str>);

/// The longest permission, in bytes.
const MAX_PERMISSION: usize = 64;

impl Permission {
    /// Checks the name.
    ///
    /// # Errors
    /// [`InvalidPermission`] when it is not of the form `verb:things`.
    pub fn new(name: impl AsRef<str>) -> Result<Self, InvalidPermission> {
        let name = name.as_ref();
        let valid = name.len() <= MAX_PERMISSION
            && name.split_once(':').is_some_and(|(verb, things)| {
                !verb.is_empty()
                    && verb.bytes().all(|b| b.is_ascii_lowercase())
                    && !things.is_empty()
                    && things.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
            });
        if valid {
            Ok(Self(name.into()))
        } else {
            Err(InvalidPermission(
                name.chars().take(MAX_PERMISSION).collect(),
            ))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Permission {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Permission {
    type Err = InvalidPermission;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

/// A name that is not a permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a permission: write verb:things in lower case, as in read:transcriptions")]
pub struct InvalidPermission(String);

/// An authenticated service: what the verification of an access token yields.
///
/// There is no other way to get one, so code that holds a `Principal` holds an authenticated caller:
///
/// ```compile_fail
/// let forged = scribemed_auth::Principal::default();
/// ```
/// ```compile_fail
/// # fn steal<T>() -> T { unimplemented!() }
/// let forged = scribemed_auth::Principal { inner: steal() };
/// ```
///
/// A clone is a count of references.
#[derive(Debug, Clone)]
pub struct Principal {
    inner: Arc<Verified>,
}

/// What a verified token says. Only the verifier builds it.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) service: String,
    pub(crate) on_behalf_of: Option<EndUser>,
    pub(crate) prior_actors: Vec<String>,
    pub(crate) permissions: Vec<Permission>,
    pub(crate) expires_at: SystemTime,
    pub(crate) token_id: Option<String>,
}

impl Principal {
    pub(crate) fn from_verified(verified: Verified) -> Self {
        Self {
            inner: Arc::new(verified),
        }
    }

    /// Whether both come from one verification.
    #[cfg(test)]
    pub(crate) fn is_the_same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// The service that calls: the token's `sub`, or its `act.sub` where the service acts for an end user.
    pub fn service(&self) -> &str {
        &self.inner.service
    }

    /// The end user on whose behalf the service calls (RFC 8693, section 4.1); `None`: it acts for itself.
    ///
    /// The permissions are those of the service. What the user may see or do is for the handler to decide.
    pub fn on_behalf_of(&self) -> Option<&EndUser> {
        self.inner.on_behalf_of.as_ref()
    }

    /// The services that acted for the end user before this one, the latest first; empty where it acts for itself. History,
    /// for an audit log: they decide nothing.
    pub fn prior_actors(&self) -> &[String] {
        &self.inner.prior_actors
    }

    /// For whom a token may be issued to the service that this call was made to: for the same end user, with this caller
    /// among those who acted before. `None` where there is no end user.
    pub fn subject(&self) -> Option<Subject> {
        let user = self.inner.on_behalf_of.clone()?;
        let mut actors = vec![self.inner.service.clone()];
        actors.extend_from_slice(&self.inner.prior_actors);
        Some(Subject {
            user,
            actors,
            expires_at: self.inner.expires_at,
        })
    }

    /// What it may do: the permissions among the token's scopes, in the token's order.
    pub fn permissions(&self) -> &[Permission] {
        &self.inner.permissions
    }

    /// When the token ends. A stream that outlives it is no longer authenticated.
    pub fn expires_at(&self) -> SystemTime {
        self.inner.expires_at
    }

    /// The token's `jti`, for an audit log; it is no secret.
    pub fn token_id(&self) -> Option<&str> {
        self.inner.token_id.as_deref()
    }

    /// Whether it holds the permission.
    pub fn has(&self, permission: impl AsRef<str>) -> bool {
        let permission = permission.as_ref();
        self.inner
            .permissions
            .iter()
            .any(|held| held.as_str() == permission)
    }

    /// Those of the required permissions that it does not hold: empty means that the call is allowed.
    ///
    /// Nothing is allocated when nothing is missing.
    pub fn missing<'p, P: AsRef<str>>(&self, required: &'p [P]) -> Vec<&'p P> {
        required
            .iter()
            .filter(|permission| !self.has(permission))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn a_permission_is_a_verb_and_things_in_lower_case() {
        let long = format!("read:{}", "x".repeat(MAX_PERMISSION));
        let check = |name: &str, expect: bool| {
            assert_eq!(Permission::new(name).is_ok(), expect, "{name:?}");
        };
        check("read:transcriptions", true);
        check("write:clinical-notes", true);
        check("", false);
        check("read", false);
        check("read:", false);
        check(":notes", false);
        check("Read:notes", false);
        check("read-all:notes", false);
        check("read:notes:all", false);
        check("read:notes ", false);
        check("read:notes\n", false);
        check("lesen:überweisungen", false);
        check(&long, false);
    }

    #[test]
    fn a_principal_holds_exactly_what_its_token_names() {
        let permissions = ["read:notes", "write:notes"]
            .into_iter()
            .filter_map(|name| Permission::new(name).ok());
        let principal = Principal::from_verified(Verified {
            service: "documentation".into(),
            on_behalf_of: None,
            prior_actors: Vec::new(),
            permissions: permissions.collect(),
            expires_at: UNIX_EPOCH,
            token_id: None,
        });
        assert!(principal.has("read:notes"));
        assert!(!principal.has("read:note"));
        assert!(!principal.has("sign:notes"));
        assert!(principal.missing(&["write:notes", "read:notes"]).is_empty());
        assert_eq!(
            principal.missing(&["sign:notes", "read:notes"]),
            [&"sign:notes"]
        );
        assert!(principal.missing::<&str>(&[]).is_empty());
    }
}
