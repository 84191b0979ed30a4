//! What a service is given.

use std::sync::Arc;

use scribemed_auth::verifier::{CacheConfig, Config};
use scribemed_auth::{
    CachedKeys, KeySource, SigningKey, SystemClock, TokenCache, TokenSource, Verifier,
};
use scribemed_client::Channel;
use scribemed_discovery::{RegistryError, ServiceRegistry};
use scribemed_rpc::ClientContract;
use scribemed_server::Builder;
use tokio_util::sync::CancellationToken;

use crate::identity::{AuthServiceKeys, AuthServiceTokens};

/// Who issues access tokens, unless configured otherwise.
pub const DEFAULT_ISSUER: &str = "auth.scribemed";

/// What a [`Platform`] is made of.
#[derive(Clone)]
pub struct Settings {
    /// The discovery name of the service: its own name as a caller, and the audience of the tokens that it accepts.
    pub name: String,
    /// Where the other services are.
    pub registry: ServiceRegistry,
    /// Who issues the tokens that it accepts.
    pub issuer: String,
    /// Where the tokens for its own calls come from. `None`: it calls public methods only.
    pub tokens: Option<Arc<dyn TokenSource>>,
    /// The keys that verify its callers' tokens.
    pub keys: Arc<dyn KeySource>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("name", &self.name)
            .field("registry", &self.registry)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// Why a client cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not known where the service is.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// What a service is given: clients of other services, a server, and the word when to stop. Cheap to clone.
#[derive(Clone)]
pub struct Platform {
    settings: Arc<Settings>,
    verifier: Verifier,
    shutdown: CancellationToken,
}

impl std::fmt::Debug for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.settings.fmt(f)
    }
}

impl Settings {
    /// Those of a service that gets its tokens and keys from the auth service in `registry`. `key` is its own private key;
    /// the auth service knows the public half.
    ///
    /// # Errors
    /// The registry does not know where the auth service is.
    pub fn with_auth_service(
        name: impl Into<String>,
        registry: ServiceRegistry,
        issuer: impl Into<String>,
        key: SigningKey,
    ) -> Result<Self, Error> {
        let (name, issuer) = (name.into(), issuer.into());
        // Both methods are public, so this channel needs no token, and none is needed to get one.
        let auth = connect::<
            scribemed_proto::auth::v1::auth_service_client::AuthServiceClient<Channel>,
        >(&registry, None)?;
        Ok(Self {
            tokens: Some(Arc::new(AuthServiceTokens::new(
                auth.clone(),
                key,
                name.clone(),
                issuer.clone(),
            ))),
            keys: Arc::new(AuthServiceKeys::new(auth)),
            name,
            registry,
            issuer,
        })
    }
}

impl Platform {
    /// A platform. `shutdown` is cancelled when the process should drain and end.
    pub fn new(settings: Settings, shutdown: CancellationToken) -> Self {
        let keys = CachedKeys::new(
            Arc::clone(&settings.keys),
            CacheConfig::default(),
            Arc::new(SystemClock),
        );
        let config = Config::new(settings.issuer.clone(), settings.name.clone());
        let verifier = Verifier::new(config, keys, Arc::new(SystemClock));
        Self {
            settings: Arc::new(settings),
            verifier,
            shutdown,
        }
    }

    /// The discovery name of the service.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// Who issues the tokens that the service accepts.
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// A client of another service: found by the discovery name in its contract, with the service's own tokens.
    ///
    /// # Errors
    /// The registry does not know where the service is: the error names the variable. Ask for clients at start-up.
    pub fn client<T: ClientContract<Channel>>(&self) -> Result<T, Error> {
        connect(&self.settings.registry, self.settings.tokens.clone())
    }

    /// A server for this service: callers are verified, health and reflection come with it.
    pub fn server(&self) -> Builder {
        Builder::new(self.name(), self.verifier.clone())
    }

    /// Cancelled when the process should drain and end.
    pub fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }
}

fn connect<T: ClientContract<Channel>>(
    registry: &ServiceRegistry,
    tokens: Option<Arc<dyn TokenSource>>,
) -> Result<T, Error> {
    let audience = T::POLICY.discovery_name;
    let target = registry.target(audience)?;
    let tokens = tokens.map(|source| TokenCache::new(source, audience, Arc::new(SystemClock)));
    Ok(T::over(Channel::new(&target, &[T::POLICY], tokens)))
}
