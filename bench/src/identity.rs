//! Who calls, and who believes it: one key in a file that servers and drivers read.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use scribemed_auth::token::{Grant, Issuer};
use scribemed_auth::verifier::{CacheConfig, Config};
use scribemed_auth::{
    BoxError, BoxFuture, CachedKeys, KeySet, Permission, SigningKey, SystemClock, Token,
    TokenCache, TokenSource, Verifier,
};

/// The discovery name in the contract, hence the audience of tokens.
pub(crate) const NAME: &str = "bench";
const ISSUER: &str = "bench.example";
const CALLER: &str = "driver";
const PERMISSION: &str = "run:benches";
/// Longer than any run, so that no round pays for a renewal that another one does not.
const LIFETIME: Duration = Duration::from_secs(3600);

/// A key that signs the tokens of drivers, and by which servers verify them.
pub(crate) struct Identity {
    key: SigningKey,
    permissions: Vec<Permission>,
}

impl Identity {
    /// Makes a new key in this file.
    pub(crate) fn create(path: &Path) -> Result<()> {
        SigningKey::generate()?.save(path)?;
        Ok(())
    }

    /// The one whose key is in this file.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let key = SigningKey::load(path).context("reading the key that the run made")?;
        let permissions = vec![Permission::new(PERMISSION)?];
        Ok(Self { key, permissions })
    }

    /// Accepts the tokens of this identity.
    pub(crate) fn verifier(&self) -> Result<Verifier> {
        let keys = KeySet::new([self.key.public().clone()])?;
        let clock = Arc::new(SystemClock);
        let keys = CachedKeys::new(Arc::new(keys), CacheConfig::default(), clock.clone());
        Ok(Verifier::new(Config::new(ISSUER, NAME), keys, clock))
    }

    /// A new token.
    pub(crate) fn token(&self) -> Result<Token> {
        let grant = Grant {
            subject: CALLER,
            client_id: CALLER,
            audience: NAME,
            permissions: &self.permissions,
        };
        let issued = Issuer::new(ISSUER, Arc::new(SystemClock))
            .with_lifetime(LIFETIME)
            .issue(&self.key, &grant)?;
        Ok(Token::new(issued.secret, issued.expires_at)?)
    }

    /// A cache over this identity, as a service has one over the auth service.
    pub(crate) fn tokens(self) -> TokenCache {
        TokenCache::new(Arc::new(Signing(self)), NAME, Arc::new(SystemClock))
    }
}

struct Signing(Identity);

impl TokenSource for Signing {
    fn fetch<'a>(&'a self, _audience: &'a str) -> BoxFuture<'a, Result<Token, BoxError>> {
        Box::pin(async { self.0.token().map_err(Into::into) })
    }
}
