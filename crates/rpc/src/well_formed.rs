//! What is wrong with the metadata of a request, wherever one may go wrong without being noticed.

use http::HeaderMap;

use crate::metadata::GRPC_TIMEOUT;

/// The end of the key of a binary value (PROTOCOL-HTTP2, Custom-Metadata).
const BINARY: &str = "-bin";
/// As much of a key as an error shows.
const SHOWN: usize = 100;

/// Metadata that cannot be taken at its word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MalformedMetadata {
    /// The value under this key, which ends with `-bin`, is no base64.
    Binary(String),
    /// There is more than one `grpc-timeout`, and which one is meant cannot be known.
    Timeouts,
}

impl std::fmt::Display for MalformedMetadata {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Binary(key) => write!(
                f,
                "the value of {key} is not base64, which values of keys that end with -bin must be"
            ),
            Self::Timeouts => f.write_str("grpc-timeout was sent more than once; send it once"),
        }
    }
}

impl std::error::Error for MalformedMetadata {}

/// Checks what is read late or by nobody: binary values must be base64, padded or not, in the standard alphabet, each one or
/// several with commas between them (PROTOCOL-HTTP2, Custom-Metadata); a deadline must not be given twice.
///
/// # Errors
/// The first that is malformed. The value is not in the error.
pub fn well_formed(headers: &HeaderMap) -> Result<(), MalformedMetadata> {
    let mut timeouts = 0;
    for (name, value) in headers {
        if name.as_str().ends_with(BINARY) {
            if !are_base64(value.as_bytes()) {
                let shown = &name.as_str()[..name.as_str().len().min(SHOWN)];
                return Err(MalformedMetadata::Binary(shown.to_owned()));
            }
        } else if *name == GRPC_TIMEOUT {
            timeouts += 1;
        }
    }
    if timeouts > 1 {
        return Err(MalformedMetadata::Timeouts);
    }
    Ok(())
}

/// One value or several, as a proxy joins them (RFC 9110, section 5.3).
fn are_base64(values: &[u8]) -> bool {
    let mut values = values.split(|byte| *byte == b',');
    values.next().is_none_or(is_base64)
        && values.all(|value| is_base64(value.strip_prefix(b" ").unwrap_or(value)))
}

/// RFC 4648, section 4, with the padding or without, and nothing in the bits that are left over (section 3.5).
fn is_base64(value: &[u8]) -> bool {
    let once = value.strip_suffix(b"=").unwrap_or(value);
    let digits = once.strip_suffix(b"=").unwrap_or(once);
    let padded = digits.len() < value.len();
    let left_over = match digits.len() % 4 {
        0 => 0,
        2 => 0b1111,
        3 => 0b11,
        _ => return false,
    };
    digits.iter().all(|byte| digit(*byte).is_some())
        && digits
            .last()
            .is_none_or(|last| digit(*last).is_some_and(|last| last & left_over == 0))
        && (!padded || value.len().is_multiple_of(4))
}

/// The value of a digit.
fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn check(headers: &[(&str, &[u8])]) -> Result<(), String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_bytes(value).unwrap(),
            );
        }
        well_formed(&map).map_err(|error| error.to_string())
    }

    #[test]
    fn binary_values_are_base64() {
        for good in [
            "", "AA", "AAE", "AAAA", "AA==", "AAA=", "+/09", "AA, AAA=", ",",
        ] {
            assert_eq!(check(&[("x-bin", good.as_bytes())]), Ok(()), "{good:?}");
        }
        for bad in [
            "A", "AAAAA", "A===", "AA=", "AAAA=", "AA-_", "AA=A", "é", "AA\t!", "AA,A", "AB",
            "AAB=", " AA",
        ] {
            let error = check(&[("x-bin", bad.as_bytes())]);
            assert!(error.is_err(), "{bad:?}");
            assert!(error.unwrap_err().len() < 100, "the value is not shown");
        }
        assert_eq!(check(&[("x", b"not base64!"), ("bin", b"!")]), Ok(()));
    }

    #[test]
    fn an_error_names_the_key_and_shows_no_more_of_it_than_needed() {
        let key = "k".repeat(5_000) + BINARY;
        let error = check(&[(&key, b"!")]).unwrap_err();
        assert!(error.starts_with("the value of kkk") && error.len() < 250);
    }

    #[test]
    fn there_is_one_timeout() {
        let one: (&str, &[u8]) = ("grpc-timeout", b"1S");
        assert_eq!(check(&[one]), Ok(()));
        assert!(check(&[one, one]).is_err());
    }
}
