//! What the end of an attempt says of the one who answered.

use tonic::Code;

/// What the end of an attempt says of the health of the service, judged by the gRPC status in the trailers and never by the
/// HTTP head: a response that begins with 200 may end with UNAVAILABLE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It answered. That the answer may be NOT_FOUND is the caller's affair: a healthy service says so, too.
    Success,
    /// It failed, or cannot be reached.
    Failure,
    /// It is well and has too much to do.
    Overloaded,
    /// It says nothing: the caller went away.
    Ignored,
}

impl Outcome {
    /// The outcome of an attempt that ended with this code.
    ///
    /// - [`Failure`](Self::Failure): UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE, DATA_LOSS.
    /// - [`Overloaded`](Self::Overloaded): RESOURCE_EXHAUSTED.
    /// - [`Ignored`](Self::Ignored): CANCELLED.
    /// - [`Success`](Self::Success): all others, UNIMPLEMENTED and UNAUTHENTICATED among them.
    pub const fn of(code: Code) -> Self {
        match code {
            Code::Unknown
            | Code::DeadlineExceeded
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss => Self::Failure,
            Code::ResourceExhausted => Self::Overloaded,
            Code::Cancelled => Self::Ignored,
            Code::Ok
            | Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::Unauthenticated => Self::Success,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_outcome() {
        use Outcome::{Failure, Ignored, Overloaded, Success};
        let expect = [
            Success, Ignored, Failure, Success, Failure, Success, Success, Success, Overloaded,
            Success, Success, Success, Success, Failure, Failure, Failure, Success,
        ];
        for (number, expect) in (0..).zip(expect) {
            let code = Code::from_i32(number);
            assert_eq!(Outcome::of(code), expect, "{code:?}");
        }
    }
}
