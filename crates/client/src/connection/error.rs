//! What a failing connection or stream means for a call (PROTOCOL-HTTP2, section Errors).

use h2::Reason;
use scribemed_resilience::decide::Sent;
use tonic::Code;

/// An exchange that ended without an answer.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    pub(crate) code: Code,
    /// Whether the service may have seen the request.
    pub(crate) sent: Sent,
    /// It befell the whole connection, not this exchange alone.
    pub(crate) everybody: bool,
    /// What happened, for the error of the call.
    pub(crate) what: String,
}

impl Broken {
    /// The request could not be handed to the connection.
    pub(crate) fn before_sending(error: &h2::Error) -> Self {
        Self {
            code: Code::Unavailable,
            sent: Sent::Never,
            everybody: true,
            what: format!("the connection was closing: {error}"),
        }
    }

    /// The request is none that HTTP/2 can carry: it would fail on every connection.
    pub(crate) fn unsendable(error: &h2::Error) -> Self {
        Self {
            code: Code::Internal,
            sent: Sent::Never,
            everybody: false,
            what: format!("the request cannot be sent over HTTP/2: {error}"),
        }
    }

    /// The stream or its connection broke after the request was handed over.
    pub(crate) fn after_sending(error: &h2::Error) -> Self {
        // A stream above the last one that the peer's GOAWAY names was not and will not be processed (RFC 9113, section
        // 6.8). h2 gives this error to such streams only; one that the peer has taken on fails with the I/O error.
        if error.is_go_away() && error.is_remote() {
            return Self {
                code: Code::Unavailable,
                sent: Sent::Refused,
                everybody: true,
                what: format!("the server went away before it took the call: {error}"),
            };
        }
        if error.is_reset() && error.is_remote() {
            return Self::reset(error.reason().unwrap_or(Reason::INTERNAL_ERROR));
        }
        // It would be no better the next time, so this is not UNAVAILABLE.
        if error.is_reset() && error.is_library() {
            return Self {
                code: Code::Internal,
                sent: Sent::Perhaps,
                everybody: false,
                what: format!("the server's answer was refused here: {error}"),
            };
        }
        Self {
            code: Code::Unavailable,
            sent: Sent::Perhaps,
            everybody: true,
            what: match error.get_io() {
                Some(io) => format!("the connection broke: {io}"),
                None => format!("the connection broke: {error}"),
            },
        }
    }

    /// The peer reset the stream.
    pub(crate) fn reset(reason: Reason) -> Self {
        let code = match reason {
            Reason::REFUSED_STREAM => Code::Unavailable,
            Reason::CANCEL => Code::Cancelled,
            Reason::ENHANCE_YOUR_CALM => Code::ResourceExhausted,
            Reason::INADEQUATE_SECURITY => Code::PermissionDenied,
            _ => Code::Internal,
        };
        Self {
            code,
            sent: if reason == Reason::REFUSED_STREAM {
                Sent::Refused
            } else {
                Sent::Perhaps
            },
            everybody: false,
            what: format!("the server reset the stream: {reason:?}"),
        }
    }
}
