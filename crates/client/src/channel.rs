//! The channel.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use scribemed_auth::TokenCache;
use scribemed_discovery::Target;
use scribemed_rpc::policy::{Access, MethodPolicy, ServicePolicy};
use tonic::Status;
use tonic::body::Body;
use tonic::transport::Endpoint;
use tower::ServiceExt as _;

use crate::failure::Failures;
use crate::outgoing::Outgoing;
use crate::response::ResponseBody;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a peer may stay silent during a call before it is asked whether it is there, and how long it has to answer.
const PING_INTERVAL: Duration = Duration::from_secs(10);
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// A way to a service, to be put under its generated clients. Cheap to clone; clones share the connection.
///
/// For each call it
///
/// 1. takes the earliest of the contract's timeout, the caller's `grpc-timeout` and the deadline of the call that is being
///    served, and ends the call by it: DEADLINE_EXCEEDED, also in the middle of a stream;
/// 2. carries on `x-request-id` and the W3C trace of the call that is being served, or makes new ones;
/// 3. attaches a service token, unless the method is public;
/// 4. sends, as `grpc-timeout`, the time that is left.
///
/// A call is sent once.
///
/// # Errors
/// UNAVAILABLE when the service cannot be reached, with ErrorInfo naming the target; what the token's issuer answers when
/// no token can be had; otherwise the service's own answer.
///
/// # Cancel safety
/// Dropping a call resets its stream; the server sees it cancelled.
#[derive(Clone)]
pub struct Channel {
    shared: Arc<Shared>,
    transport: tonic::transport::Channel,
}

struct Shared {
    failures: Failures,
    methods: HashMap<&'static str, &'static MethodPolicy>,
    tokens: Option<TokenCache>,
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
    /// not public. Nothing is connected until the first call.
    pub fn new(
        target: &Target,
        contracts: &[&'static ServicePolicy],
        tokens: Option<TokenCache>,
    ) -> Self {
        let service = contracts
            .first()
            .map_or("service", |contract| contract.discovery_name);
        let authority = target.authority().parse().ok();
        let mut uri = http::uri::Parts::default();
        uri.scheme = Some(http::uri::Scheme::HTTP);
        uri.authority = authority;
        uri.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
        let transport = Endpoint::from(http::Uri::from_parts(uri).unwrap_or_default())
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIMEOUT)
            .initial_stream_window_size(2 * 1024 * 1024)
            .initial_connection_window_size(5 * 1024 * 1024)
            .connect_lazy();
        let methods = contracts
            .iter()
            .flat_map(|contract| contract.methods)
            .map(|method| (method.path, method))
            .collect();
        let failures = Failures::new(service, target);
        Self {
            shared: Arc::new(Shared {
                failures,
                methods,
                tokens,
            }),
            transport,
        }
    }

    async fn send(self, mut request: Request<Body>) -> Result<Response<ResponseBody>, Status> {
        let Shared {
            failures,
            methods,
            tokens,
        } = &*self.shared;
        let policy = methods.get(request.uri().path()).copied();
        let outgoing = Outgoing::new(policy, request.headers(), failures)?;
        let sending = async {
            let needs_token =
                policy.is_none_or(|policy| matches!(policy.access, Access::Permissions(_)));
            let mut sent_token = None;
            if let Some(tokens) = tokens
                && needs_token
            {
                let token = match tokens.cached() {
                    Some(token) => token,
                    None => tokens
                        .get()
                        .await
                        .map_err(|error| failures.no_credentials(&error))?,
                };
                request
                    .headers_mut()
                    .insert(http::header::AUTHORIZATION, token.header().clone());
                sent_token = Some((tokens, token));
            }
            outgoing.write(request.headers_mut(), failures)?;
            let response = self
                .transport
                .clone()
                .oneshot(request)
                .await
                .map_err(|error| failures.unreachable(&error))?;
            if let Some((tokens, token)) = sent_token
                && Status::from_header_map(response.headers())
                    .is_some_and(|status| status.code() == tonic::Code::Unauthenticated)
            {
                // It was refused before anything was done; the next call asks for a new one.
                tokens.invalidate(&token);
            }
            Ok(response)
        };
        let response = outgoing.bound(sending, failures).await?;
        Ok(response.map(|body| ResponseBody::new(body, outgoing, failures.clone())))
    }
}

impl tower::Service<Request<Body>> for Channel {
    type Response = Response<ResponseBody>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Status>> + Send>>;

    /// Always ready: the transport is waited for within the call's deadline.
    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.clone().send(request))
    }
}
