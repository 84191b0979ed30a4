//! What happens to a call between the connection and the handler, in order.

use std::borrow::Cow;
use std::future::{Future as _, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use futures_util::FutureExt as _;
use h2::RecvStream;
use http::request::Parts;
use http::{HeaderMap, Request, StatusCode};
use scribemed_auth::{Principal, Verifier};
use scribemed_rpc::policy::Access;
use scribemed_rpc::{
    CallContext, Deadline, Fault, RequestId, TraceContext, metadata, parse_timeout, reason,
};
use tonic::body::Body;
use tonic::{Code, Status};
use tracing::Instrument as _;

use crate::body::RequestBody;
use crate::call::Call;
use crate::expiry::Expiry;
use crate::limit::Limited;
use crate::peer::Peer;
use crate::quota::Quotas;
use crate::response::{Answer, deadline_exceeded, panicked, settle};
use crate::route::{Route, Routes};
use crate::shed::{Arrival, Ended, Gate, too_late};

/// The services and what stands before them.
pub(crate) struct Stack {
    pub(crate) routes: Routes,
    pub(crate) gate: Arc<Gate>,
    /// `None`: nobody is limited.
    pub(crate) quotas: Option<Quotas>,
    pub(crate) verifier: Verifier,
    /// The domain of the errors that the stack itself gives: `transcription.scribemed`.
    pub(crate) domain: &'static str,
}

impl Stack {
    /// Serves one call.
    pub(crate) async fn serve(
        &self,
        request: Request<RecvStream>,
        peer: &Peer,
        arrival: Arrival,
    ) -> http::Response<Answer> {
        let (parts, body) = request.into_parts();
        let headers = &parts.headers;
        if !is_grpc(headers) {
            return not_grpc(peer);
        }
        // 1. Request id and trace: taken over or made. Everything after this can be found in the log.
        let request_id = RequestId::from_headers(headers).unwrap_or_else(RequestId::generate);
        let trace = TraceContext::from_headers(headers).ok().flatten();
        let trace = trace.map_or_else(TraceContext::root, |caller| caller.child());
        // 2. The deadline: the shorter of the caller's and the contract's, over all that follows.
        let path = parts.uri.path();
        let route = self.routes.route(arrival.found);
        let policy = route.and_then(|route| route.policy);
        let timeout = headers
            .get(metadata::GRPC_TIMEOUT)
            .map(parse_timeout)
            .transpose();
        let time = [
            timeout.as_ref().ok().copied().flatten(),
            policy.map(|policy| policy.timeout),
        ]
        .into_iter()
        .flatten()
        .min();
        // From the arrival on: the wait for this turn counts.
        let deadline = time.map(|time| Deadline::from(arrival.at, time));
        let mut stay = self.gate.stay(arrival, route);
        let context = CallContext::new(deadline, request_id, trace)
            .with_previous_attempts(previous_attempts(headers));
        let name = policy.map_or_else(
            || Cow::Owned(shown(path).trim_start_matches('/').to_owned()),
            |policy| Cow::Borrowed(policy.path.trim_start_matches('/')),
        );
        let mut call = Call::new(
            name,
            policy.is_none() && route.is_some(),
            context,
            peer.clone(),
        );
        let mut expiry = Expiry::new(deadline);

        let answered = {
            let work = async {
                timeout.map_err(|malformed| {
                    Fault::new(
                        Code::InvalidArgument,
                        reason::MALFORMED_TIMEOUT,
                        self.domain,
                        malformed.to_string(),
                    )
                })?;
                // Shedding, before anything is done for the call; and one that cannot be answered in time is not begun.
                if let Some(refusal) = stay.refusal() {
                    return Ok(refusal);
                }
                if deadline.is_some_and(|deadline| stay.is_too_late(deadline)) {
                    return Err(too_late(self.domain));
                }
                self.answer(parts, body, route, &call).await
            };
            // 6. Panic isolation: a handler that panics fails its call and nothing else.
            let work = AssertUnwindSafe(work).catch_unwind();
            let mut work = pin!(work.instrument(call.span().clone()));
            // An answer that comes with the deadline is an answer.
            poll_fn(|cx| match work.as_mut().poll(cx) {
                Poll::Ready(answered) => Poll::Ready(Some(answered)),
                Poll::Pending => expiry.poll(cx).map(|()| None),
            })
            .await
        };
        stay.end(match &answered {
            Some(Ok(Ok(response))) => Ended::Answered(response.headers()),
            Some(Ok(Err(_)) | Err(_)) => Ended::Otherwise,
            None => Ended::Expired,
        });
        // 7. Error details and the request id on every answer.
        let response = match answered {
            Some(Ok(Ok(response))) => response,
            Some(Ok(Err(status))) => status.into_http(),
            Some(Err(_panic)) => panicked(self.domain).into_http(),
            None => deadline_exceeded(self.domain).into_http(),
        };
        let (mut head, body) = response.into_parts();
        if head.headers.contains_key(metadata::GRPC_STATUS) {
            call.end(settle(&mut head.headers, self.domain));
        }
        request_id.write(&mut head.headers);
        http::Response::from_parts(head, Answer::new(body, expiry, call, self.domain))
    }

    /// Checks who calls and hands over to the service.
    async fn answer(
        &self,
        mut parts: Parts,
        body: RecvStream,
        route: Option<Route<'_>>,
        call: &Call,
    ) -> Result<http::Response<Body>, Status> {
        let Some(route) = route else {
            return Err(self.unknown(parts.uri.path()));
        };
        // 3. Authentication, and 4. the permissions that the contract asks for. Health and reflection are open to everybody.
        if let Some(policy) = route.policy
            && let Access::Permissions(required) = policy.access
        {
            let principal = self.authenticate(&parts.headers).await?;
            call.set_caller(&principal);
            // How often it may call. Who it is must be known for that.
            if let Some(quotas) = &self.quotas {
                quotas.take(principal.service(), self.domain)?;
            }
            let missing = principal.missing(required);
            if !missing.is_empty() {
                return Err(self.forbidden(principal.service(), &missing));
            }
            parts.extensions.insert(principal);
        }
        // 5. The contract's size limit, before the message is received. Validation follows in the codec.
        let body = Limited::new(RequestBody::new(body), route.policy, self.domain);
        let request = Request::from_parts(parts, Body::new(body));
        let handler = call
            .context()
            .clone()
            .scope(async { route.server.serve(request).await });
        match handler.await {
            Ok(response) => Ok(response),
            Err(never) => match never {},
        }
    }

    async fn authenticate(&self, headers: &HeaderMap) -> Result<Principal, Status> {
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
fn not_grpc(peer: &Peer) -> http::Response<Answer> {
    let context = CallContext::background();
    let mut call = Call::new(Cow::Borrowed("-"), false, context, peer.clone());
    call.end(Code::InvalidArgument);
    let answer = Answer::new(Body::empty(), Expiry::new(None), call, "contract.scribemed");
    let mut response = http::Response::new(answer);
    *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    response
}

/// How many attempts came before this one (gRFC A6). What cannot be read counts as a first attempt.
fn previous_attempts(headers: &HeaderMap) -> u32 {
    headers
        .get(metadata::GRPC_PREVIOUS_RPC_ATTEMPTS)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .unwrap_or(0)
}
