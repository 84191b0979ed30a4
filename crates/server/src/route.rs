//! Which server and which policy a path means: one look into a table that does not change.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{Request, Response};
use scribemed_resilience::baseline::Baseline;
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
    /// How long the method takes; `None` of a service that has no policies.
    pub(crate) baseline: Option<&'a Baseline>,
    /// What is said of a method that goes away.
    pub(crate) signals: Option<&'a Signals>,
    /// What is told of its calls. `None`: as of a method that there is not.
    pub(crate) told: Option<&'a Arc<observe::Method>>,
}

struct Method {
    policy: &'static MethodPolicy,
    server: Arc<dyn Serve>,
    baseline: Baseline,
    signals: Option<Signals>,
    told: Option<Arc<observe::Method>>,
}

/// Where a path leads, found once for each call: what is kept of it while the call waits for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// To a method with a policy.
    Method(usize),
    /// To a service without policies.
    Open {
        service: usize,
        /// Whether it may last for as long as somebody listens.
        endless: bool,
        told: Option<usize>,
    },
    /// Nowhere.
    Nothing,
}

/// The methods without a contract that are told of by their names, by path.
const OPEN: [&str; 12] = [
    "/grpc.channelz.v1.Channelz/GetChannel",
    "/grpc.channelz.v1.Channelz/GetServer",
    "/grpc.channelz.v1.Channelz/GetServerSockets",
    "/grpc.channelz.v1.Channelz/GetServers",
    "/grpc.channelz.v1.Channelz/GetSocket",
    "/grpc.channelz.v1.Channelz/GetSubchannel",
    "/grpc.channelz.v1.Channelz/GetTopChannels",
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/List",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// All routes of a server.
#[derive(Default)]
pub(crate) struct Routes {
    methods: Vec<Method>,
    /// The methods of services with a contract, by path.
    paths: HashMap<&'static str, usize>,
    open: Vec<Arc<dyn Serve>>,
    /// Services without policies, which are open to everybody: health and reflection. By full name.
    names: HashMap<&'static str, usize>,
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
            self.paths.insert(policy.path, self.methods.len());
            self.methods.push(Method {
                policy,
                server,
                baseline: Baseline::new(),
                signals: Signals::of(policy),
                told: None,
            });
        }
    }

    /// Adds a service without policies.
    pub(crate) fn add_open<S>(&mut self, name: &'static str, service: S)
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        self.names.insert(name, self.open.len());
        self.open.push(Arc::new(Generated(service)));
    }

    /// Looks up where the calls of each method are counted. To be called once all services are there.
    pub(crate) fn observe(&mut self, metrics: &ServerMetrics) {
        for method in &mut self.methods {
            method.told = Some(Arc::new(observe::Method::new(metrics, method.policy)));
        }
        let of = |path: &&'static str| (*path, Arc::new(observe::Method::open(metrics, path)));
        self.open_told = OPEN.iter().map(of).collect();
    }

    /// Where `path` leads.
    pub(crate) fn find(&self, path: &str) -> Found {
        if let Some(index) = self.paths.get(path) {
            return Found::Method(*index);
        }
        let open = path
            .strip_prefix('/')
            .and_then(|path| path.rsplit_once('/'))
            .and_then(|(service, method)| Some((*self.names.get(service)?, method)));
        open.map_or(Found::Nothing, |(service, method)| Found::Open {
            service,
            endless: OPEN_ENDED.contains(&method),
            told: self.open_told.iter().position(|(known, _)| *known == path),
        })
    }

    /// What was found.
    pub(crate) fn route(&self, found: Found) -> Option<Route<'_>> {
        match found {
            Found::Method(index) => self.methods.get(index).map(|method| Route {
                policy: Some(method.policy),
                timeout: Some(method.policy.timeout),
                server: &*method.server,
                baseline: Some(&method.baseline),
                signals: method.signals.as_ref(),
                told: method.told.as_ref(),
            }),
            Found::Open {
                service,
                endless,
                told,
            } => self.open.get(service).map(|server| Route {
                policy: None,
                timeout: (!endless).then_some(OPEN_TIMEOUT),
                server: &**server,
                baseline: None,
                signals: None,
                told: told
                    .and_then(|told| self.open_told.get(told))
                    .map(|(_, told)| told),
            }),
            Found::Nothing => None,
        }
    }
}
