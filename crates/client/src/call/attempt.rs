//! One attempt of a call.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use scribemed_resilience::breaker::Open;
use scribemed_resilience::decide::{Failure, Sent};
use scribemed_resilience::outcome::Outcome;
use scribemed_resilience::pushback::Pushback;
use scribemed_rpc::metadata;
use tokio::time::Instant;
use tonic::{Code, Status};

use super::timer::Interrupted;
use super::{Answer, Call, Record, code_of};
use crate::balance::{Otherwise, Picked};
use crate::body::sanitize;
use crate::connection::{Broken, Connection, exchange};
use crate::endpoint::Endpoint;
use crate::payload::{Payload, Pump};
use crate::policy::Reattempt;
use crate::response::ResponseBody;
use crate::ticket::Ticket;

/// A call that can be sent again looks so often whether its connection has become suspect, for the first time after the time
/// in which a connection becomes so.
const FIRST_LOOK: Duration = Duration::from_millis(850);
const NEXT_LOOK: Duration = Duration::from_millis(100);

/// How an attempt went.
pub(super) enum Attempt {
    /// The head of an answer is there, and it is not that of a failure.
    Answered(Response<h2::RecvStream>, Ticket),
    /// It failed; perhaps another one does not.
    Failed(Failed),
    /// The call is over.
    Over(Status),
}

/// A failed attempt.
pub(super) struct Failed {
    pub(super) failure: Failure,
    pub(super) endpoint: Arc<str>,
    what: What,
}

enum What {
    /// The service said so, in an answer without a body (Trailers-Only).
    Said(HeaderMap),
    /// What came was no answer.
    NotGrpc(String),
    /// Nothing came.
    Broke(String),
}

/// Why there is no attempt.
pub(super) enum Refusal {
    Interrupted(Interrupted),
    /// Nothing is in rotation.
    NobodyThere(Arc<str>),
    CircuitOpen(Open),
}

impl Refusal {
    /// Whether it ends the call, whatever was before.
    pub(super) fn is_end(&self) -> bool {
        matches!(self, Self::Interrupted(_))
    }
}

impl Failed {
    fn new(ticket: &Ticket, code: Code, sent: Sent, pushback: Pushback, what: What) -> Self {
        Self {
            failure: Failure {
                code,
                sent,
                pushback,
            },
            endpoint: Arc::clone(&ticket.endpoint.name),
            what,
        }
    }

    pub(super) fn broke(ticket: &Ticket, broken: Broken) -> Self {
        let what = What::Broke(broken.what);
        Self::new(ticket, broken.code, broken.sent, Pushback::None, what)
    }

    /// As the caller sees it.
    pub(super) fn deliver(self, record: &Record) -> Result<Answer, Status> {
        let report = record.report(None);
        let code = self.failure.code;
        match self.what {
            What::Said(mut headers) => {
                report.write(&mut headers);
                let mut response = Response::new(ResponseBody::empty());
                *response.headers_mut() = headers;
                Ok(response)
            }
            What::NotGrpc(why) => Err(record.failures().not_grpc(code, &why, &report)),
            What::Broke(why) => Err(record.failures().broken(code, &why, &report)),
        }
    }
}

/// `UNAVAILABLE: draining`.
impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.failure.code;
        match &self.what {
            What::Said(headers) => {
                let status = Status::from_header_map(headers);
                let message = status.as_ref().map_or("", Status::message);
                write!(f, "{code:?}: {message}")
            }
            What::NotGrpc(why) | What::Broke(why) => write!(f, "{code:?}: {why}"),
        }
    }
}

impl Call {
    /// An endpoint for an attempt, another one than `avoid` where there is one, once the breaker lets it through.
    pub(super) async fn ticket(
        &mut self,
        avoid: Option<&Arc<Endpoint>>,
        mut now: Instant,
    ) -> Result<Ticket, Refusal> {
        loop {
            let tick = self.shared.clock.at(now);
            let picked = match self.shared.balancer.pick(avoid, tick) {
                Ok(picked) if !picked.full => picked,
                Err(Otherwise::Failing(why)) if !self.record.policy.wait_for_ready => {
                    return Err(Refusal::NobodyThere(why));
                }
                Ok(_) | Err(_) => {
                    let picked = self.wait_for_endpoint(avoid).await?;
                    now = Instant::now();
                    picked
                }
            };
            match self.shared.breaker.admit(self.shared.clock.at(now)) {
                Ok(permit) => {
                    let (shared, method) = (&self.shared, &self.method);
                    return Ok(Ticket::new(shared, method, picked, permit, now));
                }
                Err(open) if self.record.policy.wait_for_ready => {
                    let wait = open.retry_in.max(Duration::from_millis(1));
                    self.pause(wait).await.map_err(Refusal::Interrupted)?;
                    now = Instant::now();
                }
                Err(open) => return Err(Refusal::CircuitOpen(open)),
            }
        }
    }

    /// Waits for an endpoint: for as long as it is not known whether there is one, or as the policy has it.
    async fn wait_for_endpoint(
        &mut self,
        avoid: Option<&Arc<Endpoint>>,
    ) -> Result<Picked, Refusal> {
        let balancer = Arc::clone(&self.shared.balancer);
        let mut queue = None;
        loop {
            let news = balancer.news();
            match balancer.pick(avoid, self.shared.clock.now()) {
                Ok(picked) if !picked.full => return Ok(picked),
                Ok(_) if queue.is_none() => {
                    queue = Some(balancer.queue.join());
                    continue;
                }
                Err(Otherwise::Failing(why)) if !self.record.policy.wait_for_ready => {
                    return Err(Refusal::NobodyThere(why));
                }
                Ok(_) | Err(_) => {}
            }
            let turn = async {
                match &queue {
                    Some(waiting) => waiting.turn().await,
                    None => std::future::pending().await,
                }
            };
            let changed = async {
                tokio::select! {
                    biased;
                    () = turn => {}
                    () = news => {}
                }
            };
            self.timer
                .until(&self.record.outgoing, None, changed)
                .await
                .map_err(Refusal::Interrupted)?;
        }
    }

    /// Sends one attempt and waits for the head of its answer.
    pub(super) async fn attempt(&mut self, mut ticket: Ticket, previous: u32) -> Attempt {
        let begun = ticket.at();
        let head = self.head(previous, &mut ticket);
        let (whole, pump) = match &self.payload {
            Payload::Whole(body) => (Some(body.clone()), None),
            Payload::Stream(pump) => (None, Some(Arc::clone(pump))),
        };
        ticket.sent_bytes = whole.as_ref().map_or(0, |body| body.len() as u64);
        let (per_attempt, looks) = match &self.record.policy.reattempt {
            Reattempt::Retry(retry) => (
                retry.per_attempt_timeout.map(|timeout| begun + timeout),
                pump.as_ref().is_none_or(|pump| pump.can_replay()),
            ),
            Reattempt::Never | Reattempt::Hedge(_) => (None, false),
        };
        let left = AtomicBool::new(false);
        let connection = Arc::clone(&ticket.connection);
        let mut answering = pin!(send(&connection, head, whole, pump.as_deref(), &left));
        let mut look = looks.then(|| begun + FIRST_LOOK);
        let result = loop {
            let limit = [per_attempt, look].into_iter().flatten().min();
            match self
                .timer
                .until(&self.record.outgoing, limit, answering.as_mut())
                .await
            {
                Err(Interrupted::Elapsed) if ticket.connection.is_suspect() => {
                    break Ok(Err(Broken {
                        code: Code::Unavailable,
                        sent: Sent::Perhaps,
                        everybody: true,
                        what: "the server did not answer a ping".to_owned(),
                    }));
                }
                Err(Interrupted::Elapsed) if per_attempt.is_some_and(|at| at <= Instant::now()) => {
                    break Ok(Err(Broken {
                        code: Code::Unavailable,
                        sent: Sent::Perhaps,
                        everybody: false,
                        what: "the attempt took longer than its per_attempt_timeout".to_owned(),
                    }));
                }
                Err(Interrupted::Elapsed) => look = Some(Instant::now() + NEXT_LOOK),
                other => break other,
            }
        };
        let result = match result {
            Ok(result) => result,
            Err(interrupted) => {
                if left.load(Relaxed) {
                    self.record.sent();
                }
                let report = self.record.report(Some(&ticket));
                let (status, outcome) = if interrupted == Interrupted::Cancelled {
                    (self.shared.failures.cancelled(&report), Outcome::Ignored)
                } else {
                    (
                        self.shared.failures.deadline_exceeded(&report),
                        self.record.judge_lateness(&ticket),
                    )
                };
                ticket.end_as(status.code(), outcome, 0, self.shared.clock.now());
                return Attempt::Over(status);
            }
        };
        if let Some(status) = pump.as_ref().and_then(|pump| pump.error()) {
            return Attempt::Over(status);
        }
        self.settle(ticket, result)
    }

    /// What the head of an answer, or the lack of one, means.
    pub(super) fn settle(
        &mut self,
        ticket: Ticket,
        result: Result<Response<h2::RecvStream>, Broken>,
    ) -> Attempt {
        let never = matches!(&result, Err(broken) if matches!(broken.sent, Sent::Never));
        if !never {
            self.record.sent();
        }
        if let Ok(response) = &result
            && response.headers().contains_key(metadata::DEPRECATION)
        {
            self.method.fades(self.uri.path(), response.headers());
        }
        match judge(ticket, result, self.shared.clock.now()) {
            Ok((response, ticket)) => Attempt::Answered(response, ticket),
            // The service was quicker to notice that the time is over.
            Err(failed)
                if failed.failure.code == Code::Cancelled
                    && self.record.outgoing.deadline().has_passed() =>
            {
                self.record.failed(&failed);
                let report = self.record.report(None);
                let status = self.shared.failures.deadline_exceeded(&report);
                self.record.end_now(status.code());
                Attempt::Over(status)
            }
            Err(failed) => Attempt::Failed(failed),
        }
    }
}

/// Tells a failure from the head of an answer, and writes it to the ledger.
fn judge(
    mut ticket: Ticket,
    result: Result<Response<h2::RecvStream>, Broken>,
    now: scribemed_resilience::Tick,
) -> Result<(Response<h2::RecvStream>, Ticket), Failed> {
    let mut response = match result {
        Ok(response) => response,
        Err(broken) => {
            ticket.with_connection = broken.everybody;
            let failed = Failed::broke(&ticket, broken);
            if matches!(failed.failure.sent, Sent::Never) {
                ticket.never_sent();
            } else {
                ticket.endpoint.failed(failed.to_string());
                ticket.end(failed.failure.code, 0, now);
            }
            return Err(failed);
        }
    };
    ticket.answered(now);
    let said = code_of(response.headers());
    let failed = match said {
        Some(Code::Ok) => None,
        Some(code) => {
            let pushback = Pushback::read(response.headers());
            let mut headers = std::mem::take(response.headers_mut());
            sanitize(&mut headers);
            let what = What::Said(headers);
            Some(Failed::new(&ticket, code, Sent::Perhaps, pushback, what))
        }
        None => not_grpc(&response).map(|(code, why)| {
            let what = What::NotGrpc(why);
            Failed::new(&ticket, code, Sent::Perhaps, Pushback::None, what)
        }),
    };
    match failed {
        None => Ok((response, ticket)),
        Some(failed) => {
            let code = failed.failure.code;
            let outcome = match (&failed.what, code) {
                // Something else is there, and no service of ours.
                (What::NotGrpc(_), Code::Unimplemented) => Outcome::Failure,
                _ => Outcome::of(code),
            };
            if outcome == Outcome::Failure {
                ticket.endpoint.failed(failed.to_string());
            }
            ticket.end_as(code, outcome, 0, now);
            Err(failed)
        }
    }
}

/// The code for a head that is not one of gRPC (http-grpc-status-mapping); `None`: it is.
fn not_grpc(response: &Response<h2::RecvStream>) -> Option<(Code, String)> {
    let status = response.status();
    let code = match status {
        StatusCode::OK => {
            let content_type = response
                .headers()
                .get(header::CONTENT_TYPE)
                .map_or(&b""[..], |value| value.as_bytes());
            if content_type.starts_with(b"application/grpc") {
                return None;
            }
            let shown = String::from_utf8_lossy(&content_type[..content_type.len().min(60)]);
            return Some((
                Code::Unknown,
                format!("its content-type is {shown:?}, not application/grpc"),
            ));
        }
        StatusCode::BAD_REQUEST => Code::Internal,
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::PermissionDenied,
        StatusCode::NOT_FOUND => Code::Unimplemented,
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Code::Unavailable,
        _ => Code::Unknown,
    };
    Some((code, format!("its HTTP status is {status}")))
}

/// Sends a request and waits for the head of its answer. `left` tells whether it was handed to the transport.
pub(super) async fn send(
    connection: &Connection,
    head: Request<()>,
    whole: Option<Bytes>,
    pump: Option<&Pump>,
    left: &AtomicBool,
) -> Result<Response<h2::RecvStream>, Broken> {
    let (exchange, stream) = exchange(connection, head, whole).await?;
    left.store(true, Relaxed);
    if let (Some(stream), Some(pump)) = (stream, pump) {
        pump.attempt(stream);
    }
    exchange.head().await
}
