//! A call: admission, attempts, and what becomes of it.

mod attempt;
mod hedge;
mod record;
mod timer;

use std::borrow::Cow;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, Uri, header};
use scribemed_auth::{Token, TokenCache};
use scribemed_resilience::Tick;
use scribemed_resilience::backoff::Backoff;
use scribemed_resilience::decide::{Retries, Rules, Verdict};
use scribemed_rpc::metadata;
use scribemed_rpc::policy::Idempotency;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};

use self::attempt::{Attempt, Failed, Refusal};
pub(crate) use self::record::{Record, code_of};
use self::timer::Interrupted;
pub(crate) use self::timer::Timer;
use crate::body::Framing;
use crate::connection::RecvBody;
use crate::endpoint::Endpoint;
use crate::outgoing::Outgoing;
use crate::payload::Payload;
use crate::policy::Reattempt;
use crate::response::ResponseBody;
use crate::shared::{Method, Shared};
use crate::ticket::Ticket;
use crate::traced::AttemptSpan;

/// A call on its way.
pub(crate) struct Call {
    shared: Arc<Shared>,
    method: Arc<Method>,
    pub(crate) record: Record,
    uri: Uri,
    /// What the caller and the generated client say; what the channel adds is added to each attempt. Empty where that is no
    /// more than what every request of gRPC has.
    headers: HeaderMap,
    payload: Payload,
    token: Option<Arc<Token>>,
    pub(crate) timer: Timer,
}

/// What every request of gRPC has (PROTOCOL-HTTP2, Requests).
const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");
const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

/// Whether it holds no more than what every request has.
fn is_plain(headers: &HeaderMap) -> bool {
    headers.len() == 2
        && headers.get(header::TE) == Some(&TRAILERS)
        && headers.get(header::CONTENT_TYPE) == Some(&GRPC)
}

/// Where the token of a call comes from: one for all calls, or one for the end user on whose behalf it is made.
fn tokens<'a>(shared: &'a Shared, outgoing: &Outgoing) -> Option<Cow<'a, TokenCache>> {
    let tokens = shared.tokens.as_ref()?;
    Some(match outgoing.subject() {
        None => Cow::Borrowed(tokens),
        Some(subject) => Cow::Owned(tokens.on_behalf_of(subject)),
    })
}

/// An answer whose head is there.
type Answer = Response<ResponseBody>;

impl Call {
    /// Makes a call of `request`.
    ///
    /// # Cancel safety
    /// Dropping it ends every attempt: their streams are reset.
    pub(crate) async fn make(
        shared: Arc<Shared>,
        request: Request<Body>,
    ) -> Result<Answer, Status> {
        let (parts, body) = request.into_parts();
        let method = Arc::clone(shared.method(parts.uri.path()));
        let policy = method.policy.load_full();
        let mut outgoing =
            Outgoing::new(&policy, &parts.headers, &shared.failures).inspect_err(|status| {
                let (code, none) = (status.code() as i32, std::time::Duration::ZERO);
                method.metrics.call_ended(code, none, 0, 0, 0, none);
            })?;
        if let Some(tracer) = &shared.tracer {
            outgoing.sample(tracer);
        }
        let now = shared.clock.at(outgoing.begun());
        let mut headers = parts.headers;
        if outgoing.was_asked() {
            headers.remove(metadata::GRPC_TIMEOUT);
        }
        let mut record = Record::new(&shared, &method, policy, outgoing, now);
        let mut body = Some(body);
        let payload = poll_fn(|cx| {
            let body = body.take().unwrap_or_default();
            Poll::Ready(Payload::read(body, cx))
        })
        .await
        .inspect_err(|status| record.end_now(status.code()))?;
        let mut uri = http::uri::Parts::default();
        uri.scheme = Some(shared.scheme.clone());
        uri.authority = Some(shared.authority.clone());
        uri.path_and_query = parts.uri.into_parts().path_and_query;
        // On the heap, once: everything below hands on the box and not its content.
        let call = Box::new(Self {
            uri: Uri::from_parts(uri).unwrap_or_default(),
            shared,
            method,
            record,
            headers,
            payload,
            token: None,
            timer: Timer::default(),
        });
        call.run(now).await
    }

    async fn run(mut self: Box<Self>, now: Tick) -> Result<Answer, Status> {
        if let Err(status) = self.admit(now).await {
            self.record.end_now(status.code());
            return Err(status);
        }
        let policy = Arc::clone(&self.record.policy);
        match (&policy.reattempt, &self.payload) {
            (Reattempt::Hedge(hedging), Payload::Whole(body))
                if self.record.outgoing.previous_attempts() == 0 =>
            {
                let body = body.clone();
                Box::pin(self.hedge(hedging, body)).await
            }
            _ => self.retry().await,
        }
    }

    /// What must hold before anything is sent.
    async fn admit(&mut self, now: Tick) -> Result<(), Status> {
        if let Payload::Whole(messages) = &self.payload {
            let limit = self.record.policy.max_request_bytes;
            if let Err(size) = Framing::default().check(messages, limit) {
                let contract = self.method.contract;
                return Err(self
                    .shared
                    .failures
                    .request_too_large(contract, limit, size));
            }
        }
        let throttle = self.shared.adaptive.of(&self.method);
        if !throttle.admit(now, &mut self.shared.random.source()) {
            self.shared.metrics.throttled();
            let share = throttle.rejected_share(now);
            return Err(self.shared.failures.throttled(share));
        }
        self.shared.budget.deposit(now);
        if self.method.needs_token
            && let Some(tokens) = tokens(&self.shared, &self.record.outgoing)
        {
            let token = match tokens.cached() {
                Some(token) => token,
                None => match self
                    .timer
                    .until(&self.record.outgoing, None, tokens.get())
                    .await
                {
                    Ok(got) => got.map_err(|error| self.shared.failures.no_credentials(&error))?,
                    Err(interrupted) => return Err(self.interrupted(interrupted)),
                },
            };
            self.token = Some(token);
        }
        Ok(())
    }

    /// One attempt after the other, as long as the policy has it (gRFC A6).
    async fn retry(mut self: Box<Self>) -> Result<Answer, Status> {
        let shared = Arc::clone(&self.shared);
        let policy = Arc::clone(&self.record.policy);
        let mut retries = Retries::new();
        let mut last: Option<Failed> = None;
        let mut avoid: Option<Arc<Endpoint>> = None;
        let mut now = self.record.outgoing.begun();
        loop {
            let ticket = match self.ticket(avoid.as_ref(), now).await {
                Ok(ticket) => ticket,
                // What an endpoint said tells more than that there is none to ask again.
                Err(refusal) => {
                    return match last.take() {
                        Some(failed) if !refusal.is_end() => self.deliver(failed),
                        _ => Err(self.refused(refusal)),
                    };
                }
            };
            avoid = Some(Arc::clone(&ticket.endpoint));
            let failed = match self.attempt(ticket, retries.previous_attempts()).await {
                Attempt::Answered(response, ticket) => return Ok(self.answered(response, ticket)),
                Attempt::Over(status) => {
                    self.record.end_now(status.code());
                    return Err(status);
                }
                Attempt::Failed(failed) => failed,
            };
            if !self.can_replay() {
                retries.commit();
            }
            let deadline = self.record.outgoing.deadline().remaining();
            let judged = shared.clock.now();
            let mut rules = Rules {
                repeatable: policy.idempotency != Idempotency::Unknown,
                max_attempts: 1,
                retryable: false,
                backoff: Backoff::DEFAULT,
                previous_attempts: self.record.outgoing.previous_attempts(),
                throttle: None,
                budget: Some(&shared.budget),
                deadline: judged.after(deadline),
            };
            let throttle = shared.throttle.load_full();
            if let Reattempt::Retry(retry) = &policy.reattempt {
                rules.max_attempts = retry.max_attempts;
                rules.backoff = retry.backoff;
                rules.throttle = throttle.as_deref();
                rules.retryable = retry.codes.contains(failed.failure.code);
            }
            let random = &mut shared.random.source();
            let verdict = retries.on_failure(&rules, failed.failure, judged, random);
            let wait = match verdict {
                Verdict::Transparent => {
                    self.record.transparent_retries += 1;
                    self.record.transparent = true;
                    // A connection that takes nothing may not have been taken out of rotation yet: let that happen.
                    tokio::task::yield_now().await;
                    std::time::Duration::ZERO
                }
                Verdict::Retry { after } => {
                    self.record.retries += 1;
                    self.record.transparent = false;
                    after
                }
                Verdict::Stop(_why) => {
                    self.record.failed(&failed);
                    return self.deliver(failed);
                }
            };
            self.record.failed(&failed);
            last = Some(failed);
            if !wait.is_zero() {
                self.record.retry_delay += wait;
                if let Err(interrupted) = self.pause(wait).await {
                    return Err(self.over(interrupted));
                }
            }
            now = Instant::now();
        }
    }

    /// Waits between two attempts.
    async fn pause(&mut self, wait: std::time::Duration) -> Result<(), Interrupted> {
        let until = Instant::now() + wait;
        let never = std::future::pending::<()>();
        match self
            .timer
            .until(&self.record.outgoing, Some(until), never)
            .await
        {
            Ok(()) | Err(Interrupted::Elapsed) => Ok(()),
            Err(interrupted) => Err(interrupted),
        }
    }

    /// The head of one attempt.
    fn head(&mut self, previous_attempts: u32, ticket: &mut Ticket) -> Request<()> {
        let mut request = Request::new(());
        *request.method_mut() = http::Method::POST;
        *request.version_mut() = http::Version::HTTP_2;
        *request.uri_mut() = self.uri.clone();
        let mut headers = if is_plain(&self.headers) {
            std::mem::take(&mut self.headers)
        } else {
            self.headers.clone()
        };
        if headers.is_empty() {
            headers.insert(header::TE, TRAILERS);
            headers.insert(header::CONTENT_TYPE, GRPC);
        }
        if let Some(token) = &self.token {
            // There is a token for each end user: in HPACK's table they would drive each other out.
            let value = match self.record.outgoing.subject() {
                None => token.indexed_header(),
                Some(_) => token.header().clone(),
            };
            headers.insert(metadata::X_SERVICE_AUTHORIZATION, value);
        }
        if previous_attempts > 0 {
            headers.insert(
                metadata::GRPC_PREVIOUS_RPC_ATTEMPTS,
                HeaderValue::from(previous_attempts),
            );
        }
        ticket.span = self.record.attempt_span(previous_attempts);
        let span = ticket.span.as_deref().map(AttemptSpan::context);
        let primed = ticket.connection.is_primed();
        self.record
            .outgoing
            .write(&mut headers, ticket.at(), primed, span);
        *request.headers_mut() = headers;
        request
    }

    /// The time now.
    pub(crate) fn now(&self) -> Tick {
        self.shared.clock.now()
    }

    fn can_replay(&self) -> bool {
        match &self.payload {
            Payload::Whole(_) => true,
            Payload::Stream(pump) => pump.can_replay(),
        }
    }

    /// The answer has begun. From here on the call is committed.
    fn answered(mut self: Box<Self>, response: Response<h2::RecvStream>, ticket: Ticket) -> Answer {
        // What could be sent again is let go of.
        let payload = std::mem::replace(&mut self.payload, Payload::Whole(Bytes::new()));
        let pump = match payload {
            Payload::Whole(_) => None,
            Payload::Stream(pump) => {
                pump.commit();
                Some(pump)
            }
        };
        let ok = code_of(response.headers()) == Some(Code::Ok);
        response.map(|stream| ResponseBody::new(RecvBody::new(stream), ok, ticket, self, pump))
    }

    /// What the last attempt failed with, which the record knows, is what the call fails with.
    fn deliver(mut self: Box<Self>, failed: Failed) -> Result<Answer, Status> {
        let code = failed.failure.code;
        if code == Code::Unauthenticated
            && let (Some(tokens), Some(token)) =
                (tokens(&self.shared, &self.record.outgoing), &self.token)
        {
            // It was refused before anything was done; the next call asks for a new one.
            tokens.invalidate(token);
        }
        self.record.end_now(code);
        failed.deliver(&self.record)
    }

    fn refused(&mut self, refusal: Refusal) -> Status {
        let report = self.record.report(None);
        let failures = &self.shared.failures;
        let status = match refusal {
            Refusal::Interrupted(interrupted) => self.interrupted(interrupted),
            Refusal::NobodyThere(why) => failures.unreachable(&why, &report),
            Refusal::CircuitOpen(open) => failures.circuit_open(open.retry_in, &report),
        };
        self.record.end_now(status.code());
        status
    }

    fn over(&mut self, interrupted: Interrupted) -> Status {
        let status = self.interrupted(interrupted);
        self.record.end_now(status.code());
        status
    }

    fn interrupted(&self, interrupted: Interrupted) -> Status {
        let report = self.record.report(None);
        match interrupted {
            Interrupted::Cancelled => self.shared.failures.cancelled(&report),
            Interrupted::Deadline | Interrupted::Elapsed => {
                self.shared.failures.deadline_exceeded(&report)
            }
        }
    }
}
