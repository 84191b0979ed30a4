//! Status codes by their names, as the gRPC specification, the metrics of gRFC A66 and service configs spell them.

use tonic::Code;

/// The names, each at the place of its number.
pub const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The name of the code with this number; `None` where there is no such code.
pub fn name(number: i32) -> Option<&'static str> {
    NAMES.get(usize::try_from(number).ok()?).copied()
}

/// The code of this name, in capitals or not.
pub fn from_name(name: &str) -> Option<Code> {
    let number = NAMES
        .iter()
        .position(|known| known.eq_ignore_ascii_case(name))?;
    Some(Code::from_i32(i32::try_from(number).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_those_of_grpc() {
        for (code, expect) in [
            (Code::Ok, "OK"),
            (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"),
            (Code::Unavailable, "UNAVAILABLE"),
            (Code::Unauthenticated, "UNAUTHENTICATED"),
        ] {
            assert_eq!(name(code as i32), Some(expect));
            assert_eq!(from_name(&expect.to_lowercase()), Some(code));
        }
        assert_eq!((name(17), name(-1)), (None, None));
        assert_eq!(from_name("NOTHING"), None);
    }
}
