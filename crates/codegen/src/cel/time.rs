//! Timestamps and durations.

use ::time::OffsetDateTime;
use ::time::format_description::well_known::Rfc3339;

use super::lex::refuse;
use super::types::Sort;
use super::value::{Known, Value};
use super::{CEL, Refusal};

/// `duration(text)` or `timestamp(text)`; evaluated if the text is known.
pub(super) fn of_text(at: usize, name: &str, text: &Value) -> Result<Value, Refusal> {
    let sort = if name == "duration" {
        Sort::Duration
    } else {
        Sort::Timestamp
    };
    let Some(known) = text.known_text() else {
        let code = format!("{CEL}::{name}_of_text({})", text.borrowed());
        return Ok(Value::new(at, sort, code).tried());
    };
    let (nanos, right) = if sort == Sort::Duration {
        (
            duration(known),
            "write one such as duration(\"1h30m\"), with the units h, m, s, ms, us and ns",
        )
    } else {
        (
            timestamp(known),
            "write one such as timestamp(\"2026-01-31T12:00:00Z\")",
        )
    };
    match nanos {
        Some(nanos) => Ok(Value::known(at, sort, Known::Nanos(nanos))),
        None => refuse(text.at, format!("{known:?} is no {name}; {right}")),
    }
}

/// RFC 3339, section 5.6, to the letter: seconds of two digits, years 1 to 9999.
fn timestamp(text: &str) -> Option<i128> {
    let strict = text.len() >= 20 && text.is_ascii() && !text.contains(',');
    let at = OffsetDateTime::parse(text, &Rfc3339)
        .ok()
        .filter(|_| strict)?;
    let within = (-62_135_596_800..=253_402_300_799).contains(&at.unix_timestamp());
    within.then(|| at.unix_timestamp_nanos())
}

/// As Go's time.ParseDuration reads it: numbers with units, such as `-1h2.5s`; in 64 bits of nanoseconds.
fn duration(text: &str) -> Option<i128> {
    const UNITS: [(&str, i128); 8] = [
        ("ns", 1),
        ("us", 1_000),
        ("\u{b5}s", 1_000),
        ("\u{3bc}s", 1_000),
        ("ms", 1_000_000),
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
    ];
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut nanos: i128 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| c != '.' && !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let (unit, scale) = UNITS
            .into_iter()
            .find(|(unit, _)| after.starts_with(unit))?;
        rest = after.get(unit.len()..)?;
        let whole: i128 = if whole.is_empty() {
            0
        } else {
            whole.parse::<u64>().ok()?.into()
        };
        nanos += whole * scale;
        // Digits below a nanosecond fall away.
        let mut place = scale;
        for digit in fraction.bytes() {
            place /= 10;
            nanos += i128::from(digit - b'0') * place;
        }
    }
    let nanos = if negative { -nanos } else { nanos };
    i64::try_from(nanos).ok().map(i128::from)
}

/// The accessors of timestamps and durations.
pub(super) fn member(at: usize, name: &str, operands: &[Value]) -> Result<Option<Value>, Refusal> {
    let Some((receiver, arguments)) = operands.split_first() else {
        return Ok(None);
    };
    let int = |code| Ok(Some(Value::new(at, Sort::Int, code)));
    if receiver.sort == Sort::Duration {
        let unit: i64 = match name {
            "getHours" => 3_600_000_000_000,
            "getMinutes" => 60_000_000_000,
            "getSeconds" => 1_000_000_000,
            "getMilliseconds" => 1_000_000,
            _ => return Ok(None),
        };
        if !arguments.is_empty() {
            return Ok(None);
        }
        return int(format!("{CEL}::units({}, {unit})", receiver.code));
    }
    let function = match name {
        "getFullYear" => "full_year",
        "getMonth" => "month",
        "getDayOfYear" => "day_of_year",
        "getDayOfMonth" => "day_of_month",
        "getDate" => "date",
        "getDayOfWeek" => "day_of_week",
        "getHours" => "hours",
        "getMinutes" => "minutes",
        "getSeconds" => "seconds_of_minute",
        "getMilliseconds" => "milliseconds",
        _ => return Ok(None),
    };
    let offset = match arguments {
        _ if receiver.sort != Sort::Timestamp => return Ok(None),
        [] => 0,
        [zone] => match zone.known_text().map(offset) {
            Some(Some(offset)) => offset,
            _ => {
                return refuse(
                    zone.at,
                    "a zone is written out as \"UTC\" or as an offset such as \"+01:00\"; names of zones change what they mean",
                );
            }
        },
        _ => return Ok(None),
    };
    int(format!("{CEL}::{function}({}, {offset})", receiver.code))
}

/// The seconds of a zone to the east of UTC.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "" | "UTC") {
        return Some(0);
    }
    let (sign, digits) = match zone.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, zone.strip_prefix('+').unwrap_or(zone)),
    };
    let (hours, minutes) = digits.split_once(':')?;
    let number = |text: &str, max: i64| {
        let two = text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_digit());
        text.parse()
            .ok()
            .filter(|number: &i64| two && *number <= max)
    };
    Some(sign * (number(hours, 23)? * 3600 + number(minutes, 59)? * 60))
}
