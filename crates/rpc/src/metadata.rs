//! The metadata keys of the platform, in one place.

use http::HeaderName;

/// `authorization: Bearer <token>` (RFC 6750).
pub const AUTHORIZATION: HeaderName = http::header::AUTHORIZATION;
/// What our channel sends in the place of `authorization`, with the same value. HTTP/2 stacks never put `authorization` into
/// HPACK's table, so a token of 450 bytes is Huffman-coded and decoded anew with each call, which costs more than all else that
/// the channel adds. This one is sent once a connection and then named by a byte (RFC 7541, section 2.3.2); what section 7.1
/// warns of needs a guessable secret and a connection shared with an attacker. A server takes either, and not both.
pub const X_SERVICE_AUTHORIZATION: HeaderName = HeaderName::from_static("x-service-authorization");
/// The remaining time of a call (PROTOCOL-HTTP2).
pub const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
/// The status code (PROTOCOL-HTTP2).
pub const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
/// The status message, percent-encoded (PROTOCOL-HTTP2).
pub const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// A google.rpc.Status with its details, base64.
pub const GRPC_STATUS_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
/// How many attempts came before this one; absent on the first (gRFC A6).
pub const GRPC_PREVIOUS_RPC_ATTEMPTS: HeaderName =
    HeaderName::from_static("grpc-previous-rpc-attempts");
/// How long to wait before the next attempt, in milliseconds; anything but a whole number from 0 on forbids one (gRFC A6).
pub const GRPC_RETRY_PUSHBACK_MS: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");
/// The id that one request keeps through every service that takes part in it: a UUID.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The trace and the parent span (W3C Trace Context).
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Vendor data of the trace (W3C Trace Context).
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// Since when a method should not be used any more (RFC 9745).
pub const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
/// From when a method may be gone (RFC 8594).
pub const SUNSET: HeaderName = HeaderName::from_static("sunset");
/// What to use instead, as `successor-version` (RFC 8288).
pub const LINK: HeaderName = http::header::LINK;
/// The discovery name of the service that was called, or `-` where it is not known: on each failure of a call that a
/// service makes. Like the other `x-call-` keys it stays within the process: a server that would answer with such a failure
/// answers with one of its own instead ([`Fault::upstream`](crate::Fault::upstream)).
pub const X_CALL_SERVICE: HeaderName = HeaderName::from_static("x-call-service");
/// Where the service was looked for.
pub const X_CALL_TARGET: HeaderName = HeaderName::from_static("x-call-target");
/// The endpoint of the last attempt.
pub const X_CALL_ENDPOINT: HeaderName = HeaderName::from_static("x-call-endpoint");
/// How many attempts were made.
pub const X_CALL_ATTEMPTS: HeaderName = HeaderName::from_static("x-call-attempts");
/// Whether the request may have been carried out: `no` or `perhaps`.
pub const X_CALL_SENT: HeaderName = HeaderName::from_static("x-call-sent");
/// What the last attempt before the end of the call failed with.
pub const X_CALL_LAST_FAILURE: HeaderName = HeaderName::from_static("x-call-last-failure");
