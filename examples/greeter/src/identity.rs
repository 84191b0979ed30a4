//! Keys and tokens without an auth service: the greeter signs the tokens that it accepts.

use std::sync::Arc;

use scribemed_auth::token::{Grant, Issued, Issuer};
use scribemed_auth::verifier::{CacheConfig, Config};
use scribemed_auth::{
    CachedKeys, Clock, KeySet, Permission, SigningKey, SystemClock, Verifier, keys,
};

/// The discovery name in the contract, hence the audience of tokens.
pub const NAME: &str = "greeter";
const ISSUER: &str = "greeter.example";

/// A key that was made for this process.
#[derive(Debug)]
pub struct Identity {
    key: SigningKey,
}

impl Identity {
    /// A new key.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn new() -> Result<Self, keys::Error> {
        let key = SigningKey::generate()?;
        Ok(Self { key })
    }

    /// Accepts the tokens of this identity.
    ///
    /// # Errors
    /// None: one key is a set.
    pub fn verifier(&self) -> Result<Verifier, keys::Error> {
        let keys = KeySet::new([self.key.public().clone()])?;
        let clock = Arc::new(SystemClock);
        let keys = CachedKeys::new(Arc::new(keys), CacheConfig::default(), clock.clone());
        Ok(Verifier::new(Config::new(ISSUER, NAME), keys, clock))
    }

    /// A token for `caller` that grants these permissions.
    ///
    /// # Errors
    /// The token cannot be signed.
    pub fn token(&self, caller: &str, permissions: &[Permission]) -> Result<Issued, keys::Error> {
        self.token_by(Arc::new(SystemClock), caller, permissions)
    }

    /// As [`Identity::token`], issued when `clock` says.
    ///
    /// # Errors
    /// The token cannot be signed.
    pub fn token_by(
        &self,
        clock: Arc<dyn Clock>,
        caller: &str,
        permissions: &[Permission],
    ) -> Result<Issued, keys::Error> {
        let grant = Grant {
            subject: caller,
            client_id: caller,
            audience: NAME,
            permissions,
        };
        Issuer::new(ISSUER, clock).issue(&self.key, &grant)
    }
}
