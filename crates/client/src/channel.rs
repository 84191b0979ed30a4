//! The channel.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use scribemed_auth::TokenCache;
use scribemed_discovery::{ResolveError, Target};
use scribemed_rpc::policy::ServicePolicy;
use tonic::Status;
use tonic::body::Body;

use crate::builder::{BuildError, Builder};
use crate::call::Call;
use crate::response::ResponseBody;
use crate::shared::Shared;
use crate::status::ChannelStatus;

/// A way to a service, to be put under its generated clients. Cheap to clone; clones share everything.
///
/// For each call it
///
/// 1. takes the earliest of the policy's timeout, the caller's `grpc-timeout` and the deadline of the call that is being
///    served, and ends the call by it: DEADLINE_EXCEEDED, also in the middle of a stream;
/// 2. turns it away at once while the service refuses most calls, or its circuit breaker is open;
/// 3. attaches a service token, unless the method is public;
/// 4. picks the better of two ready endpoints, and sends the request with `x-request-id`, the W3C trace and, as
///    `grpc-timeout`, the time that is left;
/// 5. sends it again where the policy has it and nothing forbids it (gRFC A6), and where it provably never left or was
///    refused;
/// 6. writes the status in the trailers to the one ledger from which balancing, outlier detection, breaker and metrics read.
///
/// # Errors
/// The service's own answer where there is one. UNAVAILABLE when it cannot be reached, is left alone by the circuit breaker or
/// refuses too much; what the token's issuer answers when no token can be had. Each error carries a
/// [`CallReport`](crate::CallReport).
///
/// # Cancel safety
/// Dropping a call resets its stream; the server sees it cancelled.
#[derive(Clone)]
pub struct Channel {
    shared: Arc<Shared>,
}

/// A name that never resolved: there is no address to send a call to.
#[derive(Debug, thiserror::Error)]
#[error("{target} was looked up for {waited:?} and has no address")]
pub struct NeverResolved {
    target: String,
    waited: Duration,
    /// What the last look-up failed with; `None`: there was no answer yet.
    #[source]
    source: Option<Arc<ResolveError>>,
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel")
            .field("to", &self.shared.failures)
            .finish_non_exhaustive()
    }
}

impl Channel {
    /// A channel to the service of these contracts at `target`. `tokens` attaches a token to each call of a method that is
    /// not public.
    ///
    /// # Errors
    /// See [`BuildError`].
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn new(
        target: &Target,
        contracts: &[&'static ServicePolicy],
        tokens: Option<TokenCache>,
    ) -> Result<Self, BuildError> {
        Self::builder(target, contracts).tokens(tokens).build()
    }

    /// A channel to the service of these contracts at `target`, in the making.
    pub fn builder(target: &Target, contracts: &[&'static ServicePolicy]) -> Builder {
        Builder::new(target, contracts)
    }

    pub(crate) fn over(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// What it knows of its target now.
    pub fn status(&self) -> ChannelStatus {
        self.shared.status()
    }

    /// Waits until the target has an address, at most so long.
    ///
    /// # Errors
    /// [`NeverResolved`] with what the resolver says.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn resolved(&self, within: Duration) -> Result<(), NeverResolved> {
        let mut views = self.shared.discovery.subscribe();
        let known = views.wait_for(|view| !view.addresses.is_empty());
        let resolved = match tokio::time::timeout(within, known).await {
            Ok(Ok(_)) => true,
            // No more look-ups: what is known stays so.
            Ok(Err(_)) => !self.shared.discovery.view().addresses.is_empty(),
            Err(_) => false,
        };
        if resolved {
            return Ok(());
        }
        Err(NeverResolved {
            target: self.shared.failures.target().to_owned(),
            waited: within,
            source: self.shared.discovery.view().error,
        })
    }
}

impl tower::Service<Request<Body>> for Channel {
    type Response = Response<ResponseBody>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Status>> + Send>>;

    /// Always ready: an endpoint is waited for within the call's deadline.
    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(Call::make(Arc::clone(&self.shared), request))
    }
}
