//! Which server and which policy a path means: one look into a table that does not change.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use scribemed_resilience::baseline::Baseline;
use scribemed_rpc::MethodPolicy;
use tonic::body::Body;
use tower::{Service, ServiceExt as _};

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
    pub(crate) server: &'a dyn Serve,
    /// How long the method takes; `None` of a service that has no policies.
    pub(crate) baseline: Option<&'a Baseline>,
}

struct Method {
    policy: &'static MethodPolicy,
    server: Arc<dyn Serve>,
    baseline: Baseline,
}

/// Where a path leads, found once for each call: what is kept of it while the call waits for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// To a method with a policy.
    Method(usize),
    /// To a service without policies.
    Open(usize),
    /// Nowhere.
    Nothing,
}

/// All routes of a server.
#[derive(Default)]
pub(crate) struct Routes {
    methods: Vec<Method>,
    /// The methods of services with a contract, by path.
    paths: HashMap<&'static str, usize>,
    open: Vec<Arc<dyn Serve>>,
    /// Services without policies, which are open to everybody: health and reflection. By full name.
    names: HashMap<&'static str, usize>,
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

    /// Where `path` leads.
    pub(crate) fn find(&self, path: &str) -> Found {
        if let Some(index) = self.paths.get(path) {
            return Found::Method(*index);
        }
        let service = path
            .strip_prefix('/')
            .and_then(|path| path.rsplit_once('/'))
            .and_then(|(service, _method)| self.names.get(service));
        service.map_or(Found::Nothing, |index| Found::Open(*index))
    }

    /// What was found.
    pub(crate) fn route(&self, found: Found) -> Option<Route<'_>> {
        match found {
            Found::Method(index) => self.methods.get(index).map(|method| Route {
                policy: Some(method.policy),
                server: &*method.server,
                baseline: Some(&method.baseline),
            }),
            Found::Open(index) => self.open.get(index).map(|server| Route {
                policy: None,
                server: &**server,
                baseline: None,
            }),
            Found::Nothing => None,
        }
    }
}
