//! Days of the Gregorian calendar. Zones are given in seconds to the east of UTC.

use super::time::{SECOND, seconds};

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
pub(super) fn days_of(year: i64, month: i64, day: i64) -> i64 {
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
