//! The service as a whole.

use std::sync::Arc;

use scribemed_auth::verifier::CacheConfig;
use scribemed_auth::{BoxError, BoxFuture, CachedKeys, Clock, KeySet, KeySource, SystemClock};
use scribemed_discovery::ServiceRegistry;
use scribemed_proto::auth::v1::AUTH_SERVICE_POLICY;
use scribemed_proto::auth::v1::auth_service_server::AuthServiceServer;
use scribemed_service::{
    ClientSettings, DataFolder, Platform, ServerSettings, Settings, data, env,
};
use tokio::net::TcpListener;

use crate::config::Config;
use crate::exchange::Exchange;
use crate::grants::{self, GrantsFile};
use crate::health::StoreHealth;
use crate::store::{self, Store};
use crate::subjects::Subjects;
use crate::time::to_millis;
use crate::v1::V1;

/// Why the service did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A variable is not right.
    #[error(transparent)]
    Config(#[from] env::Error),
    /// The grants file is not right.
    #[error(transparent)]
    Grants(#[from] grants::Error),
    /// The data folder cannot be had.
    #[error(transparent)]
    Data(#[from] data::Error),
    /// The store cannot be used.
    #[error("the store of the auth service cannot be used")]
    Store(#[from] store::Error),
    /// The cryptographic library failed.
    #[error(transparent)]
    Keys(#[from] scribemed_auth::keys::Error),
    /// The keys of the issuer of end users cannot be fetched over TLS.
    #[error("TLS cannot be set up for SCRIBEMED_END_USER_JWKS_URL")]
    EndUsers(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server failed.
    #[error(transparent)]
    Server(#[from] scribemed_server::Error),
}

/// The auth service, opened and not yet serving.
pub struct AuthService {
    issuer: String,
    store: Store,
    exchange: Exchange,
    clock: Arc<dyn Clock>,
    /// Taken for as long as the store is open.
    _folder: DataFolder,
}

impl std::fmt::Debug for AuthService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthService")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl AuthService {
    /// Opens the store, makes the first signing key if there is none, and reads the grants.
    ///
    /// # Errors
    /// The grants file is not right, or the store cannot be written.
    pub async fn open(config: Config) -> Result<Self, Error> {
        Self::open_with_clock(config, Arc::new(SystemClock)).await
    }

    /// As [`open`](Self::open), with another clock than the machine's: for tests and simulations.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub async fn open_with_clock(config: Config, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let now = clock.now();
        let grants = GrantsFile::open(config.grants, now).await?;
        let folder = DataFolder::take(&config.data, AUTH_SERVICE_POLICY.discovery_name)?;
        let store = Store::open(&folder.path().join("auth.db"), to_millis(now)).await?;
        let end_users = config
            .end_users
            .map(|settings| settings.end_users(Arc::clone(&clock)))
            .transpose()
            .map_err(|error| Error::EndUsers(error.into()))?;
        let own_keys = CachedKeys::new(
            Arc::new(LocalKeys {
                store: store.clone(),
                clock: Arc::clone(&clock),
            }),
            CacheConfig::default(),
            Arc::clone(&clock),
        );
        let subjects = Subjects::new(end_users, &config.issuer, own_keys, Arc::clone(&clock));
        let exchange = Exchange::new(
            store.clone(),
            grants,
            subjects,
            &config.issuer,
            Arc::clone(&clock),
        )?;
        Ok(Self {
            issuer: config.issuer,
            store,
            exchange,
            clock,
            _folder: folder,
        })
    }

    /// The keys that verify the tokens of this service, straight from its store.
    pub fn keys(&self) -> Arc<dyn KeySource> {
        Arc::new(LocalKeys {
            store: self.store.clone(),
            clock: Arc::clone(&self.clock),
        })
    }

    /// The settings of the platform to [`run`](Self::run) on: callers are verified with the service's own keys, and it
    /// calls nobody.
    pub fn settings(&self) -> Settings {
        Settings {
            name: AUTH_SERVICE_POLICY.discovery_name.to_owned(),
            registry: ServiceRegistry::default(),
            issuer: self.issuer.clone(),
            tokens: None,
            keys: self.keys(),
            clients: ClientSettings::default(),
            servers: ServerSettings::default(),
        }
    }

    /// Serves until the platform's shutdown is cancelled, drains, and closes the store.
    ///
    /// # Errors
    /// [`Error::Server`] when nothing could be served.
    pub async fn run(self, platform: Platform, listener: TcpListener) -> Result<(), Error> {
        let server = platform.server();
        let health = StoreHealth::new();
        let server = server.check(health.check(&self.store));
        let handlers = V1 {
            exchange: self.exchange,
            store: self.store.clone(),
            clock: self.clock,
            health,
        };
        let result = server
            .descriptor_set(scribemed_proto::DESCRIPTOR_SET)
            .add(AuthServiceServer::new(handlers))
            .serve(listener, platform.shutdown().clone())
            .await;
        self.store.close().await;
        Ok(result?)
    }
}

/// The published keys, read from the store.
struct LocalKeys {
    store: Store,
    clock: Arc<dyn Clock>,
}

impl KeySource for LocalKeys {
    fn fetch(&self) -> BoxFuture<'_, Result<KeySet, BoxError>> {
        Box::pin(async { Ok(self.store.published(to_millis(self.clock.now())).await?) })
    }
}
