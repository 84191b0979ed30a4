//! What goes wrong on this side of a call.

use std::error::Error as _;
use std::sync::Arc;

use scribemed_discovery::Target;
use scribemed_rpc::{Fault, reason};
use tonic::{Code, Status};

/// The failures of calls to one service; each names it and where it was looked for.
#[derive(Debug, Clone)]
pub(crate) struct Failures {
    service: &'static str,
    target: Arc<str>,
}

impl Failures {
    pub(crate) fn new(service: &'static str, target: &Target) -> Self {
        Self {
            service,
            target: target.to_string().into(),
        }
    }

    fn fault(&self, code: Code, reason: &'static str, message: String) -> Fault {
        Fault::new(code, reason, format!("{}.scribemed", self.service), message)
            .metadata("service", self.service)
            .metadata("target", &*self.target)
    }

    /// The service was not reached, or went away during the call.
    pub(crate) fn unreachable(&self, error: &tonic::transport::Error) -> Status {
        let mut root: &dyn std::error::Error = error;
        while let Some(source) = root.source() {
            root = source;
        }
        let message = format!(
            "{} at {} cannot be reached: {root}",
            self.service, self.target
        );
        self.fault(Code::Unavailable, reason::UNREACHABLE, message)
            .into_status()
    }

    /// The connection broke in the middle of the answer. What the transport makes of that is UNKNOWN or INTERNAL, but
    /// nothing is known to be wrong with the service, only that it is not there any more; a stream that the service itself
    /// reset keeps its code.
    pub(crate) fn broken(&self, status: &Status) -> Status {
        let code = if matches!(status.code(), Code::Unknown | Code::Internal) {
            Code::Unavailable
        } else {
            status.code()
        };
        let message = format!(
            "the connection to {} at {} broke before the answer was complete; the request may have been carried out",
            self.service, self.target
        );
        self.fault(code, reason::UNREACHABLE, message).into_status()
    }

    /// No token could be had. The issuer's answer keeps its code when it is one.
    pub(crate) fn no_credentials(&self, error: &scribemed_auth::credentials::Error) -> Status {
        let issuer = std::iter::successors(error.source(), |&error| error.source())
            .find_map(|error| error.downcast_ref::<Status>());
        let (code, said) = match issuer {
            Some(status) => (status.code(), status.message().to_owned()),
            None => (Code::Unavailable, error.to_string()),
        };
        let message = format!("no token for {} could be had: {said}", self.service);
        self.fault(code, reason::NO_CREDENTIALS, message)
            .into_status()
    }

    /// The deadline passed.
    pub(crate) fn deadline_exceeded(&self, sent: bool) -> Status {
        let sent = if sent {
            "; the request may have been carried out"
        } else {
            "; nothing was sent"
        };
        let message = format!(
            "the deadline passed before {} at {} answered{sent}",
            self.service, self.target
        );
        self.fault(Code::DeadlineExceeded, reason::DEADLINE_EXCEEDED, message)
            .into_status()
    }

    /// The call that made this one has ended.
    pub(crate) fn cancelled(&self) -> Status {
        let message = format!(
            "the call to {} was ended: the call that made it is over",
            self.service
        );
        self.fault(Code::Cancelled, reason::CANCELLED, message)
            .into_status()
    }

    /// The request's own `grpc-timeout` cannot be read.
    pub(crate) fn malformed_timeout(&self, error: &scribemed_rpc::MalformedTimeout) -> Status {
        self.fault(
            Code::InvalidArgument,
            reason::MALFORMED_TIMEOUT,
            error.to_string(),
        )
        .into_status()
    }
}
