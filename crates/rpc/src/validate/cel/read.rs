//! Timestamps and durations in texts.

use super::Failure;
use super::calendar::{civil, days_of};
use super::time::{SECOND, instant};

/// RFC 3339, section 5.6.
///
/// # Errors
/// [`Failure::Conversion`]; [`Failure::Overflow`]: it is out of the years 1 to 9999.
pub fn timestamp_of_text(text: &str) -> Result<i128, Failure> {
    instant(parsed(text).ok_or(Failure::Conversion("timestamp"))?)
}

fn parsed(text: &str) -> Option<i128> {
    let number = |from: usize, len: usize, range: std::ops::RangeInclusive<i64>| {
        let digits = text.get(from..from + len)?;
        let number: i64 = digits
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| digits.parse().ok())??;
        range.contains(&number).then_some(number)
    };
    let sign = |from: usize, wanted: &str| {
        text.get(from..=from)?
            .eq_ignore_ascii_case(wanted)
            .then_some(())
    };
    let (year, month, day) = (
        number(0, 4, 0..=9999)?,
        number(5, 2, 1..=12)?,
        number(8, 2, 1..=31)?,
    );
    let (hour, minute, second) = (
        number(11, 2, 0..=23)?,
        number(14, 2, 0..=59)?,
        number(17, 2, 0..=59)?,
    );
    for (from, wanted) in [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")] {
        sign(from, wanted)?;
    }
    let mut rest = text.get(19..)?;
    let mut nanos = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let end = fraction.find(|c: char| !c.is_ascii_digit())?;
        let digits = fraction.get(..end).filter(|digits| !digits.is_empty())?;
        nanos = format!("{digits:0<9}").get(..9)?.parse().ok()?;
        rest = fraction.get(end..)?;
    }
    let offset = if rest.eq_ignore_ascii_case("z") {
        0
    } else {
        let from = text.len() - rest.len();
        let east = match rest.get(..1)? {
            "+" => 1,
            "-" => -1,
            _ => return None,
        };
        sign(from + 3, ":")?;
        (rest.len() == 6).then_some(())?;
        east * (number(from + 1, 2, 0..=23)? * 3600 + number(from + 4, 2, 0..=59)? * 60)
    };
    let days = days_of(year, month, day);
    // A day that its month does not have becomes one of the next month.
    let there = civil(i128::from(days) * 86_400 * SECOND, 0);
    if (there.month, there.day) != (month, day) {
        return None;
    }
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset;
    Some(i128::from(seconds) * SECOND + nanos)
}

/// As Go's time.ParseDuration reads it: numbers with units, such as `-1h2.5s`.
///
/// # Errors
/// [`Failure::Conversion`].
pub fn duration_of_text(text: &str) -> Result<i128, Failure> {
    parsed_span(text).ok_or(Failure::Conversion("duration"))
}

fn parsed_span(text: &str) -> Option<i128> {
    const UNITS: [(&str, i128); 8] = [
        ("ns", 1),
        ("us", 1_000),
        ("\u{b5}s", 1_000),
        ("\u{3bc}s", 1_000),
        ("ms", 1_000_000),
        ("s", SECOND),
        ("m", 60 * SECOND),
        ("h", 3600 * SECOND),
    ];
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut nanos: i128 = 0;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| c != '.' && !c.is_ascii_digit())?);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        // The longest that fits: `ms` is not `m`.
        let (unit, scale) = UNITS
            .into_iter()
            .find(|(unit, _)| after.starts_with(unit))?;
        rest = after.get(unit.len()..)?;
        let whole = if whole.is_empty() {
            0
        } else {
            whole.parse::<u64>().ok()?
        };
        nanos += i128::from(whole) * scale;
        let mut place = scale;
        for digit in fraction.bytes() {
            place /= 10;
            nanos += i128::from(digit - b'0') * place;
        }
    }
    let nanos = if negative { -nanos } else { nanos };
    i64::try_from(nanos).ok().map(i128::from)
}
