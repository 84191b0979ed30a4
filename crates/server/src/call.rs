//! What is known of a call, and the line in the log that tells it.

use std::time::Duration;

use scribemed_rpc::{CallContext, Deadline};
use tokio::time::Instant;
use tokio_util::sync::DropGuard;
use tonic::Code;

/// A call from its arrival to its end. It writes its line when it ends, also when the caller goes away; then it cancels
/// what the handler left behind.
pub(crate) struct Call {
    method: String,
    /// Health and reflection are asked all the time: their calls are told at level debug.
    quiet: bool,
    context: CallContext,
    attempt: u32,
    started: Instant,
    caller: Option<String>,
    ended: bool,
    span: tracing::Span,
    _cancel: DropGuard,
}

impl Call {
    pub(crate) fn new(method: String, quiet: bool, attempt: u32, context: CallContext) -> Self {
        let span = tracing::info_span!(
            "call",
            request_id = %context.request_id(),
            trace_id = context.trace().trace_id(),
            method,
        );
        Self {
            method,
            quiet,
            attempt,
            started: Instant::now(),
            caller: None,
            ended: false,
            span,
            _cancel: context.cancelled().clone().drop_guard(),
            context,
        }
    }

    /// Remembers who calls, for the line.
    pub(crate) fn set_caller(&mut self, caller: &str) {
        self.caller = Some(caller.to_owned());
    }

    pub(crate) fn context(&self) -> &CallContext {
        &self.context
    }

    pub(crate) fn span(&self) -> &tracing::Span {
        &self.span
    }

    pub(crate) fn deadline(&self) -> Option<Deadline> {
        self.context.deadline()
    }

    /// Writes the line, once.
    pub(crate) fn end(&mut self, code: Code) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let caller = self.caller.as_deref().unwrap_or("-");
        let milliseconds = |duration: Duration| duration.as_secs_f64() * 1e3;
        let duration_ms = milliseconds(self.started.elapsed());
        let deadline_left_ms = self
            .deadline()
            .map(|deadline| milliseconds(deadline.remaining()));
        let _entered = self.span.enter();
        let attempt = self.attempt;
        let code = format!("{code:?}");
        if self.quiet {
            tracing::debug!(target: "scribemed::call", caller, code, duration_ms, deadline_left_ms, attempt, "served");
        } else {
            tracing::info!(target: "scribemed::call", caller, code, duration_ms, deadline_left_ms, attempt, "served");
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // Whoever asked went away before the end.
        self.end(Code::Cancelled);
    }
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}
