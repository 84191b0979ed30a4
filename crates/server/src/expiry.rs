//! The end of the time that a call has.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use scribemed_rpc::Deadline;
use tokio::time::{Instant, Sleep};

/// Watches a deadline. Its timer is made when the call first has to wait, which most calls never do.
pub(crate) struct Expiry {
    at: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Expiry {
    pub(crate) fn new(deadline: Option<Deadline>) -> Self {
        Self {
            at: deadline.map(Deadline::instant),
            timer: None,
        }
    }

    /// Whether the time is over; asks the clock.
    pub(crate) fn has_passed(&self) -> bool {
        self.at.is_some_and(|at| Instant::now() >= at)
    }

    /// Ready when the time is over. To be asked when there is nothing else to do.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else {
            return Poll::Pending;
        };
        self.timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)))
            .as_mut()
            .poll(cx)
    }
}
