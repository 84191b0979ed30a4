//! What a call carries along by itself.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use crate::{Deadline, RequestId, SubjectToken, TraceContext};

tokio::task_local! {
    static CURRENT: CallContext;
}

/// Deadline, request id, trace and cancellation of the call that is being served.
///
/// The server sets it around the handler and the streams that it returns; the channel reads it for every outgoing call. A
/// handler passes nothing along by hand. Work that is spawned on another task is outside of it unless it is wrapped in
/// [`CallContext::scope`]:
///
/// ```
/// use scribemed_rpc::CallContext;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let context = CallContext::background();
/// let id = context.request_id();
/// let seen = tokio::spawn(context.scope(async { CallContext::current().map(|c| c.request_id()) }));
/// assert_eq!(seen.await.unwrap(), Some(id));
/// # }
/// ```
///
/// Clones are one context, and cheap.
#[derive(Debug, Clone)]
pub struct CallContext {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    deadline: Option<Deadline>,
    request_id: RequestId,
    trace: TraceContext,
    previous_attempts: u32,
    subject: OnceLock<SubjectToken>,
    cancellation: Cancellation,
}

/// A cancellation token that is made when somebody asks for it: most calls end before anybody does.
#[derive(Debug, Default)]
struct Cancellation {
    ended: AtomicBool,
    token: OnceLock<CancellationToken>,
}

impl Cancellation {
    fn token(&self) -> &CancellationToken {
        let token = self.token.get_or_init(CancellationToken::new);
        // Pairs with the fence in `cancel`: either this sees that the call has ended, or `cancel` sees the token.
        fence(Ordering::SeqCst);
        if self.ended.load(Ordering::Relaxed) {
            token.cancel();
        }
        token
    }

    fn cancel(&self) {
        self.ended.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if let Some(token) = self.token.get() {
            token.cancel();
        }
    }
}

impl CallContext {
    /// The context of a call that arrived.
    pub fn new(deadline: Option<Deadline>, request_id: RequestId, trace: TraceContext) -> Self {
        Self {
            inner: Arc::new(Inner {
                deadline,
                request_id,
                trace,
                previous_attempts: 0,
                subject: OnceLock::new(),
                cancellation: Cancellation::default(),
            }),
        }
    }

    /// The context of a call that arrived as an attempt after `previous` others (`grpc-previous-rpc-attempts`, gRFC A6).
    #[must_use]
    pub fn with_previous_attempts(mut self, previous: u32) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.previous_attempts = previous;
            return self;
        }
        self.copy(previous, self.inner.subject.clone())
    }

    /// The context of work for this end user, or with `None` for nobody: calls made in it carry a token with which this
    /// service acts for the user, and none is shared between two users. For whoever gets an end user's token by other ways
    /// than the `authorization` of the call that it serves: a gateway. Both contexts end together.
    #[must_use]
    pub fn with_subject(self, subject: Option<SubjectToken>) -> Self {
        let subject = subject.map_or_else(OnceLock::new, OnceLock::from);
        self.copy(self.previous_attempts(), subject)
    }

    /// Says, once it is known, for which end user the call is made. Once: what is said afterwards counts for nothing. For the
    /// server; a handler uses [`with_subject`](Self::with_subject).
    pub fn act_for(&self, subject: SubjectToken) {
        self.inner.subject.get_or_init(|| subject);
    }

    /// Others hold this context: theirs stays as it is. Both end together.
    fn copy(&self, previous_attempts: u32, subject: OnceLock<SubjectToken>) -> Self {
        Self {
            inner: Arc::new(Inner {
                deadline: self.deadline(),
                request_id: self.request_id(),
                trace: self.trace().clone(),
                previous_attempts,
                subject,
                cancellation: Cancellation {
                    ended: AtomicBool::new(false),
                    token: OnceLock::from(self.cancelled().clone()),
                },
            }),
        }
    }

    /// The context of work that no call asked for: a new id, a new trace, no deadline.
    pub fn background() -> Self {
        Self::new(None, RequestId::generate(), TraceContext::root())
    }

    /// The context of work that goes on for an earlier request: its id, a new trace, no deadline.
    pub fn resumed(request_id: RequestId) -> Self {
        Self::new(None, request_id, TraceContext::root())
    }

    /// The context of the call that is being served here, if any.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Runs `future` within this context.
    pub fn scope<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, future)
    }

    /// Runs `f` within this context.
    pub fn sync_scope<R>(self, f: impl FnOnce() -> R) -> R {
        CURRENT.sync_scope(self, f)
    }

    /// By when the call must have ended.
    pub fn deadline(&self) -> Option<Deadline> {
        self.inner.deadline
    }

    /// The token of the end user for whom the call is made, if it is made for one.
    pub fn subject(&self) -> Option<&SubjectToken> {
        self.inner.subject.get()
    }

    /// The id of the request that the call is part of.
    pub fn request_id(&self) -> RequestId {
        self.inner.request_id
    }

    /// The trace and the current span.
    pub fn trace(&self) -> &TraceContext {
        &self.inner.trace
    }

    /// How many attempts at the call that is being served came before this one. Above 0, the calls that it makes are not
    /// sent again: only the layer nearest to a failure repeats, or one failure becomes many calls further down.
    pub fn previous_attempts(&self) -> u32 {
        self.inner.previous_attempts
    }

    /// Cancelled when the caller has gone away, the deadline has passed, or the call has ended. Outgoing calls end with
    /// it; spawned work should.
    pub fn cancelled(&self) -> &CancellationToken {
        self.inner.cancellation.token()
    }

    /// Ends the call: whoever waits for [`cancelled`](Self::cancelled), now or later, is told. The server does so when the
    /// call is over.
    pub fn cancel(&self) {
        self.inner.cancellation.cancel();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn whoever_asks_before_or_after_the_end_is_told() {
        let context = CallContext::background();
        let early = context.clone().cancelled().clone();
        assert!(!early.is_cancelled());
        context.cancel();
        assert!(early.is_cancelled());

        let context = CallContext::background();
        context.clone().cancel();
        assert!(context.cancelled().is_cancelled());
    }

    #[test]
    fn the_end_and_the_question_may_come_together() {
        for _ in 0..1_000 {
            let context = CallContext::background();
            let asked = std::thread::scope(|scope| {
                let asking = scope.spawn(|| context.cancelled().clone());
                context.cancel();
                asking.join().unwrap()
            });
            assert!(asked.is_cancelled());
        }
    }

    #[test]
    fn an_attempt_is_counted_in_its_own_context_and_ends_with_the_others() {
        let first = CallContext::background();
        let third = first.clone().with_previous_attempts(2);
        assert_eq!(
            (first.previous_attempts(), third.previous_attempts()),
            (0, 2)
        );
        assert_eq!(first.request_id(), third.request_id());
        first.cancel();
        assert!(third.cancelled().is_cancelled());
        assert_eq!(
            CallContext::background()
                .with_previous_attempts(1)
                .previous_attempts(),
            1
        );
    }

    #[test]
    fn an_end_user_is_told_to_all_who_hold_the_context_and_once() {
        let [first, second] = ["one", "two"].map(SubjectToken::jwt);
        let context = CallContext::background();
        let held = context.clone();
        assert_eq!(held.subject(), None);
        context.act_for(first.clone());
        context.act_for(second.clone());
        assert_eq!(held.subject(), Some(&first));

        // Work for another user is a context of its own, and so is work for nobody; they end with the call.
        let other = context.clone().with_subject(Some(second.clone()));
        let nobody = context.clone().with_subject(None);
        assert_eq!(
            (context.subject(), other.subject(), nobody.subject()),
            (Some(&first), Some(&second), None)
        );
        assert_eq!(other.request_id(), context.request_id());
        assert_eq!(
            context.clone().with_previous_attempts(1).subject(),
            Some(&first)
        );
        context.cancel();
        assert!(other.cancelled().is_cancelled() && nobody.cancelled().is_cancelled());
        assert!(!format!("{other:?}").contains("two"), "{other:?}");
    }
}
