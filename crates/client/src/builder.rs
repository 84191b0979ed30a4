//! Putting a channel together.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use http::uri::{Authority, PathAndQuery, Scheme};
use scribemed_auth::TokenCache;
use scribemed_discovery::{
    Discovery, DnsResolver, Kind, Resolution, Resolve, ResolveError, Target,
};
use scribemed_resilience::adaptive;
use scribemed_resilience::backoff::Backoff;
use scribemed_resilience::breaker::Breaker;
use scribemed_resilience::budget::{self, Budget};
use scribemed_resilience::outlier;
use scribemed_resilience::slow_start::SlowStart;
use scribemed_resilience::throttle::RetryThrottle;
use scribemed_rpc::policy::{Access, CircuitBreaker, LoadBalancing, ServicePolicy};
use scribemed_telemetry::metrics::{Metrics, TargetMetrics};
use scribemed_telemetry::traces::Tracer;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::balance::{Balancer, Pool, Settings};
use crate::channel::Channel;
use crate::clock::{Clock, Random};
use crate::connect::{Connect, Connector, SocketConnector, Tls};
use crate::connection::Probing;
use crate::endpoint::Environment;
use crate::failure::Failures;
use crate::policy::CallPolicy;
use crate::reload::Reload;
use crate::service_config::ServiceConfig;
use crate::service_config::file::ConfigFile;
use crate::shared::{Method, Methods, Shared, Throttles};
use crate::traced::SpanNames;

/// Numbers of a channel that no contract has. The defaults are for services of one cluster.
#[derive(Debug, Clone)]
pub struct Config {
    /// The longest that a connection may take to be made: TCP, TLS and HTTP/2 together. Default 2 s, at most 20 s.
    pub connect_timeout: Duration,
    /// The wait between attempts to connect. Default 250 ms, growing by 1.6 up to 2 s, ±20 %.
    pub connect_backoff: Backoff,
    /// Connections to one endpoint at most, 1 to 16; another one is made when those that are there are full. Default 4.
    pub connections: usize,
    /// Silence after which a peer is asked whether it is there, while calls wait for it. Default 300 ms.
    pub probe_after: Duration,
    /// How long it may take to answer before calls go elsewhere. Default 500 ms.
    pub suspect_after: Duration,
    /// How long it may take to answer before the connection is closed. Default 5 s.
    pub dead_after: Duration,
    /// Silence after which a peer is asked while no calls wait for it. Default 10 s.
    pub keepalive: Duration,
    /// Whether the health of the service is watched on each connection (gRFC A17). Default true.
    pub health: bool,
    /// Outlier detection (gRFC A50).
    pub outlier: outlier::Config,
    /// Retries and hedges together, as a share of the calls.
    pub budget: budget::Config,
    /// Turning calls away while the service refuses many; each criticality by itself.
    pub adaptive: adaptive::Config,
    /// How an endpoint that joins others comes up to its full share.
    pub slow_start: SlowStart,
    /// Looking names up. As by default but for the interval, 5 s: a service that is scaled up wants its new endpoints used now,
    /// and nothing else tells of them.
    pub discovery: scribemed_discovery::Config,
    /// What every random choice follows from. `None`, the default: another one for each channel.
    pub seed: Option<u64>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            connect_backoff: Backoff::new(
                Duration::from_millis(250),
                Duration::from_secs(2),
                1.6,
                0.2,
            )
            .unwrap_or_default(),
            connections: 4,
            probe_after: Duration::from_millis(300),
            suspect_after: Duration::from_millis(500),
            dead_after: Duration::from_secs(5),
            keepalive: Duration::from_secs(10),
            health: true,
            outlier: outlier::Config::default(),
            budget: budget::Config::default(),
            adaptive: adaptive::Config::default(),
            slow_start: SlowStart::default(),
            discovery: scribemed_discovery::Config {
                interval: Duration::from_secs(5),
                ..scribemed_discovery::Config::default()
            },
            seed: None,
        }
    }
}

/// Why a channel cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The target can be no `:authority` of a request.
    #[error("the target {target} cannot be the :authority of a request")]
    Authority {
        /// The target.
        target: String,
    },
    /// The configuration of the system's resolver cannot be read.
    #[error("names cannot be looked up")]
    Resolver(#[source] ResolveError),
    /// The target is `https` and TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[from] crate::TlsError),
    /// The service config cannot be used.
    #[error(transparent)]
    ServiceConfig(#[from] crate::service_config::FileError),
}

/// A channel in the making. Its parts that touch the world can be replaced: the connector, the resolver, and with
/// [`Config::seed`] the random source. The clock is tokio's.
pub struct Builder {
    target: Target,
    contracts: Vec<&'static ServicePolicy>,
    tokens: Option<TokenCache>,
    connector: Arc<dyn Connect>,
    resolver: Option<Arc<dyn Resolve>>,
    tls: Option<Tls>,
    service_config: Option<PathBuf>,
    metrics: Option<Metrics>,
    tracer: Option<Tracer>,
    config: Config,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("target", &self.target)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Builder {
    pub(crate) fn new(target: &Target, contracts: &[&'static ServicePolicy]) -> Self {
        Self {
            target: target.clone(),
            contracts: contracts.to_vec(),
            tokens: None,
            connector: Arc::new(SocketConnector),
            resolver: None,
            tls: None,
            service_config: None,
            metrics: None,
            tracer: None,
            config: Config::default(),
        }
    }

    /// Attaches a token to each call of a method that is not public.
    #[must_use]
    pub fn tokens(mut self, tokens: Option<TokenCache>) -> Self {
        self.tokens = tokens;
        self
    }

    /// Makes connections in another way than with the sockets of the system.
    #[must_use]
    pub fn connector(mut self, connector: Arc<dyn Connect>) -> Self {
        self.connector = connector;
        self
    }

    /// Looks names up in another way than with the resolver of the system.
    #[must_use]
    pub fn resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.resolver = Some(resolver);
        self
    }

    /// Whom to trust over TLS, and who this side is. TLS is used for `https` targets, and for every target once this is set.
    #[must_use]
    pub fn tls(mut self, tls: Option<Tls>) -> Self {
        self.tls = tls;
        self
    }

    /// A file with a service config (gRPC's JSON) that overrides the contract's policy. It is read again when it changes.
    #[must_use]
    pub fn service_config(mut self, path: Option<PathBuf>) -> Self {
        self.service_config = path;
        self
    }

    /// Hands the spans of sampled calls and of their attempts to `tracer`. Default `None`: there are no spans.
    #[must_use]
    pub fn tracer(mut self, tracer: Option<Tracer>) -> Self {
        self.tracer = tracer;
        self
    }

    /// Counts elsewhere than in the process's own metrics.
    #[must_use]
    pub fn metrics(mut self, metrics: Metrics) -> Self {
        self.metrics = Some(metrics);
        self
    }

    /// Other numbers than the defaults.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// The channel. It begins to look its target up and to connect at once.
    ///
    /// # Errors
    /// See [`BuildError`].
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn build(self) -> Result<Channel, BuildError> {
        let config = self.config;
        let seed = config.seed.unwrap_or_else(rand::random);
        let authority = authority(&self.target)?;
        let tls = match self.tls {
            Some(tls) => Some(tls),
            None if self.target.is_tls() => Some(Tls::from_files(None, None)?),
            None => None,
        };
        let scheme = tls.as_ref().map_or(Scheme::HTTP, |_| Scheme::HTTPS);
        let file = self
            .service_config
            .map(|path| ConfigFile::open(path, &self.contracts))
            .transpose()?;
        let (file, overrides) = file.unzip();
        let overrides = overrides.as_ref();
        let resolver = match self.resolver {
            Some(resolver) => resolver,
            None => system_resolver(&self.target)?,
        };

        let clock = Clock::start();
        let random = Arc::new(Random::seeded(seed));
        let metrics = self
            .metrics
            .unwrap_or_else(|| Metrics::global().clone())
            .target(&self.target.to_string());
        let contract = self.contracts.first();
        let failures = Failures::new(
            contract.map_or("service", |contract| contract.discovery_name),
            &self.target,
        );
        let balancer = Arc::new(Balancer::new(
            balancing(overrides, &self.contracts),
            Arc::clone(&random),
            config.slow_start,
        ));
        let breaker = Arc::new(Breaker::new(
            contract.map_or(CircuitBreaker::DEFAULT, |contract| contract.circuit_breaker),
        ));
        let mut looks = config.discovery;
        looks.seed = random.next();
        let discovery = Arc::new(Discovery::start(self.target.clone(), resolver, looks));
        let closed = CancellationToken::new();
        let environment = Arc::new(Environment {
            connector: Connector {
                sockets: self.connector,
                tls: tls.clone(),
            },
            server_name: self.target.server_name().to_owned(),
            origin: origin(&scheme, &authority),
            health_service: config.health.then(|| watched(overrides, &self.contracts)),
            connect_timeout: config.connect_timeout.min(Duration::from_secs(20)),
            backoff: config.connect_backoff,
            probing: probing(&config),
            random: Arc::clone(&random),
            metrics: metrics.clone(),
            changed: Notify::new(),
            lost: AtomicBool::new(false),
        });
        let settings = Settings {
            connections: config.connections.clamp(1, 16),
            outlier: config.outlier,
        };
        let pool = Pool::new(
            settings,
            environment,
            Arc::clone(&balancer),
            Arc::clone(&breaker),
            Arc::clone(&discovery),
            clock,
        );
        tokio::spawn(pool.run(closed.clone()));

        let throttle = throttling(overrides, &self.contracts)
            .map(|policy| Arc::new(RetryThrottle::new(policy)));
        let shared = Arc::new(Shared {
            failures,
            methods: methods(&self.contracts, overrides, &metrics),
            other: Arc::new(without_contract(&metrics)),
            tokens: self.tokens,
            scheme,
            authority,
            balancer,
            breaker,
            budget: Budget::new(config.budget),
            adaptive: Throttles::new(config.adaptive),
            throttle: ArcSwapOption::new(throttle),
            clock,
            random,
            metrics,
            tracer: self.tracer,
            discovery,
            _closed: closed.clone().drop_guard(),
        });
        if let Some(tls) = tls {
            tokio::spawn(closed.clone().run_until_cancelled_owned(tls.follow()));
        }
        if let Some(file) = file {
            let reload = Reload::new(file, &shared, self.contracts);
            tokio::spawn(closed.run_until_cancelled_owned(reload.run()));
        }
        Ok(Channel::over(shared))
    }
}

/// Where no name is to be looked up, a system without a resolver will do.
fn system_resolver(target: &Target) -> Result<Arc<dyn Resolve>, BuildError> {
    match target.kind() {
        Kind::Static(_) | Kind::Unix(_) => Ok(Arc::new(NoNames)),
        Kind::Dns { .. } | Kind::Srv { .. } | Kind::Names(_) => Ok(Arc::new(
            DnsResolver::system().map_err(BuildError::Resolver)?,
        )),
    }
}

/// The resolver of a target that holds its addresses itself.
struct NoNames;

impl Resolve for NoNames {
    fn resolve<'a>(
        &'a self,
        target: &'a Target,
    ) -> scribemed_discovery::BoxFuture<'a, Result<Resolution, ResolveError>> {
        Box::pin(async { Err(ResolveError::not_found(target.to_string())) })
    }
}

fn probing(config: &Config) -> Probing {
    Probing {
        busy: config.probe_after,
        idle: config.keepalive.max(config.probe_after),
        suspect_after: config.suspect_after,
        dead_after: config.dead_after.max(config.suspect_after),
        alone: Arc::new(AtomicBool::new(true)),
        calm: Arc::default(),
    }
}

/// The service whose health is watched; the empty name stands for the whole server.
fn watched(overrides: Option<&ServiceConfig>, contracts: &[&'static ServicePolicy]) -> String {
    overrides
        .and_then(ServiceConfig::health_check_service)
        .or(contracts.first().map(|contract| contract.name))
        .unwrap_or_default()
        .to_owned()
}

fn without_contract(metrics: &TargetMetrics) -> Method {
    Method {
        contract: None,
        policy: ArcSwap::from_pointee(CallPolicy::DEFAULT),
        needs_token: true,
        fading: AtomicBool::new(false),
        metrics: metrics.method("other"),
        spans: SpanNames::new("other"),
    }
}

fn authority(target: &Target) -> Result<Authority, BuildError> {
    target
        .authority()
        .parse()
        .map_err(|_| BuildError::Authority {
            target: target.to_string(),
        })
}

fn origin(scheme: &Scheme, authority: &Authority) -> http::Uri {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(scheme.clone());
    parts.authority = Some(authority.clone());
    parts.path_and_query = Some(PathAndQuery::from_static("/"));
    http::Uri::from_parts(parts).unwrap_or_default()
}

fn methods(
    contracts: &[&'static ServicePolicy],
    overrides: Option<&ServiceConfig>,
    metrics: &TargetMetrics,
) -> Methods {
    let mut methods = Methods::default();
    for contract in contracts {
        for method in contract.methods {
            let policy = match overrides {
                Some(config) => config.apply(contract, method),
                None => CallPolicy::from(method),
            };
            let name = method.path.trim_start_matches('/');
            let of_method = Method {
                contract: Some(method),
                policy: ArcSwap::from_pointee(policy),
                needs_token: matches!(method.access, Access::Permissions(_)),
                fading: AtomicBool::new(false),
                metrics: metrics.method(name),
                spans: SpanNames::new(name),
            };
            methods.insert(method.path, Arc::new(of_method));
        }
    }
    methods
}

/// The retry throttling in force.
pub(crate) fn throttling(
    overrides: Option<&ServiceConfig>,
    contracts: &[&'static ServicePolicy],
) -> Option<scribemed_rpc::policy::RetryThrottling> {
    overrides
        .and_then(ServiceConfig::retry_throttling)
        .or_else(|| {
            contracts
                .first()
                .and_then(|contract| contract.retry_throttling)
        })
}

/// The balancing in force.
pub(crate) fn balancing(
    overrides: Option<&ServiceConfig>,
    contracts: &[&'static ServicePolicy],
) -> LoadBalancing {
    overrides
        .and_then(ServiceConfig::load_balancing)
        .or_else(|| contracts.first().map(|contract| contract.load_balancing))
        .unwrap_or_default()
}
