//! What goes wrong on this side of a call.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use scribemed_discovery::Target;
use scribemed_rpc::{Fault, MethodPolicy, reason};
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

use crate::report::CallReport;

/// The failures of calls to one service; each names it, where it was looked for, and what became of the call.
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

    pub(crate) fn service(&self) -> &'static str {
        self.service
    }

    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    /// A report of a call of which nothing was sent.
    pub(crate) fn unsent(&self) -> CallReport {
        CallReport::new(self.service, &self.target, 0, false)
    }

    fn fault(&self, code: Code, reason: &'static str, what: &str, report: &CallReport) -> Status {
        let domain = format!("{}.scribemed", self.service);
        let mut fault = Fault::new(code, reason, domain, format!("{what} ({report})"))
            .metadata("service", self.service)
            .metadata("target", &*self.target)
            .metadata("attempts", report.attempts().to_string())
            .metadata(
                "may_have_been_sent",
                report.may_have_been_sent().to_string(),
            );
        if let Some(endpoint) = report.endpoint() {
            fault = fault.metadata("endpoint", endpoint);
        }
        if let Some(last) = report.last_failure() {
            fault = fault.metadata("last_failure", last);
        }
        with_report(fault.into_status(), report)
    }

    fn unsent_fault(&self, code: Code, reason: &'static str, what: &str) -> Status {
        self.fault(code, reason, what, &self.unsent())
    }

    /// There is nobody to send it to.
    pub(crate) fn unreachable(&self, why: &str, report: &CallReport) -> Status {
        let what = format!(
            "{} at {} cannot be reached: {why}",
            self.service, self.target
        );
        self.fault(Code::Unavailable, reason::UNREACHABLE, &what, report)
    }

    /// The exchange broke.
    pub(crate) fn broken(&self, code: Code, why: &str, report: &CallReport) -> Status {
        let what = format!(
            "the call to {} at {} broke off: {why}",
            self.service, self.target
        );
        let reason = if code == Code::Cancelled {
            reason::CANCELLED
        } else if code == Code::ResourceExhausted {
            reason::OVERLOADED
        } else if code == Code::Unavailable {
            reason::UNREACHABLE
        } else {
            reason::BROKEN_RESPONSE
        };
        self.fault(code, reason, &what, report)
    }

    /// What came is no gRPC response.
    pub(crate) fn not_grpc(&self, code: Code, why: &str, report: &CallReport) -> Status {
        let what = format!(
            "{} at {} did not answer as gRPC does: {why}",
            self.service, self.target
        );
        self.fault(code, reason::BROKEN_RESPONSE, &what, report)
    }

    /// A message of the response is above the limit.
    pub(crate) fn response_too_large(
        &self,
        size: usize,
        limit: usize,
        report: &CallReport,
    ) -> Status {
        let what = format!(
            "{} answers with a message of {size} bytes, above the limit of {limit} bytes",
            self.service
        );
        self.fault(
            Code::ResourceExhausted,
            reason::RESPONSE_TOO_LARGE,
            &what,
            report,
        )
    }

    /// The request is above the limit; it was not sent.
    pub(crate) fn request_too_large(
        &self,
        contract: Option<&MethodPolicy>,
        limit: usize,
        size: usize,
    ) -> Status {
        let domain = format!("{}.scribemed", self.service);
        let fault = Fault::request_too_large(contract, limit, domain, size);
        with_report(fault.into_status(), &self.unsent())
    }

    /// The circuit breaker is open.
    pub(crate) fn circuit_open(&self, retry_in: Duration, report: &CallReport) -> Status {
        let what = format!(
            "{} at {} has failed too often: its circuit breaker lets calls through again in {:.1} s",
            self.service,
            self.target,
            retry_in.as_secs_f64()
        );
        self.fault(Code::Unavailable, reason::CIRCUIT_OPEN, &what, report)
    }

    /// The service refuses so much that this call was not even tried.
    pub(crate) fn throttled(&self, share: f64) -> Status {
        let what = format!(
            "{} is overloaded and refuses calls; {:.0} % of the calls to it are turned away here",
            self.service,
            share * 100.0
        );
        self.unsent_fault(Code::Unavailable, reason::OVERLOADED, &what)
    }

    /// No token could be had. The issuer's answer keeps its code when it is one.
    pub(crate) fn no_credentials(&self, error: &scribemed_auth::credentials::Error) -> Status {
        let issuer = std::iter::successors(error.source(), |&error| error.source())
            .find_map(|error| error.downcast_ref::<Status>());
        let (code, said) = match issuer {
            Some(status) => (status.code(), status.message().to_owned()),
            None => (Code::Unavailable, error.to_string()),
        };
        let what = format!("no token for {} could be had: {said}", self.service);
        self.unsent_fault(code, reason::NO_CREDENTIALS, &what)
    }

    /// The deadline passed.
    pub(crate) fn deadline_exceeded(&self, report: &CallReport) -> Status {
        let what = format!(
            "the deadline passed before {} at {} answered",
            self.service, self.target
        );
        self.fault(
            Code::DeadlineExceeded,
            reason::DEADLINE_EXCEEDED,
            &what,
            report,
        )
    }

    /// There was no time left when the call was made.
    pub(crate) fn no_time(&self) -> Status {
        self.deadline_exceeded(&self.unsent())
    }

    /// The call that made this one has ended.
    pub(crate) fn cancelled(&self, report: &CallReport) -> Status {
        let what = format!(
            "the call to {} was ended: the call that made it is over",
            self.service
        );
        self.fault(Code::Cancelled, reason::CANCELLED, &what, report)
    }

    /// The request's own `grpc-timeout` cannot be read.
    pub(crate) fn malformed_timeout(&self, error: &scribemed_rpc::MalformedTimeout) -> Status {
        self.unsent_fault(
            Code::InvalidArgument,
            reason::MALFORMED_TIMEOUT,
            &error.to_string(),
        )
    }
}

fn with_report(mut status: Status, report: &CallReport) -> Status {
    let mut headers = HeaderMap::new();
    report.write(&mut headers);
    *status.metadata_mut() = MetadataMap::from_headers(headers);
    status
}
