//! Errors on the wire: a code, a message for people, and google.rpc details for programs (AIP-193).

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::{MethodPolicy, Violation};

/// As much of a message as goes over the wire, in bytes. It is sent twice, once of them percent-encoded, and a peer refuses
/// a header block above 16 KiB.
const MAX_MESSAGE: usize = 1024;
/// As many violations as a BadRequest names; the message tells how many there are.
const MAX_VIOLATIONS: usize = 16;

/// An error on its way to the caller. Every one carries an ErrorInfo: a `reason` in `UPPER_SNAKE_CASE` for programs, the
/// `domain` that defines it, and every variable of the message once more as metadata.
///
/// ```
/// use scribemed_rpc::Fault;
/// use tonic::Code;
///
/// let status = Fault::new(Code::NotFound, "NOTE_NOT_FOUND", "documentation.scribemed", "there is no note 42")
///     .metadata("note_id", "42")
///     .into_status();
/// assert_eq!(status.code(), Code::NotFound);
/// ```
#[derive(Debug, Clone)]
#[must_use = "a fault does nothing until it is a status"]
pub struct Fault {
    code: Code,
    message: String,
    pub(crate) reason: Cow<'static, str>,
    pub(crate) domain: String,
    pub(crate) metadata: HashMap<String, String>,
    pub(crate) details: ErrorDetails,
}

impl Fault {
    /// An error of this code. `message` says what is wrong and what would be right; it holds nothing that was said or
    /// written about a patient, no token, and no message of an error further down.
    pub fn new(
        code: Code,
        reason: &'static str,
        domain: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code,
            message: message.into(),
            reason: Cow::Borrowed(reason),
            domain: domain.into(),
            metadata: HashMap::new(),
            details: ErrorDetails::new(),
        }
    }

    /// The same for a request that its own client refused: the message says so.
    pub(crate) fn not_sent(mut self) -> Self {
        self.message.insert_str(0, "not sent: ");
        self
    }

    /// INVALID_ARGUMENT with a BadRequest that names each field, the first 16 if there are more. The message and the ErrorInfo
    /// (`field`, `rule`) name the first.
    pub fn invalid(domain: impl Into<String>, violations: &[Violation]) -> Self {
        let message = match violations {
            [] => "the request is invalid".to_owned(),
            [only] => only.to_string(),
            [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
        };
        let mut fault = Self::new(
            Code::InvalidArgument,
            reason::INVALID_REQUEST,
            domain,
            message,
        );
        for violation in violations.iter().take(MAX_VIOLATIONS) {
            fault
                .details
                .add_bad_request_violation(&violation.field, violation.description());
        }
        match violations.first() {
            Some(first) => fault
                .metadata("field", &first.field)
                .metadata("rule", first.rule),
            None => fault,
        }
    }

    /// RESOURCE_EXHAUSTED for a request message of `size` bytes, above the contract's limit. Names the field that can make it
    /// so large, where there is one.
    pub fn request_too_large(
        policy: Option<&MethodPolicy>,
        limit: usize,
        domain: impl Into<String>,
        size: usize,
    ) -> Self {
        let what =
            format!("the request message of {size} bytes is above the limit of {limit} bytes");
        let bulk = policy.and_then(|policy| policy.bulk_field);
        let message = match bulk {
            Some(field) => format!(
                "{} must be at most {} bytes; {what}",
                field.path, field.max_bytes
            ),
            None => what,
        };
        let fault = Self::new(
            Code::ResourceExhausted,
            reason::REQUEST_TOO_LARGE,
            domain,
            message,
        )
        .metadata("size_bytes", size.to_string())
        .metadata("limit_bytes", limit.to_string());
        match bulk {
            Some(field) => fault.field(
                field.path,
                format!("must be at most {} bytes", field.max_bytes),
            ),
            None => fault,
        }
    }

    /// Adds a variable of the message to the ErrorInfo.
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// Adds a BadRequest violation: the field's path, and what is wrong with it and what would be right.
    pub fn field(mut self, path: impl Into<String>, description: impl Into<String>) -> Self {
        self.details.add_bad_request_violation(path, description);
        self
    }

    /// Adds a PreconditionFailure violation.
    pub fn precondition(
        mut self,
        kind: impl Into<String>,
        subject: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        self.details
            .add_precondition_failure_violation(kind, subject, description);
        self
    }

    /// Adds a QuotaFailure violation: whose quota is used up, and what it is.
    pub fn quota(mut self, subject: impl Into<String>, description: impl Into<String>) -> Self {
        self.details
            .add_quota_failure_violation(subject, description);
        self
    }

    /// Adds a RetryInfo: how long to wait before another try.
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.details.set_retry_info(Some(delay));
        self
    }

    /// The status that goes over the wire. A message above 1 KiB is cut.
    pub fn into_status(mut self) -> Status {
        if self.message.len() > MAX_MESSAGE {
            self.message
                .truncate(self.message.floor_char_boundary(MAX_MESSAGE));
            self.message.push('…');
        }
        self.details
            .set_error_info(self.reason, self.domain, self.metadata);
        Status::with_error_details(self.code, self.message, self.details)
    }
}

impl From<Fault> for Status {
    fn from(fault: Fault) -> Self {
        fault.into_status()
    }
}

/// The reasons that the platform itself gives; their domain is the discovery name of the service that answers. Each is a value
/// of `scribemed.options.v1.ErrorReason` in the contract, and a test sees to that.
pub mod reason {
    /// A field breaks a rule of the contract. INVALID_ARGUMENT.
    pub const INVALID_REQUEST: &str = "INVALID_REQUEST";
    /// A response breaks a rule of the contract. INTERNAL.
    pub const INVALID_RESPONSE: &str = "INVALID_RESPONSE";
    /// The deadline has passed. DEADLINE_EXCEEDED.
    pub const DEADLINE_EXCEEDED: &str = "DEADLINE_EXCEEDED";
    /// `grpc-timeout` cannot be read. INVALID_ARGUMENT.
    pub const MALFORMED_TIMEOUT: &str = "MALFORMED_TIMEOUT";
    /// The metadata cannot be read.
    pub const MALFORMED_METADATA: &str = "MALFORMED_METADATA";
    /// The message is larger than the contract allows. RESOURCE_EXHAUSTED.
    pub const REQUEST_TOO_LARGE: &str = "REQUEST_TOO_LARGE";
    /// The token does not grant what the method asks for. PERMISSION_DENIED.
    pub const PERMISSION_MISSING: &str = "PERMISSION_MISSING";
    /// The token is of another service than the certificate of the connection (mTLS). UNAUTHENTICATED.
    pub const CALLER_MISMATCH: &str = "CALLER_MISMATCH";
    /// There is no service of this name. NOT_FOUND.
    pub const SERVICE_UNKNOWN: &str = "SERVICE_UNKNOWN";
    /// There are more services than can be listed at once. RESOURCE_EXHAUSTED.
    pub const TOO_MANY_SERVICES: &str = "TOO_MANY_SERVICES";
    /// Only peers on the same machine are answered. PERMISSION_DENIED.
    pub const PEER_NOT_LOCAL: &str = "PEER_NOT_LOCAL";
    /// Channelz knows no such server, socket, channel or subchannel. NOT_FOUND.
    pub const CHANNELZ_UNKNOWN: &str = "CHANNELZ_UNKNOWN";
    /// There is no such method. UNIMPLEMENTED.
    pub const METHOD_UNKNOWN: &str = "METHOD_UNKNOWN";
    /// The method is past its sunset, and this server refuses it. UNIMPLEMENTED.
    pub const METHOD_SUNSET: &str = "METHOD_SUNSET";
    /// The handler panicked. INTERNAL.
    pub const PANICKED: &str = "PANICKED";
    /// The handler gave no reason. The code of the error.
    pub const UNSPECIFIED: &str = "UNSPECIFIED";
    /// The target could not be reached. UNAVAILABLE.
    pub const UNREACHABLE: &str = "UNREACHABLE";
    /// The service has failed too often, and is left alone for a while. UNAVAILABLE.
    pub const CIRCUIT_OPEN: &str = "CIRCUIT_OPEN";
    /// The service refuses calls because it has too much to do. UNAVAILABLE or RESOURCE_EXHAUSTED.
    pub const OVERLOADED: &str = "OVERLOADED";
    /// The caller makes more calls than it may. RESOURCE_EXHAUSTED.
    pub const RATE_LIMITED: &str = "RATE_LIMITED";
    /// The message of a response is larger than the contract allows. RESOURCE_EXHAUSTED.
    pub const RESPONSE_TOO_LARGE: &str = "RESPONSE_TOO_LARGE";
    /// The response broke off, or is no gRPC response. The code that PROTOCOL-HTTP2 has for it.
    pub const BROKEN_RESPONSE: &str = "BROKEN_RESPONSE";
    /// No token could be had for the call. UNAVAILABLE, or what the issuer answered.
    pub const NO_CREDENTIALS: &str = "NO_CREDENTIALS";
    /// What a call does cannot be recorded in the audit log now, so nothing is done. UNAVAILABLE.
    pub const AUDIT_UNAVAILABLE: &str = "AUDIT_UNAVAILABLE";
    /// The caller went away. CANCELLED.
    pub const CANCELLED: &str = "CANCELLED";
    /// A service that this one calls failed. See [`Fault::upstream`](crate::Fault::upstream).
    pub const UPSTREAM_FAILED: &str = "UPSTREAM_FAILED";
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn carries_reason_domain_metadata_and_fields() {
        let status = Fault::new(
            Code::InvalidArgument,
            "AUDIO_SILENT",
            "transcription.scribemed",
            "silent",
        )
        .metadata("peak", "-90")
        .field("audio", "holds no speech")
        .into_status();
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str()),
            ("AUDIO_SILENT", "transcription.scribemed")
        );
        assert_eq!(info.metadata["peak"], "-90");
        assert_eq!(
            details.bad_request().unwrap().field_violations[0].field,
            "audio"
        );
    }

    #[test]
    fn names_each_invalid_field() {
        let status = Fault::invalid(
            "documentation",
            &[
                Violation::new("patient_id", "string.uuid", "must be a valid UUID"),
                Violation::new("note_type", "enum.not_in", "must not be in list [0]"),
            ],
        )
        .into_status();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(
            status.message(),
            "patient_id: must be a valid UUID (and 1 more)"
        );
        let details = status.get_error_details();
        let fields = &details.bad_request().unwrap().field_violations;
        assert_eq!(
            fields.iter().map(|v| v.field.as_str()).collect::<Vec<_>>(),
            ["patient_id", "note_type"]
        );
        assert!(fields[0].description.contains("string.uuid"));
        let info = details.error_info().unwrap();
        assert_eq!(info.metadata["field"], "patient_id");
        assert_eq!(info.metadata["rule"], "string.uuid");
    }

    #[test]
    fn fits_into_a_header_block_however_much_is_wrong() {
        let violations: Vec<_> = (0..1000)
            .map(|i| Violation::new(format!("items[{i}]"), "string.uuid", "must be a valid UUID"))
            .collect();
        let status = Fault::invalid("documentation.scribemed", &violations).into_status();
        assert!(status.message().ends_with("(and 999 more)"));
        let details = status.get_error_details();
        assert_eq!(details.bad_request().unwrap().field_violations.len(), 16);
        assert!(status.details().len() < 4096);

        let long =
            Fault::new(Code::Internal, "LONG", "x.scribemed", "ä".repeat(9000)).into_status();
        assert!(long.message().len() < 1100 && long.message().ends_with("ä…"));
    }
}
