//! What a failed call is answered with, whoever failed it.

use http::HeaderMap;
use scribemed_rpc::{CallContext, Fault, metadata, reason};
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::response::trailers;

/// Completes the final header block of a failed call: it has an ErrorInfo and a RequestInfo (AIP-193), and nothing of it is
/// from a service that the handler called. Returns the code that it has then. To be called within the span of the call.
pub(crate) fn complete(
    headers: &mut HeaderMap,
    domain: &'static str,
    context: &CallContext,
) -> Code {
    discard_unreadable_details(headers);
    let Some(status) = Status::from_header_map(headers) else {
        return Code::Unknown;
    };
    let status = if headers.contains_key(metadata::X_CALL_SERVICE) {
        // Whatever metadata there is came from there, too.
        keep_content_type(headers);
        upstream(&status, domain, context)
    } else {
        headers.remove(metadata::GRPC_STATUS);
        headers.remove(metadata::GRPC_MESSAGE);
        headers.remove(metadata::GRPC_STATUS_DETAILS);
        status
    };
    let status = detailed(&status, domain, context);
    headers.extend(trailers(&status));
    status.code()
}

fn keep_content_type(headers: &mut HeaderMap) {
    let content_type = headers.remove(http::header::CONTENT_TYPE);
    headers.clear();
    if let Some(content_type) = content_type {
        headers.insert(http::header::CONTENT_TYPE, content_type);
    }
}

/// tonic panics at details that are no base64, and no caller could read them.
fn discard_unreadable_details(headers: &mut HeaderMap) {
    if !headers.contains_key(metadata::GRPC_STATUS_DETAILS) {
        return;
    }
    let mut map = MetadataMap::from_headers(std::mem::take(headers));
    let key = metadata::GRPC_STATUS_DETAILS;
    let readable = map
        .get_bin(key.as_str())
        .is_some_and(|details| details.to_bytes().is_ok());
    if !readable {
        map.remove_bin(key.as_str());
    }
    *headers = map.into_headers();
}

/// The answer in the place of `status`, with which a call of the handler's failed.
fn upstream(status: &Status, domain: &'static str, context: &CallContext) -> Status {
    let of = |key: http::HeaderName| {
        let value = status.metadata().get(key.as_str())?;
        value.to_str().ok()
    };
    let service = of(metadata::X_CALL_SERVICE).filter(|service| *service != "-");
    let info = status.get_details_error_info();
    tracing::warn!(
        service,
        code = ?status.code(),
        // A peer may write anything there; only what is a constant goes into the log.
        reason = info.as_ref().map(|info| &*info.reason).filter(|reason| is_reason(reason)),
        target = of(metadata::X_CALL_TARGET),
        endpoint = of(metadata::X_CALL_ENDPOINT),
        attempts = of(metadata::X_CALL_ATTEMPTS),
        sent = of(metadata::X_CALL_SENT),
        "a service that this one calls failed, and the call with it"
    );
    tracing::debug!(
        said = status.message(),
        before = of(metadata::X_CALL_LAST_FAILURE),
        "what it said"
    );
    Fault::upstream(service, status, context.request_id(), domain).into_status()
}

/// UPPER_SNAKE_CASE of at most 63 characters (google.rpc.ErrorInfo).
fn is_reason(text: &str) -> bool {
    text.len() <= 63
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// `status` with an ErrorInfo and a RequestInfo, where the handler gave none.
fn detailed(status: &Status, domain: &'static str, context: &CallContext) -> Status {
    let code = status.code();
    let mut message = status.message().to_owned();
    let mut details = status.details().to_vec();
    let known = status.get_error_details();
    // Encoded messages that are joined are one message, whose repeated fields are joined: each adds to the details.
    let mut add = |added: &Status| details.extend_from_slice(added.details());
    if known.error_info().is_none() {
        let fault = Fault::new(code, unspecified(code), domain, &*message).into_status();
        // It may have been cut.
        fault.message().clone_into(&mut message);
        add(&fault);
    }
    if known.request_info().is_none() {
        let id = context.request_id().to_string();
        let info = ErrorDetails::with_request_info(id, "");
        add(&Status::with_error_details(code, &*message, info));
    }
    Status::with_details(code, message, details.into())
}

/// The reason for an error that comes without one.
fn unspecified(code: Code) -> &'static str {
    if code == Code::Unimplemented {
        reason::METHOD_UNKNOWN
    } else if code == Code::Cancelled {
        reason::CANCELLED
    } else {
        reason::UNSPECIFIED
    }
}

#[cfg(test)]
mod tests;
