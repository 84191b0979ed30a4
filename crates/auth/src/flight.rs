//! A value that is fetched by one task for all who wait: single-flight, with a backoff after failures.
//!
//! The fetch runs in a task of its own. So a caller that goes away does not take the fetch of all others with it, and
//! the deadline of the first caller does not become that of the rest.

use std::error::Error;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwapOption;
use scribemed_rpc::CallContext;
use tokio::sync::watch;

use crate::clock::{Clock, has_passed};
use crate::{BoxError, BoxFuture};

/// After the first failure; doubled by each further one.
const MIN_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// The cause of a failed fetch, shared by all who waited for it.
///
/// It dereferences to the error itself, and is no error of its own: so `source()` of an error that holds it yields
/// what the source said, and can be downcast.
#[derive(Clone)]
pub struct Cause(Arc<dyn Error + Send + Sync>);

impl Deref for Cause {
    type Target = dyn Error + Send + Sync;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl From<BoxError> for Cause {
    fn from(error: BoxError) -> Self {
        Self(error.into())
    }
}

/// Why there is no outcome of the source itself.
#[derive(Debug, thiserror::Error)]
enum Aborted {
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    #[error("the fetch ended without a result")]
    Died,
    #[error("nothing can be fetched outside of a tokio runtime")]
    NoRuntime,
}

impl From<Aborted> for Cause {
    fn from(aborted: Aborted) -> Self {
        Self(Arc::new(aborted))
    }
}

pub(crate) type Outcome<T> = Result<Arc<T>, Cause>;

pub(crate) struct Flight<T> {
    value: ArcSwapOption<T>,
    state: Mutex<State<T>>,
    clock: Arc<dyn Clock>,
    timeout: Duration,
}

struct State<T> {
    running: Option<watch::Receiver<Option<Outcome<T>>>>,
    failures: u32,
    last_failure: Option<(SystemTime, Cause)>,
}

impl<T: Send + Sync + 'static> Flight<T> {
    /// `timeout` bounds each fetch.
    pub(crate) fn new(clock: Arc<dyn Clock>, timeout: Duration) -> Self {
        let state = State {
            running: None,
            failures: 0,
            last_failure: None,
        };
        Self {
            value: ArcSwapOption::empty(),
            state: Mutex::new(state),
            clock,
            timeout,
        }
    }

    /// The value as of the last fetch that succeeded, however old. Takes no lock.
    pub(crate) fn value(&self) -> arc_swap::Guard<Option<Arc<T>>> {
        self.value.load()
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// Forgets the value if it is still this one.
    pub(crate) fn forget(&self, value: &Arc<T>) {
        self.value.compare_and_swap(value, None);
    }

    /// Joins the fetch that is under way, if one is.
    pub(crate) fn running(&self) -> Option<Waiter<T>> {
        self.lock()
            .running_now(self.clock.now())
            .map(Waiter::Pending)
    }

    /// Why the last fetch failed, if it did.
    pub(crate) fn last_failure(&self) -> Option<Cause> {
        self.lock()
            .last_failure
            .as_ref()
            .map(|(_, cause)| cause.clone())
    }

    /// Joins the fetch that is under way, or starts one. `seen` is the value that did not do for the caller: one that
    /// came in since is taken without another fetch.
    ///
    /// # Errors
    /// The last failure, while it is too early to try again.
    pub(crate) fn join(
        self: &Arc<Self>,
        seen: Option<&Arc<T>>,
        fetch: impl FnOnce() -> BoxFuture<'static, Result<T, BoxError>>,
    ) -> Result<Waiter<T>, Cause> {
        let now = self.clock.now();
        let mut state = self.lock();
        if let Some(running) = state.running_now(now) {
            return Ok(Waiter::Pending(running));
        }
        if let Some(value) = self.value.load_full()
            && !seen.is_some_and(|seen| Arc::ptr_eq(seen, &value))
        {
            return Ok(Waiter::Ready(value));
        }
        if let Some((at, cause)) = &state.last_failure
            && !has_passed(now, *at, backoff(state.failures))
        {
            return Err(cause.clone());
        }
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| Aborted::NoRuntime)?;
        let (done, running) = watch::channel(None);
        state.running = Some(running.clone());
        drop(state);

        let this = Arc::clone(self);
        // The fetch goes on under the request id of the call that began it, so that the log of whoever is asked knows the
        // request; that call's deadline and end stay behind.
        let context = CallContext::current().map_or_else(CallContext::background, |call| {
            CallContext::resumed(call.request_id())
        });
        let fetch = context.scope(fetch());
        runtime.spawn(async move {
            let outcome = match tokio::time::timeout(this.timeout, fetch).await {
                Ok(Ok(value)) => Ok(Arc::new(value)),
                Ok(Err(error)) => Err(Cause::from(error)),
                Err(_) => Err(Aborted::TimedOut(this.timeout).into()),
            };
            this.finish(outcome.clone());
            done.send_replace(Some(outcome));
        });
        Ok(Waiter::Pending(running))
    }

    fn finish(&self, outcome: Outcome<T>) {
        let mut state = self.lock();
        state.running = None;
        match outcome {
            Ok(value) => {
                state.failures = 0;
                state.last_failure = None;
                // Under the lock: whoever finds no fetch running finds its value.
                self.value.store(Some(value));
            }
            Err(cause) => state.failed(self.clock.now(), cause),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn running_now(&mut self, now: SystemTime) -> Option<watch::Receiver<Option<Outcome<T>>>> {
        let running = self.running.as_ref()?;
        if running.has_changed().is_ok() {
            return Some(running.clone());
        }
        // Its task is gone without having finished: it panicked, or its runtime was shut down.
        self.running = None;
        self.failed(now, Aborted::Died.into());
        None
    }

    fn failed(&mut self, now: SystemTime, cause: Cause) {
        self.failures = self.failures.saturating_add(1);
        self.last_failure = Some((now, cause));
    }
}

fn backoff(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    MIN_BACKOFF.saturating_mul(1 << doublings).min(MAX_BACKOFF)
}

/// Waits for a fetch. Dropping it leaves the fetch to the others.
pub(crate) enum Waiter<T> {
    Ready(Arc<T>),
    Pending(watch::Receiver<Option<Outcome<T>>>),
}

impl<T> Waiter<T> {
    pub(crate) async fn outcome(self) -> Outcome<T> {
        match self {
            Self::Ready(value) => Ok(value),
            Self::Pending(mut fetch) => match fetch.wait_for(Option::is_some).await.as_deref() {
                Ok(Some(outcome)) => outcome.clone(),
                Ok(None) | Err(_) => Err(Aborted::Died.into()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backoff_doubles_from_100_ms_to_5_s() {
        let check = |failures, expect| {
            assert_eq!(
                backoff(failures),
                Duration::from_millis(expect),
                "{failures}"
            );
        };
        check(1, 100);
        check(2, 200);
        check(6, 3200);
        check(7, 5000);
        check(u32::MAX, 5000);
    }
}
