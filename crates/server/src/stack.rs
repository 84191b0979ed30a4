//! What happens to a call between the connection and the handler, in order.

use std::collections::HashMap;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use http::{HeaderMap, Request, StatusCode};
use hyper::body::Incoming;
use scribemed_auth::Verifier;
use scribemed_rpc::policy::{Access, MethodPolicy};
use scribemed_rpc::{
    CallContext, Deadline, Fault, RequestId, TraceContext, metadata, parse_timeout, reason,
};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::ServiceExt as _;
use tower::util::BoxCloneSyncService;
use tracing::Instrument as _;

use crate::call::Call;
use crate::limit::Limited;
use crate::response::{Response, deadline_exceeded, panicked, settle};

/// A generated server behind one type.
pub(crate) type Route = BoxCloneSyncService<Request<Body>, http::Response<Body>, Infallible>;

/// The services and what stands before them.
pub(crate) struct Stack {
    /// By full name.
    pub(crate) routes: HashMap<&'static str, Route>,
    /// By path.
    pub(crate) methods: HashMap<&'static str, &'static MethodPolicy>,
    pub(crate) verifier: Verifier,
    /// The domain of the errors that the stack itself gives: `transcription.scribemed`.
    pub(crate) domain: &'static str,
}

impl Stack {
    /// Serves one call.
    pub(crate) async fn serve(&self, request: Request<Incoming>) -> http::Response<Response> {
        let headers = request.headers();
        if !is_grpc(headers) {
            return not_grpc();
        }
        // 1. Request id and trace: taken over or made. Everything after this can be found in the log.
        let request_id = RequestId::from_headers(headers).unwrap_or_else(RequestId::generate);
        let trace = TraceContext::from_headers(headers).ok().flatten();
        let trace = trace.map_or_else(TraceContext::root, |caller| caller.child());
        // 2. The deadline: the shorter of the caller's and the contract's, over all that follows.
        let path = request.uri().path();
        let policy = self.methods.get(path).copied();
        let timeout = headers
            .get(metadata::GRPC_TIMEOUT)
            .map(parse_timeout)
            .transpose();
        let deadline = [
            timeout.as_ref().ok().copied().flatten(),
            policy.map(|policy| policy.timeout),
        ]
        .into_iter()
        .flatten()
        .min()
        .map(Deadline::after);
        let context = CallContext::new(deadline, request_id, trace);
        let name = shown(path).trim_start_matches('/').to_owned();
        let mut call = Call::new(
            name,
            policy.is_none() && self.route(path).is_some(),
            attempt(headers),
            context,
        );
        let span = call.span().clone();

        let work = async {
            timeout.map_err(|malformed| {
                Fault::new(
                    Code::InvalidArgument,
                    reason::MALFORMED_TIMEOUT,
                    self.domain,
                    malformed.to_string(),
                )
            })?;
            if deadline.is_some_and(Deadline::has_passed) {
                return Err(deadline_exceeded(self.domain));
            }
            self.answer(request, policy, &mut call).await
        };
        // 6. Panic isolation: a handler that panics fails its call and nothing else.
        let work = AssertUnwindSafe(work).catch_unwind();
        let answered = match deadline {
            Some(deadline) => {
                tokio::time::timeout_at(deadline.instant(), work.instrument(span)).await
            }
            None => Ok(work.instrument(span).await),
        };
        // 7. Error details and the request id on every answer.
        let response = match answered {
            Ok(Ok(Ok(response))) => response,
            Ok(Ok(Err(status))) => status.into_http(),
            Ok(Err(_panic)) => panicked(self.domain).into_http(),
            Err(_elapsed) => deadline_exceeded(self.domain).into_http(),
        };
        let (mut head, body) = response.into_parts();
        if head.headers.contains_key(metadata::GRPC_STATUS) {
            call.end(settle(&mut head.headers, self.domain));
        }
        request_id.write(&mut head.headers);
        http::Response::from_parts(head, Response::new(body, call, self.domain))
    }

    /// Checks who calls and hands over to the service.
    async fn answer(
        &self,
        request: Request<Incoming>,
        policy: Option<&'static MethodPolicy>,
        call: &mut Call,
    ) -> Result<http::Response<Body>, Status> {
        let (mut parts, body) = request.into_parts();
        let route = self.route(parts.uri.path()).cloned();
        let Some(route) = route else {
            return Err(self.unknown(parts.uri.path()));
        };
        let body = match policy {
            Some(policy) => {
                // 3. Authentication, and 4. the permissions that the contract asks for.
                if let Access::Permissions(required) = policy.access {
                    let principal = self.authenticate(&parts.headers).await?;
                    call.set_caller(principal.service());
                    let missing = principal.missing(required);
                    if !missing.is_empty() {
                        return Err(self.forbidden(principal.service(), &missing));
                    }
                    parts.extensions.insert(principal);
                }
                // 5. The contract's size limit, before the message is received. Validation follows in the codec.
                Body::new(Limited::new(body, policy, self.domain))
            }
            // Health and reflection are open to everybody.
            None if !self.has_policies(parts.uri.path()) => Body::new(body),
            None => return Err(self.unknown(parts.uri.path())),
        };
        let request = Request::from_parts(parts, body);
        let context = call.context().clone();
        match context.scope(route.oneshot(request)).await {
            Ok(response) => Ok(response),
            Err(never) => match never {},
        }
    }

    fn route(&self, path: &str) -> Option<&Route> {
        let (service, _method) = path.strip_prefix('/')?.rsplit_once('/')?;
        self.routes.get(service)
    }

    /// Whether the service of `path` has a contract with policies, so that a method without one does not exist.
    fn has_policies(&self, path: &str) -> bool {
        let service = path.rsplit_once('/').map_or(path, |(service, _)| service);
        self.methods.keys().any(|known| {
            known
                .rsplit_once('/')
                .is_some_and(|(known, _)| known == service)
        })
    }

    async fn authenticate(&self, headers: &HeaderMap) -> Result<scribemed_auth::Principal, Status> {
        self.verifier.authenticate(headers).await.map_err(|error| {
            let code = if error.is_unavailable() {
                // What kept the keys away is for the operator; the caller learns that it may try again.
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "no keys to verify tokens with"
                );
                Code::Unavailable
            } else {
                Code::Unauthenticated
            };
            Fault::new(code, error.reason(), self.domain, error.to_string()).into_status()
        })
    }

    fn forbidden(&self, caller: &str, missing: &[&&str]) -> Status {
        let missing = missing
            .iter()
            .map(|permission| **permission)
            .collect::<Vec<_>>()
            .join(" ");
        Fault::new(
            Code::PermissionDenied,
            reason::PERMISSION_MISSING,
            self.domain,
            format!("{caller} lacks the permission {missing}; it must be granted to it, and asked for with its token"),
        )
        .metadata("caller", caller)
        .metadata("missing", missing)
        .into_status()
    }

    fn unknown(&self, path: &str) -> Status {
        let shown = shown(path);
        Fault::new(
            Code::Unimplemented,
            reason::METHOD_UNKNOWN,
            self.domain,
            format!("there is no method {shown}; reflection lists those that there are"),
        )
        .into_status()
    }
}

/// As much of a path as goes into a message or the log: callers may send anything.
fn shown(path: &str) -> &str {
    &path[..path.floor_char_boundary(200)]
}

/// `application/grpc`, alone or with a format (PROTOCOL-HTTP2, Content-Type).
fn is_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.as_bytes().strip_prefix(b"application/grpc"))
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

/// 415, as PROTOCOL-HTTP2 has it for any other content type.
fn not_grpc() -> http::Response<Response> {
    let context = CallContext::background();
    let mut call = Call::new("-".to_owned(), false, 0, context);
    call.end(Code::InvalidArgument);
    let mut response =
        http::Response::new(Response::new(Body::empty(), call, "contract.scribemed"));
    *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    response
}

/// How many attempts came before this one (gRFC A6).
fn attempt(headers: &HeaderMap) -> u32 {
    headers
        .get(metadata::GRPC_PREVIOUS_RPC_ATTEMPTS)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .unwrap_or(0)
}
