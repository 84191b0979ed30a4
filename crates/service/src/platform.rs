//! What a service is given.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use scribemed_auth::verifier::{CacheConfig, Config};
use scribemed_auth::{
    CachedKeys, KeySource, SigningKey, SystemClock, TokenCache, TokenSource, Verifier,
};
use scribemed_client::Channel;
use scribemed_discovery::{RegistryError, ServiceRegistry};
use scribemed_rpc::ClientContract;
use scribemed_server::{Builder, Channelz, Check, Health};
use scribemed_telemetry::metrics::{AuditState, Metrics};
use tokio_util::sync::CancellationToken;

use crate::channels::Channels;
use crate::clients::ClientSettings;
use crate::identity::{AuthServiceKeys, AuthServiceTokens};
use crate::servers::{self, ServerSettings};

/// Who issues access tokens, unless configured otherwise.
pub const DEFAULT_ISSUER: &str = "auth.scribemed";

/// How long what is to be told may take when the service has ended.
const CLOSING: Duration = Duration::from_secs(5);

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
    /// What holds for all of its calls.
    pub clients: ClientSettings,
    /// What holds for all that it serves.
    pub servers: ServerSettings,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("name", &self.name)
            .field("registry", &self.registry)
            .field("issuer", &self.issuer)
            .field("clients", &self.clients)
            .field("servers", &self.servers)
            .finish_non_exhaustive()
    }
}

/// Why a client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not known where the service is.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The channel to the service cannot be made.
    #[error("no channel can be made to what {variable} names")]
    Channel {
        /// The variable.
        variable: String,
        /// Why not.
        #[source]
        source: scribemed_client::BuildError,
    },
    /// TLS cannot be set up with what the variables name.
    #[error("SCRIBEMED_TLS_CA, SCRIBEMED_TLS_CERT and SCRIBEMED_TLS_KEY cannot be used")]
    Tls {
        /// Why not.
        #[source]
        source: scribemed_client::TlsError,
    },
    /// The name of the service was never resolved.
    #[error(
        "{variable} is {value:?}, and that name could not be resolved within {seconds} s: {reason}; a good value is \
         {variable}={example}"
    )]
    Unresolved {
        /// The variable.
        variable: String,
        /// Its value.
        value: String,
        /// How long was waited, in seconds (`SCRIBEMED_RESOLVE_WITHIN`).
        seconds: u64,
        /// What the resolver said.
        reason: String,
        /// A good value.
        example: String,
    },
}

/// What a service is given: clients of other services, a server, and the word when to stop. Cheap to clone.
#[derive(Clone)]
pub struct Platform {
    settings: Arc<Settings>,
    keys: CachedKeys,
    verifier: Verifier,
    servers: Arc<Mutex<Vec<Health>>>,
    channelz: Channelz,
    shutdown: CancellationToken,
}

impl std::fmt::Debug for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.settings.fmt(f)
    }
}

impl Settings {
    /// Those of a service that gets its tokens and keys from the auth service in `registry`. `key` is its own private key;
    /// the auth service knows the public half. What holds for its servers is the default.
    ///
    /// # Errors
    /// As for [`Platform::client`], of the auth service.
    pub async fn with_auth_service(
        name: impl Into<String>,
        registry: ServiceRegistry,
        issuer: impl Into<String>,
        key: SigningKey,
        clients: ClientSettings,
    ) -> Result<Self, Error> {
        let (name, issuer) = (name.into(), issuer.into());
        // Both methods are public, so this channel needs no token, and none is needed to get one.
        let auth = connect::<
            scribemed_proto::auth::v1::auth_service_client::AuthServiceClient<Channel>,
        >(&registry, &clients, None)
        .await?;
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
            clients,
            servers: ServerSettings::default(),
        })
    }

    /// Other settings for what it serves.
    #[must_use]
    pub fn with_servers(mut self, servers: ServerSettings) -> Self {
        self.servers = servers;
        self
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
        let verifier = Verifier::new(config, keys.clone(), Arc::new(SystemClock));
        if let Some(audit) = settings.servers.audit().cloned() {
            settings.clients.metrics().audit(move || AuditState {
                sequence: audit.sequence(),
                failing: audit.is_failing(),
            });
        }
        let channelz = servers::channelz::over(settings.clients.channels());
        Self {
            settings: Arc::new(settings),
            keys,
            verifier,
            servers: Arc::default(),
            channelz,
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

    /// A client of another service: found by the discovery name in its contract, with the service's own tokens. To be asked
    /// for at start-up and cloned: each one has connections of its own and a place in `/debug/channels`.
    ///
    /// Waits until the name has been resolved once; nothing is connected yet.
    ///
    /// # Errors
    /// [`Error::Registry`] when it is not known where the service is, and [`Error::Unresolved`] when its name was not
    /// resolved in time. Both name the variable and show a good value.
    pub async fn client<T: ClientContract<Channel>>(&self) -> Result<T, Error> {
        let Settings {
            registry,
            clients,
            tokens,
            ..
        } = &*self.settings;
        connect(registry, clients, tokens.clone()).await
    }

    /// A server for this service: callers are verified, health and reflection come with it. It serves while there are keys
    /// to verify callers with, and while each [`Check`] passes that is added to it.
    pub fn server(&self) -> Builder {
        let server = Builder::new(self.name(), self.verifier.clone()).check(self.check_keys());
        let server = self.settings.servers.configure(server);
        let server = server
            .metrics(self.metrics().clone())
            .tracer(self.settings.clients.tracer().cloned());
        let server = if self.settings.servers.channelz() {
            server.channelz(self.channelz.clone())
        } else {
            server
        };
        self.lock_servers().push(server.health());
        server
    }

    /// Without keys every caller would be refused. They are kept for up to 24 h while auth is away, so this fails of a service
    /// that starts without auth, and of one that was left alone for a day.
    fn check_keys(&self) -> Check {
        let keys = self.keys.clone();
        Check::new("keys", move || {
            let keys = keys.clone();
            async move { keys.fresh().await }
        })
    }

    /// Where the service's calls are counted.
    pub fn metrics(&self) -> &Metrics {
        self.settings.clients.metrics()
    }

    /// The health of each server that was made.
    pub(crate) fn servers(&self) -> Vec<Health> {
        self.lock_servers().clone()
    }

    pub(crate) fn channels(&self) -> &Channels {
        self.settings.clients.channels()
    }

    fn lock_servers(&self) -> std::sync::MutexGuard<'_, Vec<Health>> {
        // Nothing panics while it is held.
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what is still to be told: the audit log, the last spans. To be waited for when the service has ended; takes 10 s
    /// at most.
    pub async fn close(&self) {
        if let Some(tracer) = self.settings.clients.tracer() {
            tracer.close().await;
        }
        if let Some(exporter) = self.settings.clients.exporter() {
            exporter.close().await;
        }
        if let Some(audit) = self.settings.servers.audit()
            && tokio::time::timeout(CLOSING, audit.close()).await.is_err()
        {
            tracing::error!("the audit log could not be closed: its last records are missing");
        }
    }

    /// Cancelled when the process should drain and end.
    pub fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }
}

async fn connect<T: ClientContract<Channel>>(
    registry: &ServiceRegistry,
    clients: &ClientSettings,
    tokens: Option<Arc<dyn TokenSource>>,
) -> Result<T, Error> {
    let service = T::POLICY.discovery_name;
    let target = registry.target(service)?;
    let tokens = tokens.map(|source| TokenCache::new(source, service, Arc::new(SystemClock)));
    let tls = target
        .is_tls()
        .then(|| clients.tls().load(Some(service)))
        .transpose();
    let channel = Channel::builder(&target, &[T::POLICY])
        .tokens(tokens)
        .tls(tls.map_err(|source| Error::Tls { source })?)
        .service_config(clients.service_config(service).map(Path::to_owned))
        .metrics(clients.metrics().clone())
        .tracer(clients.tracer().cloned())
        .build()
        .map_err(|source| Error::Channel {
            variable: scribemed_discovery::variable(service),
            source,
        })?;
    let look = channel.clone();
    clients.channels().add(move || look.status());
    let within = clients.resolve_within();
    channel
        .resolved(within)
        .await
        .map_err(|never| Error::Unresolved {
            variable: scribemed_discovery::variable(service),
            value: target.to_string(),
            seconds: within.as_secs(),
            reason: std::error::Error::source(&never)
                .map_or_else(|| "there was no answer yet".to_owned(), ToString::to_string),
            example: format!("dns:///{service}:50051"),
        })?;
    Ok(T::over(channel))
}
