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
use tonic::body::Body;
use tower::{Service, ServiceExt as _};

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
}

struct Method {
    policy: &'static MethodPolicy,
    server: Arc<dyn Serve>,
}

/// All routes of a server.
#[derive(Default)]
pub(crate) struct Routes {
    /// The methods of services with a contract, by path.
    methods: HashMap<&'static str, Method>,
    /// Services without policies, which are open to everybody: health and reflection. By full name.
    open: HashMap<&'static str, Arc<dyn Serve>>,
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
            self.methods.insert(policy.path, Method { policy, server });
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

    /// Where `path` leads.
    pub(crate) fn find(&self, path: &str) -> Option<Route<'_>> {
        if let Some(method) = self.methods.get(path) {
            return Some(Route {
                policy: Some(method.policy),
                timeout: Some(method.policy.timeout),
                server: &*method.server,
            });
        }
        let (service, method) = path.strip_prefix('/')?.rsplit_once('/')?;
        let server = &**self.open.get(service)?;
        Some(Route {
            policy: None,
            timeout: (!OPEN_ENDED.contains(&method)).then_some(OPEN_TIMEOUT),
            server,
        })
    }
}
