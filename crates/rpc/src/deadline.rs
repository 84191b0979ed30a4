//! Deadlines, and the `grpc-timeout` header that carries what is left of them (PROTOCOL-HTTP2, section Requests).

use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;

/// The instant by which a call must have ended. It only shrinks on its way down the call tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

/// A timeout that stands for "none": about 30 years, the most that tokio's timers take.
const FAR: Duration = Duration::from_secs(86_400 * 365 * 30);

impl Deadline {
    /// `timeout` from now.
    pub fn after(timeout: Duration) -> Self {
        Self(Instant::now() + timeout.min(FAR))
    }

    /// `timeout` from an instant that was read already.
    pub fn from(begun: Instant, timeout: Duration) -> Self {
        Self(begun + timeout.min(FAR))
    }

    /// The earlier of the two.
    #[must_use]
    pub fn earliest(self, other: Self) -> Self {
        self.min(other)
    }

    /// What is left; zero once it has passed.
    pub fn remaining(self) -> Duration {
        self.remaining_at(Instant::now())
    }

    /// What is left at an instant that was read already.
    pub fn remaining_at(self, now: Instant) -> Duration {
        self.0.saturating_duration_since(now)
    }

    /// Whether it has passed.
    pub fn has_passed(self) -> bool {
        self.remaining().is_zero()
    }

    /// The instant, for timers.
    pub fn instant(self) -> Instant {
        self.0
    }
}

/// A `grpc-timeout` that breaks the rule "1 to 8 digits, then one of H M S m u n".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MalformedTimeout(String);

impl std::fmt::Display for MalformedTimeout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "grpc-timeout is {:?}; it must be 1 to 8 digits and a unit, one of H, M, S, m, u, n: 5S is five seconds",
            self.0
        )
    }
}

impl std::error::Error for MalformedTimeout {}

/// Reads a `grpc-timeout`.
///
/// # Errors
/// [`MalformedTimeout`] shows at most the first 16 bytes of what was sent.
pub fn parse_timeout(value: &HeaderValue) -> Result<Duration, MalformedTimeout> {
    let malformed = || {
        let bytes = value.as_bytes();
        MalformedTimeout(String::from_utf8_lossy(&bytes[..bytes.len().min(16)]).into_owned())
    };
    let (unit, digits) = value.as_bytes().split_last().ok_or_else(malformed)?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(malformed());
    }
    let amount = digits
        .iter()
        .fold(0_u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    match unit {
        b'H' => Ok(Duration::from_secs(amount * 3600)),
        b'M' => Ok(Duration::from_secs(amount * 60)),
        b'S' => Ok(Duration::from_secs(amount)),
        b'm' => Ok(Duration::from_millis(amount)),
        b'u' => Ok(Duration::from_micros(amount)),
        b'n' => Ok(Duration::from_nanos(amount)),
        _ => Err(malformed()),
    }
}

/// Writes a `grpc-timeout`: the finest unit that fits into 8 digits, rounded up.
pub fn format_timeout(timeout: Duration) -> HeaderValue {
    const LIMIT: u64 = 100_000_000;
    let (seconds, nanos) = (timeout.as_secs(), u64::from(timeout.subsec_nanos()));
    // Rounded up to whole seconds; an amount that saturates is far above the limit and falls to the next unit.
    let whole = seconds.saturating_add(u64::from(nanos > 0));
    let scaled = |scale: u64| {
        seconds
            .saturating_mul(scale)
            .saturating_add(nanos.div_ceil(1_000_000_000 / scale))
    };
    // From the finest on; most timeouts are a few seconds.
    let fine = [(1_000_000_000, b'n'), (1_000_000, b'u'), (1_000, b'm')]
        .into_iter()
        .map(|(scale, unit)| (scaled(scale), unit));
    let coarse = [(1, b'S'), (60, b'M'), (3_600, b'H')]
        .into_iter()
        .map(|(seconds, unit)| (whole.div_ceil(seconds), unit));
    let (mut amount, unit) = fine
        .chain(coarse)
        .find(|(amount, _)| *amount < LIMIT)
        .unwrap_or((LIMIT - 1, b'H'));
    let mut text = [unit; 9];
    let mut begin = text.len() - 1;
    loop {
        begin -= 1;
        text[begin] = b"0123456789"[(amount % 10) as usize];
        amount /= 10;
        if amount == 0 {
            break;
        }
    }
    // Digits and a letter are always a valid value.
    HeaderValue::from_bytes(&text[begin..]).unwrap_or(HeaderValue::from_static("99999999H"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn parses_every_unit() {
        for (text, expect) in [
            ("1H", Duration::from_secs(3600)),
            ("2M", Duration::from_secs(120)),
            ("5S", Duration::from_secs(5)),
            ("99999999m", Duration::from_millis(99_999_999)),
            ("0u", Duration::ZERO),
            ("00000007n", Duration::from_nanos(7)),
        ] {
            assert_eq!(
                parse_timeout(&HeaderValue::from_static(text)),
                Ok(expect),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_breaks_the_rule() {
        for text in [
            "",
            "S",
            "5",
            "5s",
            "-5S",
            "+5S",
            "5.0S",
            "123456789S",
            "5 S",
            "1e3m",
            "\t5S",
        ] {
            let error =
                parse_timeout(&HeaderValue::from_bytes(text.as_bytes()).unwrap()).unwrap_err();
            assert!(
                error.to_string().contains("5S is five seconds"),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn writes_the_finest_unit_that_fits_rounded_up() {
        for (timeout, expect) in [
            (Duration::ZERO, "0n"),
            (Duration::from_nanos(99_999_999), "99999999n"),
            (Duration::from_nanos(100_000_001), "100001u"),
            (Duration::from_secs(10), "10000000u"),
            (Duration::from_secs(100), "100000m"),
            (Duration::from_secs(100_000), "100000S"),
            (Duration::new(99_999_999, 1), "1666667M"),
            (Duration::from_secs(6_000_000_000), "1666667H"),
            (Duration::MAX, "99999999H"),
        ] {
            assert_eq!(format_timeout(timeout), expect, "{timeout:?}");
        }
    }

    #[test]
    fn what_is_written_is_never_shorter_than_what_was_meant() {
        let mut nanos: u64 = 1;
        while nanos < u64::MAX / 7 {
            let timeout = Duration::from_nanos(nanos);
            assert!(parse_timeout(&format_timeout(timeout)).unwrap() >= timeout);
            nanos = nanos * 7 + 3;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn runs_out() {
        let deadline = Deadline::after(Duration::from_secs(2));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(deadline.remaining(), Duration::from_secs(1));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert!(deadline.has_passed());
        assert!(!Deadline::after(Duration::MAX).has_passed());
    }
}
