//! Attempts in parallel (gRFC A6, Hedging Policy).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http::Response;
use scribemed_resilience::decide::Sent;
use scribemed_resilience::pushback::Pushback;
use tokio::time::Instant;
use tonic::Status;

use super::attempt::{Attempt, Failed, send};
use super::timer::Interrupted;
use super::{Answer, Call};
use crate::connection::Broken;
use crate::endpoint::Endpoint;
use crate::policy::Hedge;
use crate::ticket::Ticket;

/// An attempt on its way: the ticket, and the head of its answer.
type InFlight =
    Pin<Box<dyn Future<Output = (Ticket, Result<Response<h2::RecvStream>, Broken>)> + Send>>;

/// When the next attempt leaves.
enum Next {
    Now(Ticket),
    /// There is nobody to send it to for the moment.
    Later,
    Never,
}

impl Call {
    /// Sends the call again and again until an answer is there; the first good one wins, the others are reset.
    pub(super) async fn hedge(
        mut self: Box<Self>,
        policy: &Hedge,
        body: Bytes,
    ) -> Result<Answer, Status> {
        let mut in_flight: FuturesUnordered<InFlight> = FuturesUnordered::new();
        let mut last: Option<Failed> = None;
        let mut avoid: Option<Arc<Endpoint>> = None;
        let mut begun = 0;
        // When the next one is due; `None`: there is no next one.
        let mut due = Some(Instant::now());
        loop {
            if due.is_some_and(|due| due <= Instant::now()) {
                let next = if begun > 0 && !in_flight.is_empty() {
                    self.next(avoid.as_ref())
                } else if begun > 0 && !self.may_hedge() {
                    Next::Never
                } else {
                    match self.ticket(avoid.as_ref(), Instant::now()).await {
                        Ok(ticket) => Next::Now(ticket),
                        Err(refusal) => {
                            return match last.take() {
                                Some(failed) if !refusal.is_end() => self.deliver(failed),
                                _ => Err(self.refused(refusal)),
                            };
                        }
                    }
                };
                let later = Instant::now() + policy.delay;
                due = match next {
                    Next::Now(ticket) => {
                        avoid = Some(Arc::clone(&ticket.endpoint));
                        in_flight.push(self.launch(ticket, body.clone(), begun));
                        if begun > 0 {
                            self.record.hedges += 1;
                        }
                        begun += 1;
                        (begun < policy.max_attempts).then_some(later)
                    }
                    Next::Later => Some(later),
                    Next::Never => None,
                };
            }
            if in_flight.is_empty() && due.is_none() {
                return match last.take() {
                    Some(failed) => self.deliver(failed),
                    None => Err(self.over(Interrupted::Deadline)),
                };
            }
            let next = async {
                match in_flight.next().await {
                    Some(ended) => ended,
                    None => std::future::pending().await,
                }
            };
            let ended = self.timer.until(&self.record.outgoing, due, next).await;
            let (ticket, result) = match ended {
                Ok(ended) => ended,
                Err(Interrupted::Elapsed) => continue,
                Err(interrupted) => {
                    self.count(&in_flight);
                    return Err(self.over(interrupted));
                }
            };
            match self.settle(ticket, result) {
                Attempt::Answered(response, ticket) => {
                    self.count(&in_flight);
                    return Ok(self.answered(response, ticket));
                }
                Attempt::Over(status) => return Err(status),
                Attempt::Failed(failed) => {
                    let fatal = !policy.non_fatal.contains(failed.failure.code)
                        && matches!(failed.failure.sent, Sent::Perhaps);
                    if fatal {
                        self.count(&in_flight);
                        self.record.failed(&failed);
                        return self.deliver(failed);
                    }
                    due = self.next_hedge(&failed, due);
                    self.record.failed(&failed);
                    last = Some(failed);
                }
            }
        }
    }

    /// When the next one is due after one has failed: at once, unless the service says otherwise.
    fn next_hedge(&self, failed: &Failed, due: Option<Instant>) -> Option<Instant> {
        // What the service has not looked at says nothing of how it fares (A6, Transparent Retries).
        if failed.failure.sent == Sent::Perhaps
            && let Some(throttle) = &*self.shared.throttle.load()
        {
            throttle.on_failure();
        }
        due?;
        match failed.failure.pushback {
            Pushback::None => Some(Instant::now()),
            Pushback::After(wait) => Some(Instant::now() + wait),
            Pushback::Stop => None,
        }
    }

    /// Those that nobody waits for any more were sent as well.
    fn count(&mut self, in_flight: &FuturesUnordered<InFlight>) {
        for _ in 0..in_flight.len() {
            self.record.sent();
        }
    }

    /// A further attempt beside those on their way. It waits for nobody, as their answers would wait with it.
    fn next(&self, avoid: Option<&Arc<Endpoint>>) -> Next {
        let at = Instant::now();
        let now = self.shared.clock.at(at);
        let picked = match self.shared.balancer.pick(avoid, now) {
            Ok(picked) if !picked.full => picked,
            Ok(_) | Err(_) => return Next::Later,
        };
        let Ok(permit) = self.shared.breaker.admit(now) else {
            return Next::Later;
        };
        if !self.may_hedge() {
            self.shared.breaker.release(permit);
            return Next::Never;
        }
        Next::Now(Ticket::new(&self.shared, &self.method, picked, permit, at))
    }

    /// Whether the throttle and the budget let another one go. The budget is reserved here, where it is decided.
    fn may_hedge(&self) -> bool {
        let throttled = self
            .shared
            .throttle
            .load()
            .as_ref()
            .is_some_and(|throttle| !throttle.allows());
        !throttled && self.shared.budget.try_reserve(self.shared.clock.now())
    }

    fn launch(&mut self, mut ticket: Ticket, body: Bytes, previous: u32) -> InFlight {
        let head = self.head(previous, &mut ticket);
        ticket.sent_bytes = body.len() as u64;
        Box::pin(async move {
            let left = AtomicBool::new(false);
            let connection = Arc::clone(&ticket.connection);
            let result = send(&connection, head, Some(body), None, &left).await;
            (ticket, result)
        })
    }
}
