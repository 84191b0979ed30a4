//! A JSON Web Key Set (RFC 7517, section 5).

use std::time::Duration;

use serde::Deserialize;

use super::{Jwk, Wire};
use crate::keys::Error;

/// The most keys in one set.
pub const MAX_KEYS: usize = 64;

/// A key set's largest JSON form, in bytes.
pub const MAX_SET_BYTES: usize = 64 * 1024;

/// Public keys by name, as published in a JSON Web Key Set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeySet {
    keys: Vec<Jwk>,
    max_age: Option<Duration>,
}

impl KeySet {
    /// A set of these keys; a key that is given twice counts once.
    ///
    /// # Errors
    /// [`Error::NotAKeySet`] for more than [`MAX_KEYS`] keys, or two different keys under one name.
    pub fn new(keys: impl IntoIterator<Item = Jwk>) -> Result<Self, Error> {
        let mut set = Self::default();
        for key in keys {
            match set.get(key.kid()) {
                Some(known) if *known == key => {}
                Some(_) => return Err(Error::NotAKeySet("two different keys have the same `kid`")),
                None if set.keys.len() == MAX_KEYS => {
                    return Err(Error::NotAKeySet("it has more than 64 keys"));
                }
                None => set.keys.push(key),
            }
        }
        Ok(set)
    }

    /// Reads a JWK Set. Keys that are not for signatures with an [`Algorithm`](crate::keys::Algorithm) of ours are skipped,
    /// as RFC 7517, section 5 wants it.
    ///
    /// # Errors
    /// [`Error::NotAKeySet`] when it is not JSON with `keys`, larger than [`MAX_SET_BYTES`], or as for [`new`](Self::new).
    pub fn from_json(text: &str) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct WireSet {
            keys: Vec<serde_json::Value>,
        }
        if text.len() > MAX_SET_BYTES {
            return Err(Error::NotAKeySet("it is larger than 64 KiB"));
        }
        let set: WireSet = serde_json::from_str(text)
            .map_err(|_| Error::NotAKeySet("it is not a JSON object with `keys`"))?;
        let usable = set
            .keys
            .into_iter()
            .filter_map(|key| serde_json::from_value::<Wire>(key).ok()?.into_jwk().ok());
        Self::new(usable)
    }

    /// Says how long the publisher wants the set to be used before it is asked again. Default: nothing is said.
    #[must_use]
    pub fn with_max_age(mut self, max_age: Option<Duration>) -> Self {
        self.max_age = max_age;
        self
    }

    /// How long the publisher wants the set to be used before it is asked again, if it said so.
    pub fn max_age(&self) -> Option<Duration> {
        self.max_age
    }

    /// The JSON form.
    pub fn to_json(&self) -> String {
        let keys: Vec<_> = self.keys.iter().map(Jwk::to_value).collect();
        serde_json::json!({ "keys": keys }).to_string()
    }

    /// The key of this name.
    pub fn get(&self, kid: &str) -> Option<&Jwk> {
        self.keys.iter().find(|key| key.kid() == kid)
    }

    /// All keys, in the order in which they were given.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Jwk> {
        self.keys.iter()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no key at all.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}
