//! Who calls: one key signs all tokens of a simulation, as an auth service would.

use std::sync::Arc;
use std::time::Duration;

use scribemed_auth::token::{Grant, Issuer};
use scribemed_auth::verifier::{CacheConfig, Config};
use scribemed_auth::{
    BoxError, BoxFuture, CachedKeys, KeySet, Permission, SigningKey, Token, TokenCache,
    TokenSource, Verifier,
};

use crate::clock::SimulatedClock;

/// The discovery name in the contract, hence the audience of tokens.
pub(crate) const NAME: &str = "simulated";
const ISSUER: &str = "simulation.example";
const CALLER: &str = "caller";
/// As in the contract.
const PERMISSION: &str = "run:simulations";
/// Short, so that tokens are renewed in a run. Longer than clocks are apart, or a token is over before it is there.
const LIFETIME: Duration = Duration::from_secs(80);

/// The key of a simulation. Clones are the same identity.
#[derive(Clone)]
pub(crate) struct Identity {
    inner: Arc<Inner>,
}

struct Inner {
    key: SigningKey,
    keys: KeySet,
    permissions: Vec<Permission>,
    /// The issuer's clock is the one that is right.
    issuer: Issuer,
}

impl Identity {
    pub(crate) fn new() -> turmoil::Result<Self> {
        let key = SigningKey::generate()?;
        let issuer = Issuer::new(ISSUER, Arc::new(SimulatedClock::default()));
        Ok(Self {
            inner: Arc::new(Inner {
                keys: KeySet::new([key.public().clone()])?,
                key,
                permissions: vec![Permission::new(PERMISSION)?],
                issuer: issuer.with_lifetime(LIFETIME),
            }),
        })
    }

    /// Accepts its tokens by this clock.
    pub(crate) fn verifier(&self, clock: SimulatedClock) -> Verifier {
        let clock = Arc::new(clock);
        let source = Arc::new(self.inner.keys.clone());
        let keys = CachedKeys::new(source, CacheConfig::default(), clock.clone());
        Verifier::new(Config::new(ISSUER, NAME), keys, clock)
    }

    /// Hands out its tokens, and renews them by this clock.
    pub(crate) fn tokens(&self, clock: SimulatedClock) -> TokenCache {
        TokenCache::new(Arc::new(self.clone()), NAME, Arc::new(clock))
    }

    fn token(&self) -> Result<Token, BoxError> {
        let grant = Grant {
            subject: CALLER,
            client_id: CALLER,
            audience: NAME,
            permissions: &self.inner.permissions,
        };
        let issued = self.inner.issuer.issue(&self.inner.key, &grant)?;
        Ok(Token::new(issued.secret, issued.expires_at)?)
    }
}

impl TokenSource for Identity {
    fn fetch<'a>(&'a self, _audience: &'a str) -> BoxFuture<'a, Result<Token, BoxError>> {
        Box::pin(async { self.token() })
    }
}
