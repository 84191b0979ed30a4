//! Wakes the task of a connection, unless it is at work on the connection already.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::runtime::Handle;
use tokio::time::Instant;

/// The task is at work; it will look at everything once more before it waits.
const BUSY: u8 = 1;
/// Somebody rang since the task began to work.
const RUNG: u8 = 2;

/// What the connection and the calls that run on its task are polled with.
///
/// An answer that is queued wakes the connection that has to write it. When that is the very task which queued it, the
/// runtime would queue the task again, behind all others, and wake another processor to come and steal it: for each call.
/// A bell that rings while its task is at work is only noted.
pub(crate) struct Doorbell {
    bell: Arc<Bell>,
    waker: Waker,
}

struct Bell {
    state: AtomicU8,
    task: AtomicWaker,
    made: Instant,
    /// Since when somebody waits for the task to come, in nanoseconds from `made`; [`NOBODY`] otherwise.
    rang: AtomicU64,
    /// What that was when the task came.
    answered: AtomicU64,
}

/// In the place of a time.
const NOBODY: u64 = u64::MAX;

impl Bell {
    /// Somebody waits from now on. Before the state tells of it: whoever sees that it rang finds when. Who rings from outside of
    /// a runtime may go by another clock than the task does, as the network of a simulation: then it is not known when.
    fn note(&self) {
        let nanos = Handle::try_current().map_or(NOBODY, |_here| {
            u64::try_from(self.made.elapsed().as_nanos()).unwrap_or(NOBODY)
        });
        self.rang.store(nanos, Ordering::Release);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.load(Ordering::Acquire) == 0 {
            self.note();
        }
        if self.state.fetch_or(RUNG, Ordering::AcqRel) & BUSY == 0 {
            self.task.wake();
        }
    }
}

impl Doorbell {
    pub(crate) fn new() -> Self {
        let bell = Arc::new(Bell {
            state: AtomicU8::new(BUSY),
            task: AtomicWaker::new(),
            made: Instant::now(),
            rang: AtomicU64::new(NOBODY),
            answered: AtomicU64::new(NOBODY),
        });
        Self {
            waker: Waker::from(Arc::clone(&bell)),
            bell,
        }
    }

    /// The task begins to work, or goes on: everything that rang before this is about to be looked at.
    pub(crate) fn answer(&self, cx: &Context<'_>) {
        self.bell.task.register(cx.waker());
        let rang = self.bell.state.swap(BUSY, Ordering::SeqCst) & RUNG != 0;
        let since = self.bell.rang.swap(NOBODY, Ordering::AcqRel);
        let since = if rang { since } else { NOBODY };
        self.bell.answered.store(since, Ordering::Relaxed);
    }

    /// Since when what is looked at now may have been there: when it rang for the task, which then had to wait for its turn.
    /// `None` where the task did not wait. To be asked by the task.
    pub(crate) fn since(&self) -> Option<Instant> {
        let nanos = self.bell.answered.load(Ordering::Relaxed);
        (nanos != NOBODY).then(|| self.bell.made + Duration::from_nanos(nanos))
    }

    /// The task asks for another turn, because it may not wait.
    pub(crate) fn again(&self, cx: &Context<'_>) {
        self.bell.note();
        cx.waker().wake_by_ref();
    }

    /// The task wants to wait. `false`: the bell rang meanwhile, so there is something to look at.
    #[must_use]
    pub(crate) fn may_wait(&self) -> bool {
        self.bell
            .state
            .compare_exchange(BUSY, 0, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// To be polled with.
    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }
}

#[cfg(test)]
mod tests;
