//! What a call carries along by itself.

use std::future::Future;

use tokio_util::sync::CancellationToken;

use crate::{Deadline, RequestId, TraceContext};

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
#[derive(Debug, Clone)]
pub struct CallContext {
    deadline: Option<Deadline>,
    request_id: RequestId,
    trace: TraceContext,
    previous_attempts: u32,
    cancelled: CancellationToken,
}

impl CallContext {
    /// The context of a call that arrived.
    pub fn new(deadline: Option<Deadline>, request_id: RequestId, trace: TraceContext) -> Self {
        Self {
            deadline,
            request_id,
            trace,
            previous_attempts: 0,
            cancelled: CancellationToken::new(),
        }
    }

    /// The context of a call that arrived as an attempt after `previous` others (`grpc-previous-rpc-attempts`, gRFC A6).
    #[must_use]
    pub fn with_previous_attempts(mut self, previous: u32) -> Self {
        self.previous_attempts = previous;
        self
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
        self.deadline
    }

    /// The id of the request that the call is part of.
    pub fn request_id(&self) -> RequestId {
        self.request_id
    }

    /// The trace and the current span.
    pub fn trace(&self) -> &TraceContext {
        &self.trace
    }

    /// How many attempts at the call that is being served came before this one. Above 0, the calls that it makes are not
    /// sent again: only the layer nearest to a failure repeats, or one failure becomes many calls further down.
    pub fn previous_attempts(&self) -> u32 {
        self.previous_attempts
    }

    /// Cancelled when the caller has gone away, the deadline has passed, or the call has ended. Outgoing calls end with
    /// it; spawned work should.
    pub fn cancelled(&self) -> &CancellationToken {
        &self.cancelled
    }
}
