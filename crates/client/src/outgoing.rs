//! What an outgoing call takes over from the call that makes it.

use std::future::Future;
use std::time::Duration;

use http::HeaderMap;
use scribemed_rpc::{CallContext, Deadline, MethodPolicy, format_timeout, metadata, parse_timeout};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::failure::Failures;

/// Kept back from the remaining time of the call that is being served, so that there is time left to answer it.
const HOP_MARGIN: Duration = Duration::from_millis(5);
/// For a method without a contract, such as those of health and reflection.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// An outgoing call: until when, as part of what, and whether it is still wanted.
#[derive(Debug)]
pub(crate) struct Outgoing {
    deadline: Deadline,
    context: CallContext,
    cancelled: CancellationToken,
}

impl Outgoing {
    /// The call of a method with this policy and these headers, made from within the current [`CallContext`].
    pub(crate) fn new(
        policy: Option<&MethodPolicy>,
        headers: &HeaderMap,
        failures: &Failures,
    ) -> Result<Self, Status> {
        let context = CallContext::current().unwrap_or_else(CallContext::background);
        let asked = headers
            .get(metadata::GRPC_TIMEOUT)
            .map(parse_timeout)
            .transpose()
            .map_err(|error| failures.malformed_timeout(&error))?;
        let contract = policy.map_or(DEFAULT_TIMEOUT, |policy| policy.timeout);
        let inherited = context
            .deadline()
            .map(|deadline| deadline.remaining().saturating_sub(HOP_MARGIN));
        let timeout = [Some(contract), asked, inherited]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(contract);
        if timeout.is_zero() {
            return Err(failures.deadline_exceeded(false));
        }
        Ok(Self {
            deadline: Deadline::after(timeout),
            cancelled: context.cancelled().clone(),
            context,
        })
    }

    /// Writes the headers that go along, with the time that is left now.
    pub(crate) fn write(&self, headers: &mut HeaderMap, failures: &Failures) -> Result<(), Status> {
        let left = self.deadline.remaining();
        if left.is_zero() {
            return Err(failures.deadline_exceeded(false));
        }
        headers.insert(metadata::GRPC_TIMEOUT, format_timeout(left));
        self.context.request_id().write(headers);
        self.context.trace().child().write(headers);
        Ok(())
    }

    /// `work`, ended when the deadline passes or the call that made this one is over.
    pub(crate) async fn bound<T>(
        &self,
        work: impl Future<Output = Result<T, Status>>,
        failures: &Failures,
    ) -> Result<T, Status> {
        tokio::select! {
            // In this order: an answer that comes with the deadline is an answer.
            biased;
            () = self.cancelled.cancelled() => Err(failures.cancelled()),
            result = work => result.map_err(|status| self.judge(status, failures)),
            () = tokio::time::sleep_until(self.deadline.instant()) => Err(failures.deadline_exceeded(true)),
        }
    }

    /// A failure of ours that comes after the deadline is a DEADLINE_EXCEEDED: the transport, which reads the same
    /// `grpc-timeout`, was quicker.
    pub(crate) fn judge(&self, status: Status, failures: &Failures) -> Status {
        if self.deadline.has_passed() {
            failures.deadline_exceeded(true)
        } else {
            status
        }
    }

    pub(crate) fn deadline(&self) -> Deadline {
        self.deadline
    }

    pub(crate) fn cancelled(&self) -> &CancellationToken {
        &self.cancelled
    }
}
