//! Putting a server together.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use scribemed_audit::AuditLog;
use scribemed_auth::{Clock, SystemClock, Verifier};
use scribemed_resilience::limit::Config as Concurrency;
use scribemed_rpc::ServerContract;
use scribemed_telemetry::metrics::Metrics;
use scribemed_telemetry::traces::Tracer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

use crate::channelz::Channelz;
use crate::health::{self, Check, Health, Status};
use crate::limits::Limits;
use crate::observe;
use crate::peer::Peer;
use crate::quota::{Quotas, RateLimits};
use crate::reflection::DescriptorError;
use crate::route::Routes;
use crate::serve;
use crate::shed::Gate;
use crate::stack::Stack;
use crate::tls::ServerTls;
use crate::versions::AfterSunset;

/// How long calls in flight may take after the shutdown began.
const GRACE: Duration = Duration::from_secs(20);
/// How long peers that watch the health may take to be told that it is over, before they are told to go elsewhere.
const TOLD: Duration = Duration::from_millis(100);

/// Why a server did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A descriptor set is damaged.
    #[error("the descriptor set cannot be served by reflection")]
    Descriptor(#[from] DescriptorError),
}

/// A server in the making.
pub struct Builder {
    pub(crate) domain: String,
    verifier: Verifier,
    health: Health,
    pub(crate) checks: Vec<Check>,
    pub(crate) channelz: Option<Channelz>,
    /// Where it listens, if on an address.
    pub(crate) listens_at: Option<SocketAddr>,
    pub(crate) descriptors: Vec<&'static [u8]>,
    routes: Routes,
    /// The full names of the services, for reflection.
    pub(crate) served: BTreeSet<&'static str>,
    grace: Duration,
    after_sunset: AfterSunset,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    audit: Option<AuditLog>,
    tracer: Option<Tracer>,
    limits: Limits,
    /// The longest timeout of a method.
    longest: Duration,
    concurrency: Option<Concurrency>,
    rate_limits: RateLimits,
    tls: Option<ServerTls>,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("services", &self.served)
            .finish_non_exhaustive()
    }
}

impl Builder {
    /// A server of the service with this discovery name, whose callers are verified by `verifier`.
    pub fn new(name: &str, verifier: Verifier) -> Self {
        Self {
            domain: format!("{name}.scribemed"),
            verifier,
            health: Health::new(),
            checks: Vec::new(),
            channelz: None,
            listens_at: None,
            descriptors: Vec::new(),
            routes: Routes::default(),
            served: BTreeSet::new(),
            grace: GRACE,
            after_sunset: AfterSunset::default(),
            clock: Arc::new(SystemClock),
            metrics: Metrics::new(),
            audit: None,
            tracer: None,
            limits: Limits::default(),
            longest: Duration::ZERO,
            concurrency: Some(Concurrency::default()),
            rate_limits: RateLimits::default(),
            tls: None,
        }
    }

    /// Adds a generated server. The contract's policies and limits hold for it; its health begins as Serving.
    #[must_use]
    #[allow(
        clippy::should_implement_trait,
        reason = "a server is put together, not summed up"
    )]
    pub fn add<S>(mut self, service: S) -> Self
    where
        S: ServerContract
            + NamedService
            + Service<Request<Body>, Response = Response<Body>, Error = Infallible>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.health.set(S::NAME, Status::Serving);
        self.served.insert(S::NAME);
        let longest = S::POLICY.methods.iter().map(|method| method.timeout).max();
        self.longest = self.longest.max(longest.unwrap_or_default());
        let service = service.with_contract_limits();
        for method in S::POLICY.methods {
            // What a message may have is the method's affair, packed and unpacked.
            let service = service.clone().with_request_limit(method.max_request_bytes);
            self.routes.add(std::slice::from_ref(method), service);
        }
        self
    }

    /// Adds a service without policies.
    pub(crate) fn add_open<S>(&mut self, service: S)
    where
        S: NamedService + Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        self.served.insert(S::NAME);
        self.routes.add_open(S::NAME, service);
    }

    /// Adds an encoded descriptor set, for reflection.
    #[must_use]
    pub fn descriptor_set(mut self, encoded: &'static [u8]) -> Self {
        self.descriptors.push(encoded);
        self
    }

    /// How long calls in flight may take after the shutdown began. Default 20 s.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// What becomes of calls to methods that are past their sunset. Default: they are served.
    #[must_use]
    pub fn after_sunset(mut self, what: AfterSunset) -> Self {
        self.after_sunset = what;
        self
    }

    /// The clock by which a sunset is judged. Default: that of the system.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Counts calls in `metrics`. Default: metrics of its own, which nobody sees.
    #[must_use]
    pub fn metrics(mut self, metrics: Metrics) -> Self {
        self.metrics = metrics;
        self
    }

    /// Hands the span of each sampled call to `tracer`. Default `None`: there are no spans.
    #[must_use]
    pub fn tracer(mut self, tracer: Option<Tracer>) -> Self {
        self.tracer = tracer;
        self
    }

    /// Records in `audit` each call of a caller that was authenticated, and each that was refused for who it is. While no
    /// record can be taken, the first are refused with UNAVAILABLE before anything is done. Of a method with side effects,
    /// the caller hears of success once the record is on the disk. While the disk takes nothing, no service serves, as health
    /// has it. Default: nothing is recorded.
    #[must_use]
    pub fn audit(mut self, audit: AuditLog) -> Self {
        self.audit = Some(audit.clone());
        // What refuses nearly every call should not be asked.
        let look = move || {
            let writes = if audit.is_failing() {
                Err("it cannot be written")
            } else {
                Ok(())
            };
            std::future::ready(writes)
        };
        self.check(Check::new("audit log", look).every(Duration::from_secs(1)))
    }

    /// How many connections there may be, and for how long.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How many calls are worked on at a time: the bounds of a limit that adapts to what the server can do. What is above it is
    /// refused with RESOURCE_EXHAUSTED and the time to wait, the least important first, as the contract's `criticality`
    /// has it. `None`: everything is taken. Default [`Concurrency::default`]: 8 to 1,000.
    #[must_use]
    pub fn concurrency(mut self, limit: Option<Concurrency>) -> Self {
        self.concurrency = limit;
        self
    }

    /// How often each caller may call. What is above it is refused with RESOURCE_EXHAUSTED and the time to wait. By default
    /// nobody is limited.
    #[must_use]
    pub fn rate_limits(mut self, limits: RateLimits) -> Self {
        self.rate_limits = limits;
        self
    }

    /// Asks for TLS on every connection. Default `None`: what comes is taken as it is.
    #[must_use]
    pub fn tls(mut self, tls: impl Into<Option<ServerTls>>) -> Self {
        self.tls = tls.into();
        self
    }

    /// The health of the services, to be set by what they depend on.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Serves on `listener` until `shutdown` is cancelled, then drains: health says NOT_SERVING, then peers are told to go
    /// elsewhere (GOAWAY), then calls in flight are waited for; those that crossed the GOAWAY are served.
    ///
    /// # Errors
    /// A descriptor set that is damaged; nothing was served then.
    pub async fn serve(
        mut self,
        listener: TcpListener,
        shutdown: CancellationToken,
    ) -> Result<(), Error> {
        self.listens_at = listener.local_addr().ok();
        let incoming = TcpListenerStream::new(listener).map(|accepted| {
            let stream = accepted?;
            no_delay(&stream);
            // A peer that went away at once has no address any more; reading from it tells.
            let peer = stream.peer_addr().map(Peer::at).unwrap_or_default();
            Ok((stream, peer))
        });
        self.serve_peers(incoming, shutdown).await
    }

    /// As [`serve`](Self::serve), on connections that come from elsewhere and whose peers have no addresses: Unix sockets,
    /// pipes in memory. What is needed before HTTP/2, such as `TCP_NODELAY`, was done to them. An error of `incoming` is logged, and
    /// asking goes on 100 ms later. When `incoming` ends, the connections that there are are served to their end.
    ///
    /// # Errors
    /// Those of [`serve`](Self::serve).
    ///
    /// # Cancel safety
    /// Dropping the future ends everything at once: connections are closed, handlers are dropped.
    pub async fn serve_incoming<S, IO>(
        self,
        incoming: S,
        shutdown: CancellationToken,
    ) -> Result<(), Error>
    where
        S: Stream<Item = io::Result<IO>> + Send,
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let incoming = incoming.map(|accepted| accepted.map(|io| (io, Peer::default())));
        self.serve_peers(incoming, shutdown).await
    }

    /// As [`serve_incoming`](Self::serve_incoming), on connections that come with what is known of their peers.
    ///
    /// # Errors
    /// Those of [`serve`](Self::serve).
    ///
    /// # Cancel safety
    /// As for [`serve_incoming`](Self::serve_incoming).
    pub async fn serve_peers<S, IO>(
        mut self,
        incoming: S,
        shutdown: CancellationToken,
    ) -> Result<(), Error>
    where
        S: Stream<Item = io::Result<(IO, Peer)>> + Send,
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let health = self.health.clone();
        self.add_open(health.service());
        let shown = self.add_channelz();
        self.add_reflection()?;
        let incoming = incoming.map(|accepted| {
            let (io, peer) = accepted?;
            let counted = shown.as_ref().map(|shown| shown.accept(peer.address()));
            Ok((
                io,
                counted.map_or(peer.clone(), |counted| peer.counted_by(counted)),
            ))
        });
        let metrics = self.metrics.server();
        self.routes.observe(&metrics);
        let stack = Arc::new(Stack {
            routes: self.routes,
            other: Arc::new(observe::Method::other(&metrics)),
            audit: self.audit,
            metrics,
            tracer: self.tracer,
            gate: Gate::new(self.concurrency, &self.domain),
            quotas: Quotas::new(&self.rate_limits),
            verifier: self.verifier,
            // One a server, for as long as the process lives.
            domain: Box::leak(self.domain.into_boxed_str()),
            clock: self.clock,
            after_sunset: self.after_sunset,
        });
        let stop = CancellationToken::new();
        let tls = self.tls;
        let followed = tls.clone();
        let follow = async {
            if let Some(tls) = followed {
                tls.follow().await;
            }
            std::future::pending::<()>().await;
        };
        let drain = async {
            shutdown.cancelled().await;
            health.drain();
            // Whoever watches learns it first by its watch, then by GOAWAY.
            if tokio::time::timeout(TOLD, health.told()).await.is_err() {
                tracing::debug!("not all that watch the health have been told that it is over");
            }
            stop.cancel();
            std::future::pending::<()>().await;
        };
        // Nobody is answered before the first checks, which are bounded in time, so none is told that all is well before it
        // is known.
        let first = health::begin(self.checks, &health);
        let Some(checks) = shutdown.run_until_cancelled(first).await else {
            return Ok(());
        };
        tokio::select! {
            biased;
            () = drain => {}
            () = follow => {}
            () = serve::serve(stack, incoming, stop.clone(), self.grace, (self.limits, self.longest), tls) => {}
            () = health::keep(checks) => {}
        }
        Ok(())
    }
}

/// A message is sent when it is there, not when more has come.
fn no_delay(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
}
