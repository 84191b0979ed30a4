//! Numbers, durations and codes as protobuf's JSON writes them.

use std::ops::RangeInclusive;
use std::time::Duration;

use scribemed_rpc::code;
use tonic::Code;

use super::error::Error;
use super::json::{Node, Place};

/// The most that a `google.protobuf.Duration` holds: 10,000 years.
const MAX_SECONDS: u64 = 315_576_000_000;

/// A whole number. As in protobuf's JSON, `4`, `4.0` and `"4"` are the same.
pub(super) fn whole(place: &Place<'_>, range: RangeInclusive<u32>) -> Result<u32, Error> {
    let value = match place.node {
        Node::Number(number) => number.as_u64().or_else(|| {
            let value = number.as_f64().filter(|value| value.fract() == 0.0)?;
            format!("{value:.0}").parse().ok()
        }),
        Node::Text(text) if digits(text) => text.parse().ok(),
        Node::Text(_) | Node::Null | Node::Flag(_) | Node::List(_) | Node::Object(_) => None,
    };
    value
        .and_then(|value| u32::try_from(value).ok())
        .filter(|value| range.contains(value))
        .ok_or_else(|| {
            let right = match range.into_inner() {
                (0, u32::MAX) => "a whole number, 0 or more".to_owned(),
                (min, u32::MAX) => format!("a whole number, {min} or more"),
                (min, max) => format!("a whole number from {min} to {max}"),
            };
            place.must_be(&right)
        })
}

/// A number that fits; `right` says what does.
pub(super) fn number(place: &Place<'_>, fits: fn(f64) -> bool, right: &str) -> Result<f64, Error> {
    let value = match place.node {
        Node::Number(number) => number.as_f64(),
        // `parse` also takes words such as `inf`.
        Node::Text(text) if text.starts_with(|c: char| c.is_ascii_digit()) => text.parse().ok(),
        Node::Text(_) | Node::Null | Node::Flag(_) | Node::List(_) | Node::Object(_) => None,
    };
    value
        .filter(|value| value.is_finite() && fits(*value))
        .ok_or_else(|| place.must_be(right))
}

/// A duration: seconds in decimal with an `s` behind. gRFC A6 itself leaves the whole part out: `".1s"`.
pub(super) fn duration(place: &Place<'_>) -> Result<Duration, Error> {
    let parsed = if let Node::Text(text) = place.node {
        parse_duration(text)
    } else {
        None
    };
    parsed.ok_or_else(|| {
        place.must_be(
            "a duration: seconds, 0 or more, with at most nine decimals and an s, as \"1.5s\"",
        )
    })
}

/// A duration above zero.
pub(super) fn positive_duration(place: &Place<'_>) -> Result<Duration, Error> {
    let duration = duration(place)?;
    if duration.is_zero() {
        return Err(place.must_be("above 0, as \"1.5s\""));
    }
    Ok(duration)
}

/// A status code by name, in any case, or by number.
pub(super) fn code(place: &Place<'_>) -> Result<(&'static str, Code), Error> {
    let found = match place.node {
        Node::Text(text) => code::from_name(text),
        Node::Number(number) => number
            .as_u64()
            .and_then(|number| i32::try_from(number).ok())
            .filter(|number| code::name(*number).is_some())
            .map(Code::from_i32),
        Node::Null | Node::Flag(_) | Node::List(_) | Node::Object(_) => None,
    };
    match found.and_then(|found| Some((code::name(found as i32)?, found))) {
        Some((_, Code::Ok)) => Err(place.error("is OK, which is no failure; take it away")),
        Some(found) => Ok(found),
        None => Err(place.must_be(&format!("one of {}", code::NAMES[1..].join(", ")))),
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    let number = text.strip_suffix('s')?;
    let (seconds, fraction) = number.split_once('.').unwrap_or((number, ""));
    if seconds.is_empty() && fraction.is_empty() || number.ends_with('.') {
        return None;
    }
    if !(seconds.is_empty() || digits(seconds)) || !(fraction.is_empty() || digits(fraction)) {
        return None;
    }
    let seconds: u64 = if seconds.is_empty() {
        0
    } else {
        seconds.parse().ok()?
    };
    if fraction.len() > 9 {
        return None;
    }
    // `5` after the point is 500,000,000 nanoseconds.
    let nanos: u32 = format!("{fraction:0<9}").parse().ok()?;
    (seconds <= MAX_SECONDS).then(|| Duration::new(seconds, nanos))
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
