//! Calls that wait because no endpoint takes one more.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed, Ordering::SeqCst, fence};

use tokio::sync::Notify;

/// Calls that wait for room. While there are none, a call that ends pays a fence and a load for it.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: AtomicUsize,
    turn: Notify,
}

/// A place in the queue; given up when it is dropped.
pub(crate) struct Waiting<'a>(&'a Queue);

impl Queue {
    /// Joins it. Whoever does looks for room once more before waiting: some may have come just before.
    pub(crate) fn join(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Relaxed);
        // Pairs with the fence in `vacated`: either this call sees the room, or who made it sees this call.
        fence(SeqCst);
        Waiting(self)
    }

    /// There is room for one more.
    pub(crate) fn vacated(&self) {
        fence(SeqCst);
        if self.waiting.load(Relaxed) > 0 {
            self.turn.notify_one();
        }
    }
}

impl Waiting<'_> {
    /// Waits for room; another call may still be quicker to take it.
    ///
    /// # Cancel safety
    /// A turn that is not taken is the next one's.
    pub(crate) async fn turn(&self) {
        self.0.turn.notified().await;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Relaxed);
    }
}
