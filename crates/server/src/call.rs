//! What is known of a call, and the line in the log that tells it.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::time::Duration;

use scribemed_audit::{Unavailable, Written};
use scribemed_auth::Principal;
use scribemed_rpc::{CallContext, Deadline};
use scribemed_tls::SpiffeId;
use tokio::time::Instant;
use tonic::Code;

use crate::observe::Observed;
use crate::peer::Peer;

/// A call from its arrival to its end. It writes its line when it ends, also when the caller goes away; then it cancels
/// what the handler left behind.
pub(crate) struct Call {
    method: Cow<'static, str>,
    /// Health and reflection are asked all the time: their calls are told at level debug.
    quiet: bool,
    context: CallContext,
    peer: Peer,
    started: Instant,
    caller: OnceLock<Principal>,
    ended: bool,
    span: tracing::Span,
    observed: Observed,
}

impl Call {
    pub(crate) fn new(
        method: Cow<'static, str>,
        quiet: bool,
        context: CallContext,
        peer: Peer,
        observed: Observed,
    ) -> Self {
        let started = Instant::now();
        if let Some(counted) = peer.counted() {
            counted.began(started);
        }
        let span = tracing::info_span!(
            "call",
            request_id = %context.request_id(),
            trace_id = context.trace().trace_id(),
            method = &*method,
        );
        Self {
            method,
            quiet,
            peer,
            started,
            caller: OnceLock::new(),
            ended: false,
            span,
            context,
            observed,
        }
    }

    /// Remembers who calls, for the line and for the audit log.
    ///
    /// # Errors
    /// The audit log takes no record now, so the call must not be done.
    pub(crate) fn set_caller(&self, caller: &Principal) -> Result<(), Unavailable> {
        self.caller.get_or_init(|| caller.clone());
        self.observed.reserve()
    }

    /// What is told of it when it ends.
    pub(crate) fn observed(&self) -> &Observed {
        &self.observed
    }

    /// A piece of its answer leaves.
    pub(crate) fn sending(&mut self, data: &[u8]) {
        self.observed.sending(data);
    }

    pub(crate) fn peer(&self) -> &Peer {
        &self.peer
    }

    pub(crate) fn context(&self) -> &CallContext {
        &self.context
    }

    pub(crate) fn span(&self) -> &tracing::Span {
        &self.span
    }

    /// Writes the line, counts and records, once. What is returned is to be waited for before the caller is told.
    pub(crate) fn end(&mut self, code: Code) -> Option<Written> {
        if std::mem::replace(&mut self.ended, true) {
            return None;
        }
        if let Some(counted) = self.peer.counted() {
            counted.ended(code);
        }
        let duration = self.started.elapsed();
        let caller = self.caller.get();
        let written = self
            .observed
            .end(code, duration, &self.context, caller, &self.peer);
        let _entered = self.span.enter();
        // The fields are worked out inside of the macro, so only for a line that is written.
        macro_rules! served {
            ($level:expr) => {
                tracing::event!(
                    target: "scribemed::call",
                    $level,
                    caller = self.caller.get().map_or("-", Principal::service),
                    code = name(code),
                    duration_ms = milliseconds(duration),
                    deadline_left_ms = self
                        .context
                        .deadline()
                        .map(|deadline| milliseconds(Deadline::remaining(deadline))),
                    attempt = self.context.previous_attempts(),
                    peer = self.peer.address().map(tracing::field::display),
                    certified = self.peer.identity().map(SpiffeId::service),
                    "served"
                )
            };
        }
        if self.quiet {
            served!(tracing::Level::DEBUG);
        } else {
            served!(tracing::Level::INFO);
        }
        written
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // Whoever asked went away before the end.
        drop(self.end(Code::Cancelled));
        self.context.cancel();
    }
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// As the line has it.
fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "Ok",
        Code::Cancelled => "Cancelled",
        Code::Unknown => "Unknown",
        Code::InvalidArgument => "InvalidArgument",
        Code::DeadlineExceeded => "DeadlineExceeded",
        Code::NotFound => "NotFound",
        Code::AlreadyExists => "AlreadyExists",
        Code::PermissionDenied => "PermissionDenied",
        Code::ResourceExhausted => "ResourceExhausted",
        Code::FailedPrecondition => "FailedPrecondition",
        Code::Aborted => "Aborted",
        Code::OutOfRange => "OutOfRange",
        Code::Unimplemented => "Unimplemented",
        Code::Internal => "Internal",
        Code::Unavailable => "Unavailable",
        Code::DataLoss => "DataLoss",
        Code::Unauthenticated => "Unauthenticated",
    }
}
