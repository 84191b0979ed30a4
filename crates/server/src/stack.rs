//! What happens to a call between the connection and the handler, in order.

use std::borrow::Cow;
use std::future::{Future as _, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use futures_util::FutureExt as _;
use h2::RecvStream;
use http::request::Parts;
use http::{HeaderMap, Method, Request, StatusCode};
use scribemed_audit::AuditLog;
use scribemed_auth::verifier::bearer_token;
use scribemed_auth::{Clock, Principal, Verifier};
use scribemed_rpc::policy::Access;
use scribemed_rpc::{
    CallContext, Deadline, Fault, RequestId, SubjectToken, TraceContext, metadata, parse_timeout,
    reason, well_formed,
};
use scribemed_telemetry::metrics::ServerMetrics;
use scribemed_telemetry::traces::Tracer;
use tonic::body::Body;
use tonic::{Code, Status};
use tracing::Instrument as _;

use crate::body::RequestBody;
use crate::call::Call;
use crate::expiry::Expiry;
use crate::limit::Limited;
use crate::observe::{self, Observed};
use crate::peer::Peer;
use crate::quota::Quotas;
use crate::response::{Answer, deadline_exceeded, panicked, settle};
use crate::route::{Route, Routes};
use crate::shed::{Arrival, Ended, Gate, too_late};
use crate::versions::AfterSunset;

/// The services and what stands before them.
pub(crate) struct Stack {
    pub(crate) routes: Routes,
    pub(crate) gate: Arc<Gate>,
    /// `None`: nobody is limited.
    pub(crate) quotas: Option<Quotas>,
    pub(crate) verifier: Verifier,
    /// The domain of the errors that the stack itself gives: `transcription.scribemed`.
    pub(crate) domain: &'static str,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) after_sunset: AfterSunset,
    /// What is told of calls of methods that there are not.
    pub(crate) other: Arc<observe::Method>,
    pub(crate) audit: Option<AuditLog>,
    pub(crate) metrics: ServerMetrics,
    pub(crate) tracer: Option<Tracer>,
}

#[cfg(test)]
impl Stack {
    /// With these routes, and nothing that is not asked for.
    pub(crate) fn bare(routes: Routes) -> Self {
        use scribemed_auth::verifier::{CacheConfig, Config};

        let clock: Arc<dyn Clock> = Arc::new(scribemed_auth::SystemClock);
        let keys = Arc::new(scribemed_auth::KeySet::default());
        let keys =
            scribemed_auth::CachedKeys::new(keys, CacheConfig::default(), Arc::clone(&clock));
        let metrics = scribemed_telemetry::metrics::Metrics::new().server();
        Self {
            routes,
            gate: Gate::new(None, "test.scribemed"),
            quotas: None,
            verifier: Verifier::new(Config::new("issuer", "test"), keys, Arc::clone(&clock)),
            domain: "test.scribemed",
            clock,
            after_sunset: AfterSunset::default(),
            other: Arc::new(observe::Method::other(&metrics)),
            audit: None,
            metrics,
            tracer: None,
        }
    }
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
        if let Some(status) = refusal(&parts) {
            return self.not_grpc(status, peer);
        }
        // 1. Request id and trace: taken over or made. Everything after this can be found in the log.
        let request_id = RequestId::from_headers(headers).unwrap_or_else(RequestId::generate);
        let trace = TraceContext::from_headers(headers).ok().flatten();
        let mut trace = trace.map_or_else(TraceContext::root, |caller| caller.child());
        if let Some(tracer) = &self.tracer {
            trace = tracer.begin(trace);
        }
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
            route.and_then(|route| route.timeout),
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
        let observed = Observed::new(
            route.and_then(|route| route.told).unwrap_or(&self.other),
            self.audit.as_ref(),
            self.tracer.as_ref(),
            &context,
        );
        let call = Call::new(
            name,
            policy.is_none() && route.is_some(),
            context,
            peer.clone(),
            observed,
        );
        let mut expiry = Expiry::new(deadline);

        let answered = {
            let work = async {
                well_formed(&parts.headers)
                    .map_err(|error| self.malformed(reason::MALFORMED_METADATA, &error))?;
                timeout.map_err(|error| self.malformed(reason::MALFORMED_TIMEOUT, &error))?;
                // Shedding, before anything is done for the call; and one that cannot be answered in time is not begun.
                if let Some(refusal) = stay.refusal() {
                    return Ok(refusal);
                }
                if deadline.is_some_and(|deadline| stay.is_too_late(deadline)) {
                    return Err(too_late(self.domain));
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
        stay.end(match &answered {
            Some(Ok(Ok(response))) => Ended::Answered(response.headers()),
            Some(Ok(Err(_)) | Err(_)) => Ended::Otherwise,
            None => Ended::Expired,
        });
        // 8. Error details, the request id, and the end of a version on every answer.
        let response = match answered {
            Some(Ok(Ok(response))) => response,
            Some(Ok(Err(status))) => status.into_http(),
            Some(Err(_panic)) => {
                call.observed().panicked();
                panicked(self.domain).into_http()
            }
            None => deadline_exceeded(self.domain).into_http(),
        };
        self.finish(response, route, call, expiry).await
    }

    /// What every answer gets.
    async fn finish(
        &self,
        response: http::Response<Body>,
        route: Option<Route<'_>>,
        mut call: Call,
        mut expiry: Expiry,
    ) -> http::Response<Answer> {
        let (mut head, body) = response.into_parts();
        if head.headers.contains_key(metadata::GRPC_STATUS) {
            let code = settle(&mut head.headers, self.domain, &call);
            if let Some(mut written) = call.end(code) {
                // An answer that has passed its deadline is read by nobody.
                poll_fn(|cx| match Pin::new(&mut written).poll(cx) {
                    Poll::Ready(()) => Poll::Ready(()),
                    Poll::Pending => expiry.poll(cx),
                })
                .await;
            }
        }
        call.context().request_id().write(&mut head.headers);
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
            call.set_caller(&principal)
                .map_err(|audit| self.not_audited(audit))?;
            // The service that the connection is of, where mTLS tells it, must be the one that the token is of.
            if let Some(certified) = call.peer().identity()
                && certified.service() != principal.service()
            {
                return Err(self.mismatch(certified.service(), principal.service()));
            }
            // How often it may call. Who it is must be known for that.
            if let Some(quotas) = &self.quotas {
                quotas.take(principal.service(), self.domain)?;
            }
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
        let received = Arc::clone(call.observed().received());
        let body = Limited::new(RequestBody::new(body), route.policy, self.domain, received);
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

    fn malformed(&self, reason: &'static str, what: &dyn std::fmt::Display) -> Status {
        let message = what.to_string();
        Fault::new(Code::InvalidArgument, reason, self.domain, message).into_status()
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

    /// A token bound to another connection is an invalid one (RFC 8705, section 3).
    fn mismatch(&self, certified: &str, caller: &str) -> Status {
        tracing::warn!(
            certified,
            caller,
            "a token came over another service's connection"
        );
        Fault::new(
            Code::Unauthenticated,
            reason::CALLER_MISMATCH,
            self.domain,
            format!(
                "the token is of {caller} and the certificate of the connection of {certified}; both must be of the service \
                 that calls"
            ),
        )
        .metadata("caller", caller)
        .metadata("certified", certified)
        .into_status()
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

    /// The caller may try again elsewhere: nothing was done.
    fn not_audited(&self, unavailable: scribemed_audit::Unavailable) -> Status {
        Fault::new(
            Code::Unavailable,
            reason::AUDIT_UNAVAILABLE,
            self.domain,
            unavailable.to_string(),
        )
        .into_status()
    }

    /// The answer to what is no call.
    fn not_grpc(&self, status: StatusCode, peer: &Peer) -> http::Response<Answer> {
        let context = CallContext::background();
        let observed = Observed::new(&self.other, None, None, &context);
        let mut call = Call::new(Cow::Borrowed("-"), false, context, peer.clone(), observed);
        drop(call.end(Code::InvalidArgument));
        let answer = Answer::new(Body::empty(), Expiry::new(None), call, "contract.scribemed");
        let mut response = http::Response::new(answer);
        *response.status_mut() = status;
        if status == StatusCode::METHOD_NOT_ALLOWED {
            // RFC 9110, section 15.5.6.
            let post = http::HeaderValue::from_static("POST");
            response.headers_mut().insert(http::header::ALLOW, post);
        }
        response
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

/// The HTTP status for what is no call: 415 for any other content type (PROTOCOL-HTTP2, Content-Type), 405 for any other method than
/// POST (PROTOCOL-HTTP2, Requests).
fn refusal(parts: &Parts) -> Option<StatusCode> {
    if !is_grpc(&parts.headers) {
        Some(StatusCode::UNSUPPORTED_MEDIA_TYPE)
    } else if parts.method != Method::POST {
        Some(StatusCode::METHOD_NOT_ALLOWED)
    } else {
        None
    }
}

/// `application/grpc`, alone or with a format (PROTOCOL-HTTP2, Content-Type).
fn is_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.as_bytes().strip_prefix(b"application/grpc"))
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

/// How many attempts came before this one (gRFC A6). What cannot be read counts as a first attempt.
fn previous_attempts(headers: &HeaderMap) -> u32 {
    headers
        .get(metadata::GRPC_PREVIOUS_RPC_ATTEMPTS)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .unwrap_or(0)
}
