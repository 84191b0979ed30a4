//! Where a call runs: on the task of its connection while it does not have to wait, on one of its own from then on.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::connection::Arrived;
use crate::exchange;
use crate::peer::Peer;
use crate::stack::Stack;

/// How long calls may take the task of their connection in one turn. Calls that come after it are spawned unpolled.
const TURN: Duration = Duration::from_millis(2);
/// Calls that take longer than this on average without ever waiting are work for a processor: for a while all calls of the
/// connection are spawned, so that they run on all processors and keep no frames waiting. The average is over some eight
/// calls and no call counts for more than five times this much: a task that the system has put aside for some milliseconds
/// looks the same, but does not come twice in eight.
const LONG: Duration = Duration::from_micros(100);
const SPAWN_FOR: Duration = Duration::from_secs(1);

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Begins the calls of one connection.
///
/// Most calls are done when they are first polled: their message came with their head, and their handler has what it needs.
/// Such a call needs no task, wakes nobody, and its answer leaves in one write with those of its neighbours.
pub(crate) struct Begin {
    stack: Arc<Stack>,
    peer: Peer,
    calls: TaskTracker,
    /// Rings for the task of the connection.
    waker: Waker,
    /// Calls that had to wait when they were first polled.
    waiting: Vec<Running>,
    /// How long the last calls took the task, on average.
    average: Duration,
    spawn_until: Option<Instant>,
}

impl Begin {
    /// Calls that have to wait run on tasks of `calls`. Until then they wake by `waker`.
    pub(crate) fn new(stack: Arc<Stack>, peer: Peer, calls: TaskTracker, waker: Waker) -> Self {
        Self {
            stack,
            peer,
            calls,
            waker,
            waiting: Vec::new(),
            average: Duration::ZERO,
            spawn_until: None,
        }
    }

    /// Begins all of these calls. Returns whether some wait: [`again`](Self::again) is for them, after the connection was
    /// driven once more, because what a call waits for is often its own message, a few microseconds behind its head.
    ///
    /// They arrived at `since`, if not now: what the task had to wait for its turn is part of their wait.
    pub(crate) fn all(&mut self, arrived: &mut Vec<Arrived>, since: Option<Instant>) -> bool {
        if arrived.is_empty() {
            return false;
        }
        let begun = Instant::now();
        let mut now = begun;
        for (request, respond) in arrived.drain(..) {
            let arrival = self.stack.gate.arrive(
                &self.stack.routes,
                request.uri().path(),
                since.unwrap_or(begun),
            );
            // What is refused is answered here and now: it needs no turn, and must not wait for one.
            let taken = !arrival.is_refused();
            // On the heap from the first: what is moved to a task is a pointer.
            let (stack, peer) = (Arc::clone(&self.stack), self.peer.clone());
            let mut call: Running = Box::pin(exchange::run(stack, peer, arrival, request, respond));
            let spawn = now - begun >= TURN || self.spawn_until.is_some_and(|until| now < until);
            if taken && spawn {
                self.calls.spawn(call);
                continue;
            }
            if poll(&mut call, &self.waker).is_pending() {
                self.waiting.push(call);
            }
            let after = Instant::now();
            if taken {
                self.average = (self.average * 7 + (after - now).min(LONG * 5)) / 8;
            }
            if self.average > LONG {
                self.average = Duration::ZERO;
                self.spawn_until = Some(after + SPAWN_FOR);
            }
            now = after;
        }
        !self.waiting.is_empty()
    }

    /// Looks at the calls that wait once more. Those that still do go on by themselves.
    pub(crate) fn again(&mut self) {
        let begun = Instant::now();
        for mut call in self.waiting.drain(..) {
            if begun.elapsed() >= TURN || poll(&mut call, &self.waker).is_pending() {
                self.calls.spawn(call);
            }
        }
    }
}

/// Polls a call once. A panic outside of the handler, which has its own isolation, must not end the other calls of the
/// connection.
fn poll(call: &mut Running, waker: &Waker) -> Poll<()> {
    let mut cx = Context::from_waker(waker);
    catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(&mut cx))).unwrap_or_else(|_panic| {
        tracing::error!("a call ended in a panic outside of its handler");
        Poll::Ready(())
    })
}

#[cfg(test)]
mod tests;
