//! Waiting for something, for as long as the call is wanted.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep};

use crate::outgoing::Outgoing;

/// Why a wait is over without a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interrupted {
    /// The deadline of the call has passed.
    Deadline,
    /// Nobody wants the call any more.
    Cancelled,
    /// The limit of this wait has passed.
    Elapsed,
}

/// The one timer of a call. It costs nothing until something really has to be waited for.
#[derive(Default)]
pub(crate) struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    /// Waits for `future`, at most until `limit`, the deadline, and the end of the call that makes this one. A result that
    /// comes with the deadline is a result.
    pub(super) async fn until<F: Future>(
        &mut self,
        outgoing: &Outgoing,
        limit: Option<Instant>,
        future: F,
    ) -> Result<F::Output, Interrupted> {
        let deadline = outgoing.deadline().instant();
        let at = limit.map_or(deadline, |limit| limit.min(deadline));
        let mut future = pin!(future);
        let mut over = pin!(outgoing.cancelled().map(|token| token.cancelled()));
        poll_fn(|cx| {
            if let Poll::Ready(result) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(result));
            }
            if let Some(over) = over.as_mut().as_pin_mut()
                && over.poll(cx).is_ready()
            {
                return Poll::Ready(Err(Interrupted::Cancelled));
            }
            if self.poll_deadline(at, cx).is_pending() {
                return Poll::Pending;
            }
            Poll::Ready(Err(if at == deadline {
                Interrupted::Deadline
            } else {
                Interrupted::Elapsed
            }))
        })
        .await
    }

    /// Polls for the end of a call whose body is being received.
    pub(crate) fn poll_deadline(&mut self, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(cx)
    }
}
