//! The failure of a call that a handler makes, as its own caller is told of it.
//!
//! A handler that ends with `?` on the answer of another service would give its caller a code, a message, details and metadata
//! that were meant for itself: NOT_FOUND for something that this caller never named, "you lack a permission" to one that has
//! it, a pushback to one that never called. So the channel marks its errors
//! ([`X_CALL_SERVICE`](crate::metadata::X_CALL_SERVICE)), and the server answers with [`Fault::upstream`] in the place of a
//! marked one. Who wants to pass one on says so with [`Fault::passed_on`].

use std::borrow::Cow;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{Fault, RequestId, reason};

impl Fault {
    /// The answer to a caller when a call to `service` failed with `status` and nothing better is known of it; `None`: it is
    /// not known which service. Reason UPSTREAM_FAILED; the message and the ErrorInfo (`service`, `request_id`) name the
    /// service and the request, under which the log tells more, and nothing that the service said.
    ///
    /// | the call failed with | the answer is |
    /// |---|---|
    /// | CANCELLED, DEADLINE_EXCEEDED, UNAVAILABLE | the same: they hold for this caller, too |
    /// | RESOURCE_EXHAUSTED | UNAVAILABLE, as it is not this caller who asked for too much; INTERNAL when a message was too large, as no repeat makes it smaller |
    /// | anything else | INTERNAL, as gRFC A54 has it: it speaks of a request that this caller did not make |
    pub fn upstream(
        service: Option<&str>,
        status: &Status,
        request_id: RequestId,
        domain: impl Into<String>,
    ) -> Self {
        let who = service.map_or_else(
            || Cow::Borrowed("a service that this one calls"),
            |service| Cow::Owned(format!("{service}, which this service calls,")),
        );
        let fault = Self::new(
            upstream_code(status),
            reason::UPSTREAM_FAILED,
            domain,
            format!("{who} failed; the log tells more under the request id {request_id}"),
        )
        .metadata("request_id", request_id.to_string());
        match service {
            Some(service) => fault.metadata("service", service),
            None => fault,
        }
    }

    /// What another service answered, to be passed on as it is: code, message and details, with the reason and domain of
    /// the service that gave it. `domain` is that of this service, for an answer without ErrorInfo. Its metadata is left
    /// behind, and so are its DebugInfo and RequestInfo. To be used where the answer is written for this caller, too; whether
    /// it is, only the handler can know.
    pub fn passed_on(status: &Status, domain: impl Into<String>) -> Self {
        let details = status.get_error_details();
        let mut fault = Self::new(
            status.code(),
            reason::UPSTREAM_FAILED,
            domain,
            status.message(),
        );
        if let Some(info) = details.error_info() {
            fault.reason = Cow::Owned(info.reason.clone());
            fault.domain.clone_from(&info.domain);
            fault.metadata.clone_from(&info.metadata);
        }
        let kept = &mut fault.details;
        if let Some(info) = details.retry_info() {
            kept.set_retry_info(info.retry_delay);
        }
        if let Some(failure) = details.quota_failure() {
            kept.set_quota_failure(failure.violations.clone());
        }
        if let Some(failure) = details.precondition_failure() {
            kept.set_precondition_failure(failure.violations.clone());
        }
        if let Some(request) = details.bad_request() {
            kept.set_bad_request(request.field_violations.clone());
        }
        if let Some(info) = details.resource_info() {
            kept.set_resource_info(
                &*info.resource_type,
                &*info.resource_name,
                &*info.owner,
                &*info.description,
            );
        }
        if let Some(help) = details.help() {
            kept.set_help(help.links.clone());
        }
        if let Some(message) = details.localized_message() {
            kept.set_localized_message(&*message.locale, &*message.message);
        }
        fault
    }
}

fn upstream_code(status: &Status) -> Code {
    match status.code() {
        same @ (Code::Cancelled | Code::DeadlineExceeded | Code::Unavailable) => same,
        Code::ResourceExhausted if too_large(status) => Code::Internal,
        Code::ResourceExhausted => Code::Unavailable,
        Code::Ok
        | Code::Unknown
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Internal
        | Code::DataLoss
        | Code::Unauthenticated => Code::Internal,
    }
}

fn too_large(status: &Status) -> bool {
    status.get_details_error_info().is_some_and(|info| {
        [reason::REQUEST_TOO_LARGE, reason::RESPONSE_TOO_LARGE].contains(&info.reason.as_str())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn upstream(status: &Status) -> Status {
        let id = RequestId::generate();
        Fault::upstream(Some("inn"), status, id, "road.scribemed").into_status()
    }

    #[test]
    fn a_code_that_is_about_another_request_is_internal() {
        for (code, expect) in [
            (Code::Cancelled, Code::Cancelled),
            (Code::DeadlineExceeded, Code::DeadlineExceeded),
            (Code::Unavailable, Code::Unavailable),
            (Code::ResourceExhausted, Code::Unavailable),
            (Code::Ok, Code::Internal),
            (Code::Unknown, Code::Internal),
            (Code::InvalidArgument, Code::Internal),
            (Code::NotFound, Code::Internal),
            (Code::AlreadyExists, Code::Internal),
            (Code::PermissionDenied, Code::Internal),
            (Code::FailedPrecondition, Code::Internal),
            (Code::Aborted, Code::Internal),
            (Code::OutOfRange, Code::Internal),
            (Code::Unimplemented, Code::Internal),
            (Code::Internal, Code::Internal),
            (Code::DataLoss, Code::Internal),
            (Code::Unauthenticated, Code::Internal),
        ] {
            assert_eq!(upstream(&Status::new(code, "")).code(), expect, "{code:?}");
        }
    }

    #[test]
    fn a_message_that_is_too_large_is_no_overload() {
        let status = Fault::request_too_large(None, 10, "inn.scribemed", 11).into_status();
        assert_eq!(upstream(&status).code(), Code::Internal);
    }

    #[test]
    fn nothing_that_the_service_said_is_in_it() {
        let said = Fault::new(
            Code::NotFound,
            "BED_GONE",
            "inn.scribemed",
            "the bed of Ada",
        )
        .metadata("guest", "Ada")
        .field("bed", "is Ada's")
        .into_status();
        let id = RequestId::generate();
        let status = Fault::upstream(Some("inn"), &said, id, "road.scribemed").into_status();
        assert!(!format!("{status:?}").contains("Ada"));
        assert_eq!(
            status.message(),
            format!(
                "inn, which this service calls, failed; the log tells more under the request id {id}"
            )
        );
        let info = status.get_details_error_info().unwrap();
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str()),
            ("UPSTREAM_FAILED", "road.scribemed")
        );
        assert_eq!(info.metadata["service"], "inn");
        assert_eq!(info.metadata["request_id"], id.to_string());

        let status = Fault::upstream(None, &said, id, "road.scribemed").into_status();
        assert!(
            status
                .message()
                .starts_with("a service that this one calls failed")
        );
    }

    #[test]
    fn what_is_passed_on_keeps_its_words_and_loses_its_metadata() {
        let mut said = Fault::new(Code::NotFound, "BED_GONE", "inn.scribemed", "bed 7 is gone")
            .metadata("bed", "7")
            .field("bed", "must be one of ours")
            .into_status();
        said.metadata_mut().insert("x-secret", "7".parse().unwrap());
        let status = Fault::passed_on(&said, "road.scribemed").into_status();
        assert_eq!(
            (status.code(), status.message()),
            (Code::NotFound, "bed 7 is gone")
        );
        assert!(status.metadata().is_empty());
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str()),
            ("BED_GONE", "inn.scribemed")
        );
        assert_eq!(info.metadata["bed"], "7");
        assert_eq!(
            details.bad_request().unwrap().field_violations[0].field,
            "bed"
        );

        let bare = Fault::passed_on(&Status::aborted("busy"), "road.scribemed").into_status();
        let info = bare.get_details_error_info().unwrap();
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str()),
            ("UPSTREAM_FAILED", "road.scribemed")
        );
    }
}
