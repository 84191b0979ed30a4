//! Conversions between types. Those of texts read what Go's strconv reads in base 10.

use super::Failure;
use super::calendar::civil;
use super::show::shown_double;
use super::time::SECOND;

/// The same number.
///
/// # Errors
/// [`Failure::Overflow`].
pub fn int_of_uint(value: u64) -> Result<i64, Failure> {
    i64::try_from(value).map_err(|_| Failure::Overflow)
}

/// The number without its fraction.
///
/// # Errors
/// [`Failure::Overflow`], also where it is no number.
pub fn int_of_double(value: f64) -> Result<i64, Failure> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0; // 2^63
    if value > -LIMIT && value < LIMIT {
        #[allow(clippy::cast_possible_truncation, reason = "it is within the limits")]
        return Ok(value as i64);
    }
    Err(Failure::Overflow)
}

/// A number of digits, with or without a sign.
///
/// # Errors
/// [`Failure::Conversion`].
pub fn int_of_text(text: &str) -> Result<i64, Failure> {
    text.parse().map_err(|_| Failure::Conversion("int"))
}

/// Its nanoseconds.
///
/// # Errors
/// [`Failure::Overflow`].
pub fn int_of_duration(span: i128) -> Result<i64, Failure> {
    i64::try_from(span).map_err(|_| Failure::Overflow)
}

/// The same number.
///
/// # Errors
/// [`Failure::Overflow`].
pub fn uint_of_int(value: i64) -> Result<u64, Failure> {
    u64::try_from(value).map_err(|_| Failure::Overflow)
}

/// The number without its fraction.
///
/// # Errors
/// [`Failure::Overflow`], also where it is no number.
pub fn uint_of_double(value: f64) -> Result<u64, Failure> {
    const LIMIT: f64 = 18_446_744_073_709_551_616.0; // 2^64
    if (0.0..LIMIT).contains(&value) {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is within the limits"
        )]
        return Ok(value as u64);
    }
    Err(Failure::Overflow)
}

/// A number of digits.
///
/// # Errors
/// [`Failure::Conversion`].
pub fn uint_of_text(text: &str) -> Result<u64, Failure> {
    let number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| number)
        .ok_or(Failure::Conversion("uint"))
}

/// A decimal number, with or without an exponent.
///
/// # Errors
/// [`Failure::Conversion`].
pub fn double_of_text(text: &str) -> Result<f64, Failure> {
    text.parse().map_err(|_| Failure::Conversion("double"))
}

/// `true` or `1`, `false` or `0`, and what else Go reads as these.
///
/// # Errors
/// [`Failure::Conversion`].
pub fn bool_of_text(text: &str) -> Result<bool, Failure> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(Failure::Conversion("bool")),
    }
}

/// The text that the bytes are in UTF-8.
///
/// # Errors
/// [`Failure::Conversion`]: it is no UTF-8.
pub fn text_of_bytes(bytes: &[u8]) -> Result<&str, Failure> {
    std::str::from_utf8(bytes).map_err(|_| Failure::Conversion("string"))
}

/// As Go's `%g` writes it: the fewest digits that tell it from others; with an exponent below 1e-4 and from 1e21 on.
pub fn text_of_double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let size = value.abs();
    if size == 0.0 || (1e-4..1e21).contains(&size) {
        return shown_double(value);
    }
    super::show::with_exponent(&format!("{value:e}"))
}

/// RFC 3339 in UTC, with as many digits of the second as it has.
pub fn text_of_timestamp(at: i128) -> String {
    let (seconds, nanos) = (at.div_euclid(SECOND), at.rem_euclid(SECOND));
    let time = civil(at, 0);
    let fraction = if nanos == 0 {
        String::new()
    } else {
        format!(".{nanos:09}").trim_end_matches('0').to_owned()
    };
    let of_day = seconds.rem_euclid(86_400);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{fraction}Z",
        time.year,
        time.month,
        time.day,
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60
    )
}

/// Seconds with a fraction: `1.5s`.
pub fn text_of_duration(span: i128) -> String {
    let (seconds, nanos) = (span.abs() / SECOND, span.abs() % SECOND);
    let sign = if span < 0 { "-" } else { "" };
    let fraction = format!(".{nanos:09}");
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{sign}{seconds}{fraction}s")
}
