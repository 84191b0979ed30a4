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
use scribemed_auth::verifier::bearer_token;
use scribemed_auth::{Clock, Principal, Verifier};
use scribemed_rpc::policy::Access;
use scribemed_rpc::{
    CallContext, Deadline, Fault, RequestId, SubjectToken, TraceContext, metadata, parse_timeout,
    reason,
};
use tonic::body::Body;
use tonic::{Code, Status};
use tracing::Instrument as _;

use crate::body::RequestBody;
use crate::call::Call;
use crate::expiry::Expiry;
use crate::limit::Limited;
use crate::peer::Peer;
use crate::response::{Answer, deadline_exceeded, panicked, settle};
use crate::route::{Route, Routes};
use crate::versions::AfterSunset;

/// The services and what stands before them.
pub(crate) struct Stack {
    pub(crate) routes: Routes,
    pub(crate) verifier: Verifier,
    /// The domain of the errors that the stack itself gives: `transcription.scribemed`.
    pub(crate) domain: &'static str,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) after_sunset: AfterSunset,
}

impl Stack {
    /// Serves one call.
    pub(crate) async fn serve(
        &self,
        request: Request<RecvStream>,
        peer: &Peer,
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
        let route = self.routes.find(path);
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
        let deadline = time.map(Deadline::after);
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
                if time.is_some_and(|time| time.is_zero()) {
                    return Err(deadline_exceeded(self.domain));
                }
                self.answer(parts, body, route, &call).await
            };
            // 7. Panic isolation: a handler that panics fails its call and nothing else.
            let work = AssertUnwindSafe(work).catch_unwind();
            let mut work = pin!(work.instrument(call.span().clone()));
            // An answer that comes with the deadline is an answer.
            poll_fn(|cx| match work.as_mut().poll(cx) {
                Poll::Ready(answered) => Poll::Ready(Some(answered)),
                Poll::Pending => expiry.poll(cx).map(|()| None),
            })
            .await
        };
        // 8. Error details, the request id, and the end of a version on every answer.
        let response = match answered {
            Some(Ok(Ok(response))) => response,
            Some(Ok(Err(status))) => status.into_http(),
            Some(Err(_panic)) => panicked(self.domain).into_http(),
            None => deadline_exceeded(self.domain).into_http(),
        };
        let (mut head, body) = response.into_parts();
        if head.headers.contains_key(metadata::GRPC_STATUS) {
            let code = settle(&mut head.headers, self.domain, &call);
            call.end(code);
        }
        request_id.write(&mut head.headers);
        if let Some(signals) = route.and_then(|route| route.signals) {
            signals.write(&mut head.headers);
        }
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
            if principal.on_behalf_of().is_some()
                && let Ok(token) = bearer_token(&parts.headers)
            {
                // What the handler calls, it calls for the same end user.
                call.context().act_for(SubjectToken::access_token(token));
            }
            let missing = principal.missing(required);
            if !missing.is_empty() {
                return Err(self.forbidden(principal.service(), &missing));
            }
            parts.extensions.insert(principal);
        }
        if route.policy.is_none() {
            // Channelz asks who it is, in place of a token.
            parts.extensions.insert(call.peer().clone());
        }
        // 5. A version that may be gone is refused where that is configured.
        if let (Some(policy), Some(signals)) = (route.policy, route.signals)
            && self.after_sunset == AfterSunset::Refuse
            && signals.is_past(self.clock.now())
        {
            return Err(signals.refusal(policy, self.domain));
        }
        // 6. The contract's size limit, before the message is received. Validation follows in the codec.
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
