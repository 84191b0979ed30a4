//! Timestamps and durations, in nanoseconds. Zones are given in seconds to the east of UTC.

use super::Failure;

pub(super) const SECOND: i128 = 1_000_000_000;
/// 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z: google/protobuf/timestamp.proto.
const RANGE: std::ops::RangeInclusive<i128> =
    -62_135_596_800 * SECOND..=253_402_300_799 * SECOND + SECOND - 1;

/// What a google.protobuf.Timestamp or Duration holds.
pub fn moment(seconds: i64, nanos: i32) -> i128 {
    i128::from(seconds) * SECOND + i128::from(nanos)
}

/// A duration that was computed.
///
/// # Errors
/// [`Failure::Overflow`]: it is longer than 64 bits of nanoseconds, some 292 years.
pub fn span(nanos: i128) -> Result<i128, Failure> {
    i64::try_from(nanos)
        .map(i128::from)
        .map_err(|_| Failure::Overflow)
}

/// A timestamp that was computed.
///
/// # Errors
/// [`Failure::Overflow`]: it is out of the years 1 to 9999.
pub fn instant(nanos: i128) -> Result<i128, Failure> {
    if RANGE.contains(&nanos) {
        Ok(nanos)
    } else {
        Err(Failure::Overflow)
    }
}

/// Of seconds since the epoch.
///
/// # Errors
/// [`Failure::Overflow`]: it is out of the years 1 to 9999.
pub fn timestamp_of_int(seconds: i64) -> Result<i128, Failure> {
    instant(i128::from(seconds) * SECOND)
}

/// Seconds since the epoch, rounded down.
pub fn seconds(at: i128) -> i64 {
    i64::try_from(at.div_euclid(SECOND)).unwrap_or(i64::MAX)
}

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

/// How many whole `unit`s, in nanoseconds, a duration has.
pub fn units(span: i128, unit: i64) -> i64 {
    i64::try_from(span / i128::from(unit.max(1))).unwrap_or(if span < 0 {
        i64::MIN
    } else {
        i64::MAX
    })
}

/// A day of the Gregorian calendar; month and day from 1.
pub(super) struct Civil {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    days: i64,
    seconds: i64,
}

/// The day in a zone, and the seconds since it began.
pub(super) fn civil(at: i128, offset: i64) -> Civil {
    let seconds = seconds(at).saturating_add(offset);
    let (days, seconds) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Years begin in March here, so that a leap day is the last of its year; 400 of them have 146,097 days.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    Civil {
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month,
        day: of_year - (153 * shifted_month + 2) / 5 + 1,
        days,
        seconds,
    }
}

/// The days since the epoch: what [`civil`] undoes.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The year.
pub fn full_year(at: i128, offset: i64) -> i64 {
    civil(at, offset).year
}

/// The month, from 0.
pub fn month(at: i128, offset: i64) -> i64 {
    civil(at, offset).month - 1
}

/// The day of the month, from 0.
pub fn day_of_month(at: i128, offset: i64) -> i64 {
    civil(at, offset).day - 1
}

/// The day of the month, from 1.
pub fn date(at: i128, offset: i64) -> i64 {
    civil(at, offset).day
}

/// The day of the year, from 0.
pub fn day_of_year(at: i128, offset: i64) -> i64 {
    let day = civil(at, offset);
    day.days - days_of(day.year, 1, 1)
}

/// The day of the week, from 0, which is Sunday.
pub fn day_of_week(at: i128, offset: i64) -> i64 {
    (civil(at, offset).days + 4).rem_euclid(7)
}

/// The hour of the day.
pub fn hours(at: i128, offset: i64) -> i64 {
    civil(at, offset).seconds / 3600
}

/// The minute of the hour.
pub fn minutes(at: i128, offset: i64) -> i64 {
    civil(at, offset).seconds / 60 % 60
}

/// The second of the minute.
pub fn seconds_of_minute(at: i128, offset: i64) -> i64 {
    civil(at, offset).seconds % 60
}

/// The millisecond of the second.
pub fn milliseconds(at: i128, _offset: i64) -> i64 {
    i64::try_from(at.rem_euclid(SECOND) / 1_000_000).unwrap_or_default()
}
