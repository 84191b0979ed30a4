//! Putting a server together.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use scribemed_auth::Verifier;
use scribemed_rpc::ServerContract;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;
use tower::util::BoxCloneSyncService;

use crate::connection;
use crate::health::{Health, Status};
use crate::stack::{Route, Stack};

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
    routes: HashMap<&'static str, Route>,
    methods: HashMap<&'static str, &'static scribemed_rpc::MethodPolicy>,
    grace: Duration,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("services", &self.routes.keys())
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
            routes: HashMap::new(),
            methods: HashMap::new(),
            grace: GRACE,
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
        for method in S::POLICY.methods {
            self.methods.insert(method.path, method);
        }
        self.health.set(S::NAME, Status::Serving);
        self.route(service.with_contract_limits())
    }

    fn route<S>(mut self, service: S) -> Self
    where
        S: NamedService + Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        // One boxing point: every service is of one type from here on.
        self.routes
            .insert(S::NAME, BoxCloneSyncService::new(service));
        self
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
        mut self,
        listener: TcpListener,
        shutdown: CancellationToken,
    ) -> Result<(), Error> {
        let health = self.health.clone();
        self = self.route(health.service());
        // Each version of reflection lists every service, itself and the other included.
        let register = |builder: tonic_reflection::server::Builder<'static>| {
            self.descriptors
                .iter()
                .fold(builder, |builder, set| {
                    builder.register_encoded_file_descriptor_set(set)
                })
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(
                    tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
                )
        };
        let mut served: Vec<&'static str> = self.routes.keys().copied().collect();
        served.push(tonic_reflection::pb::v1::server_reflection_server::SERVICE_NAME);
        served.push(tonic_reflection::pb::v1alpha::server_reflection_server::SERVICE_NAME);
        let names = |builder: tonic_reflection::server::Builder<'static>| {
            served
                .iter()
                .fold(builder, |builder, name| builder.with_service_name(*name))
        };
        let v1 = names(register(tonic_reflection::server::Builder::configure())).build_v1()?;
        let v1alpha =
            names(register(tonic_reflection::server::Builder::configure())).build_v1alpha()?;
        self = self.route(v1).route(v1alpha);

        let stack = Arc::new(Stack {
            routes: self.routes,
            methods: self.methods,
            verifier: self.verifier,
            // One a server, for as long as the process lives.
            domain: Box::leak(self.domain.into_boxed_str()),
        });
        let drain = async {
            shutdown.cancelled().await;
            health.drain();
        };
        let (_, ()) = tokio::join!(
            connection::serve(stack, listener, shutdown.clone(), self.grace),
            drain
        );
        Ok(())
    }
}
