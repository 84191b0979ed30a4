//! Timestamps and durations, in nanoseconds.

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

/// How many whole `unit`s, in nanoseconds, a duration has.
pub fn units(span: i128, unit: i64) -> i64 {
    i64::try_from(span / i128::from(unit.max(1))).unwrap_or(if span < 0 {
        i64::MIN
    } else {
        i64::MAX
    })
}
