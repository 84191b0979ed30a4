//! What a server says about sending again.

use std::time::Duration;

use http::HeaderMap;
use scribemed_rpc::metadata::GRPC_RETRY_PUSHBACK_MS;

/// Server pushback ([gRFC A6]): `grpc-retry-pushback-ms` in the trailers.
///
/// [gRFC A6]: https://github.com/grpc/proposal/blob/master/A6-client-retries.md#pushback
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Pushback {
    /// It says nothing.
    #[default]
    None,
    /// Send again after exactly this time, 0 to 2,147,483,647 ms.
    After(Duration),
    /// Do not send again.
    Stop,
}

impl Pushback {
    /// Reads it from the trailers, or from the head of a Trailers-Only response.
    ///
    /// A decimal int32 from 0 on, without sign or needless zeros, is a wait. A negative one, anything that is not such a number, and
    /// the key more than once mean [`Stop`](Self::Stop): what cannot be understood is taken for the careful answer (A6).
    pub fn read(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(GRPC_RETRY_PUSHBACK_MS).iter();
        match (values.next(), values.next()) {
            (None, _) => Self::None,
            (Some(value), None) => millis(value.as_bytes()).map_or(Self::Stop, Self::After),
            (Some(_), Some(_)) => Self::Stop,
        }
    }
}

fn millis(value: &[u8]) -> Option<Duration> {
    let canonical =
        value.iter().all(u8::is_ascii_digit) && (value.len() == 1 || !value.starts_with(b"0"));
    if !canonical {
        return None;
    }
    let number: i32 = std::str::from_utf8(value).ok()?.parse().ok()?;
    Some(Duration::from_millis(u64::try_from(number).ok()?))
}

#[cfg(all(test, not(loom)))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use http::HeaderValue;

    use super::*;

    fn read(values: &[&[u8]]) -> Pushback {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-status", HeaderValue::from_static("14"));
        for value in values {
            headers.append(
                GRPC_RETRY_PUSHBACK_MS,
                HeaderValue::from_bytes(value).unwrap(),
            );
        }
        Pushback::read(&headers)
    }

    #[test]
    fn a_number_is_a_wait_and_all_else_forbids() {
        let check =
            |value: &str, expect| assert_eq!(read(&[value.as_bytes()]), expect, "{value:?}");
        let after = |millis| Pushback::After(Duration::from_millis(millis));
        check("0", after(0));
        check("1", after(1));
        check("2000", after(2_000));
        check("2147483647", after(2_147_483_647));
        for stop in [
            "2147483648",
            "99999999999999999999",
            "-1",
            "-2147483648",
            "-0",
            "+1",
            "007",
            "00",
            "",
            " ",
            "1.5",
            "1e3",
            "0x10",
            "1,2",
            "soon",
            "1 ",
            "\u{661}",
        ] {
            check(stop, Pushback::Stop);
        }
        assert_eq!(read(&[b"\xff"]), Pushback::Stop);
    }

    #[test]
    fn absent_is_nothing_and_repeated_forbids() {
        assert_eq!(read(&[]), Pushback::None);
        assert_eq!(read(&[b"1", b"1"]), Pushback::Stop);
        assert_eq!(read(&[b"1", b"-1"]), Pushback::Stop);
    }
}
