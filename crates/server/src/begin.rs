//! Where a call runs: on the task of its connection while it does not have to wait, on one of its own from then on.

use std::future::{Future as _, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::connection::Arrived;
use crate::exchange;
use crate::stack::Stack;

/// How long calls may take the task of their connection in one turn. Calls that come after it are spawned unpolled.
const TURN: Duration = Duration::from_micros(500);
/// A call that takes longer than a turn without ever waiting is work for a processor: for so long all calls of the connection
/// are spawned, so that they run on all processors and keep no frames waiting.
const SPAWN_FOR: Duration = Duration::from_secs(1);

/// Begins the calls of one connection.
///
/// Most calls are done when they are first polled: their message came with their head, and their handler has what it needs.
/// Such a call needs no task, wakes nobody, and its answer leaves in one write with those of its neighbours.
pub(crate) struct Begin {
    stack: Arc<Stack>,
    calls: TaskTracker,
    spawn_until: Option<Instant>,
}

impl Begin {
    /// Calls that have to wait run on tasks of `calls`.
    pub(crate) fn new(stack: Arc<Stack>, calls: TaskTracker) -> Self {
        Self {
            stack,
            calls,
            spawn_until: None,
        }
    }

    /// Begins all of these calls.
    pub(crate) async fn all(&mut self, arrived: &mut Vec<Arrived>) {
        if arrived.is_empty() {
            return;
        }
        let begun = Instant::now();
        let mut now = begun;
        for (request, respond) in arrived.drain(..) {
            let call = exchange::run(Arc::clone(&self.stack), request, respond);
            if now - begun >= TURN || self.spawn_until.is_some_and(|until| now < until) {
                self.calls.spawn(call);
                continue;
            }
            let mut call = Box::pin(call);
            // A panic outside of the handler, which has its own isolation, must not end the other calls of the connection.
            let polled = poll_fn(|cx| {
                Poll::Ready(catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(cx))))
            })
            .await;
            match polled {
                Ok(Poll::Ready(())) => {}
                Ok(Poll::Pending) => drop(self.calls.spawn(call)),
                Err(_panic) => tracing::error!("a call ended in a panic outside of its handler"),
            }
            let after = Instant::now();
            if after - now > TURN {
                self.spawn_until = Some(after + SPAWN_FOR);
            }
            now = after;
        }
    }
}

#[cfg(test)]
mod tests;
