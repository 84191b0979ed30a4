//! Which server and which policy a path means: one look into a table that does not change.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{Request, Response};
use scribemed_rpc::MethodPolicy;
use scribemed_telemetry::metrics::ServerMetrics;
use tonic::body::Body;
use tower::{Service, ServiceExt as _};

use crate::observe;
use crate::versions::Signals;
/// How long a call of a service without policies may take.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// Those that last for as long as somebody listens, or their connection.
const OPEN_ENDED: [&str; 2] = ["Watch", "ServerReflectionInfo"];

/// What a generated server answers with.
pub(crate) type Answering =
    Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

/// A generated server behind one type.
pub(crate) trait Serve: Send + Sync {
    /// Handles one call.
    fn serve(&self, request: Request<Body>) -> Answering;
}

/// The one boxing point: a generated server is cloned for each call, which is a count of references.
struct Generated<S>(S);

impl<S> Serve for Generated<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    fn serve(&self, request: Request<Body>) -> Answering {
        let mut service = self.0.clone();
        // A generated server is always ready. Whatever is not is waited for.
        match service.poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => Box::pin(service.call(request)),
            Poll::Ready(Err(never)) => match never {},
            Poll::Pending => Box::pin(service.oneshot(request)),
        }
    }
}

/// What a path leads to.
#[derive(Clone, Copy)]
pub(crate) struct Route<'a> {
    /// What the contract says of the method; `None` of a service that has no policies.
    pub(crate) policy: Option<&'static MethodPolicy>,
    /// How long a call may take at most.
    pub(crate) timeout: Option<Duration>,
    pub(crate) server: &'a dyn Serve,
    /// What is said of a method that goes away.
    pub(crate) signals: Option<&'a Signals>,
    /// What is told of its calls. `None`: as of a method that there is not.
    pub(crate) told: Option<&'a Arc<observe::Method>>,
}

struct Method {
    policy: &'static MethodPolicy,
    server: Arc<dyn Serve>,
    signals: Option<Signals>,
    told: Option<Arc<observe::Method>>,
}

/// The methods without a contract that are told of by their names, by path.
const OPEN: [&str; 5] = [
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/List",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// All routes of a server.
#[derive(Default)]
pub(crate) struct Routes {
    /// The methods of services with a contract, by path.
    methods: HashMap<&'static str, Method>,
    /// Services without policies, which are open to everybody: health and reflection. By full name.
    open: HashMap<&'static str, Arc<dyn Serve>>,
    /// What is told of the calls of those, by path.
    open_told: Vec<(&'static str, Arc<observe::Method>)>,
}

impl Routes {
    /// Adds a service with a contract. A method that has no policy does not exist.
    pub(crate) fn add<S>(&mut self, policies: &'static [MethodPolicy], service: S)
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        let server: Arc<dyn Serve> = Arc::new(Generated(service));
        for policy in policies {
            let server = Arc::clone(&server);
            let method = Method {
                policy,
                server,
                signals: Signals::of(policy),
                told: None,
            };
            self.methods.insert(policy.path, method);
        }
    }

    /// Adds a service without policies.
    pub(crate) fn add_open<S>(&mut self, name: &'static str, service: S)
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        self.open.insert(name, Arc::new(Generated(service)));
    }

    /// Looks up where the calls of each method are counted. To be called once all services are there.
    pub(crate) fn observe(&mut self, metrics: &ServerMetrics) {
        for method in self.methods.values_mut() {
            method.told = Some(Arc::new(observe::Method::new(metrics, method.policy)));
        }
        self.open_told = OPEN
            .iter()
            .filter(|path| self.open(path).is_some())
            .map(|path| (*path, Arc::new(observe::Method::open(metrics, path))))
            .collect();
    }

    /// Where `path` leads.
    pub(crate) fn find(&self, path: &str) -> Option<Route<'_>> {
        if let Some(method) = self.methods.get(path) {
            return Some(Route {
                policy: Some(method.policy),
                timeout: Some(method.policy.timeout),
                server: &*method.server,
                signals: method.signals.as_ref(),
                told: method.told.as_ref(),
            });
        }
        let server = self.open(path)?;
        let told = self.open_told.iter().find(|(known, _)| *known == path);
        let method = path.rsplit('/').next().unwrap_or_default();
        Some(Route {
            policy: None,
            timeout: (!OPEN_ENDED.contains(&method)).then_some(OPEN_TIMEOUT),
            server,
            signals: None,
            told: told.map(|(_, told)| told),
        })
    }

    fn open(&self, path: &str) -> Option<&dyn Serve> {
        let (service, _method) = path.strip_prefix('/')?.rsplit_once('/')?;
        self.open.get(service).map(|server| &**server)
    }
}
