//! Putting a server together.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use scribemed_auth::Verifier;
use scribemed_resilience::limit::Config as Concurrency;
use scribemed_rpc::ServerContract;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

use crate::health::{Health, Status};
use crate::peer::Peer;
use crate::quota::{Quotas, RateLimits};
use crate::route::Routes;
use crate::serve;
use crate::shed::Gate;
use crate::stack::Stack;

/// How long calls in flight may take after the shutdown began.
const GRACE: Duration = Duration::from_secs(20);

/// Why a server did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A descriptor set is damaged.
    #[error("the descriptor set cannot be served by reflection")]
    Descriptor(#[from] tonic_reflection::server::Error),
}

/// A server in the making.
pub struct Builder {
    domain: String,
    verifier: Verifier,
    health: Health,
    descriptors: Vec<&'static [u8]>,
    routes: Routes,
    /// The full names of the services, for reflection.
    served: BTreeSet<&'static str>,
    grace: Duration,
    concurrency: Option<Concurrency>,
    rate_limits: RateLimits,
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
            descriptors: Vec::new(),
            routes: Routes::default(),
            served: BTreeSet::new(),
            grace: GRACE,
            concurrency: Some(Concurrency::default()),
            rate_limits: RateLimits::default(),
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
        self.routes
            .add(S::POLICY.methods, service.with_contract_limits());
        self
    }

    /// Adds a service without policies.
    fn add_open<S>(&mut self, service: S)
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

    /// How many calls are worked on at a time: the bounds of a limit that adapts to what the server can do. What is above it is
    /// refused with RESOURCE_EXHAUSTED and the time to wait, the least important first, as the contract's `criticality`
    /// has it. `None`: everything is taken. Default [`Concurrency::default`]: 20 to 1,000.
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

    /// The health of the services, to be set by what they depend on.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Serves on `listener` until `shutdown` is cancelled, then drains: health says NOT_SERVING, peers are told to go
    /// elsewhere, calls in flight are waited for.
    ///
    /// # Errors
    /// A descriptor set that is damaged; nothing was served then.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: CancellationToken,
    ) -> Result<(), Error> {
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
        self.add_reflection()?;
        let stack = Arc::new(Stack {
            routes: self.routes,
            gate: Gate::new(self.concurrency, &self.domain),
            quotas: Quotas::new(&self.rate_limits),
            verifier: self.verifier,
            // One a server, for as long as the process lives.
            domain: Box::leak(self.domain.into_boxed_str()),
        });
        let drain = async {
            shutdown.cancelled().await;
            health.drain();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            biased;
            () = drain => {}
            () = serve::serve(stack, incoming, shutdown.clone(), self.grace) => {}
        }
        Ok(())
    }

    /// Each version of reflection lists every service, itself and the other included.
    fn add_reflection(&mut self) -> Result<(), Error> {
        use tonic_reflection::pb::{v1, v1alpha};

        let mut names = self.served.clone();
        names.insert(v1::server_reflection_server::SERVICE_NAME);
        names.insert(v1alpha::server_reflection_server::SERVICE_NAME);
        let builder = || {
            let sets = self.descriptors.iter().copied().chain([
                tonic_health::pb::FILE_DESCRIPTOR_SET,
                v1::FILE_DESCRIPTOR_SET,
                v1alpha::FILE_DESCRIPTOR_SET,
            ]);
            let builder = sets.fold(
                tonic_reflection::server::Builder::configure(),
                tonic_reflection::server::Builder::register_encoded_file_descriptor_set,
            );
            names
                .iter()
                .fold(builder, |builder, name| builder.with_service_name(*name))
        };
        let (first, alpha) = (builder().build_v1()?, builder().build_v1alpha()?);
        self.add_open(first);
        self.add_open(alpha);
        Ok(())
    }
}

/// A message is sent when it is there, not when more has come.
fn no_delay(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
}
