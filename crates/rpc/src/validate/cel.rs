//! What code that is translated from the expressions of rules calls, and nobody else should: it changes with the translator.
//!
//! A timestamp is nanoseconds since 1970-01-01T00:00:00Z, a duration is nanoseconds; both are `i128`. What is called a text is
//! counted in characters. Functions are those of cel-spec's langdef.md and of cel-go's extension for strings.

mod calendar;
mod convert;
mod items;
mod number;
mod read;
mod show;
mod text;
mod time;

use std::fmt;

pub use calendar::{
    date, day_of_month, day_of_week, day_of_year, full_year, hours, milliseconds, minutes, month,
    seconds_of_minute,
};
pub use convert::{
    bool_of_text, double_of_text, int_of_double, int_of_duration, int_of_text, int_of_uint,
    text_of_bytes, text_of_double, text_of_duration, text_of_timestamp, uint_of_double,
    uint_of_int, uint_of_text,
};
pub use items::{
    all, and, at, contains, exists, exists_one, join, joined, narrow, or, pick, size, sorted,
    unique,
};
pub use number::{Whole, add, divide, is_infinite, multiply, negative, order, remainder, subtract};
pub use read::{duration_of_text, timestamp_of_text};
pub use show::{fixed, hex, quote, radix, scientific, shown_double, shown_list, shown_map};
pub use text::{
    char_at, has_bytes, index_of, index_of_from, last_index_of, last_index_of_from, replace, split,
    substring,
};
pub use time::{instant, moment, seconds, span, timestamp_of_int, units};

/// Why an expression could not be evaluated. It refuses the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// A number, time or duration is out of its range.
    Overflow,
    /// A whole number was divided by zero.
    DivisionByZero,
    /// A list or a text has no such position.
    OutOfRange,
    /// A map has no such key.
    NoSuchKey,
    /// A message has no such field.
    NoSuchField,
    /// A wrapper is not set where its value is needed.
    Null,
    /// A text or bytes cannot be converted to the type named.
    Conversion(&'static str),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overflow => f.write_str("overflow"),
            Self::DivisionByZero => f.write_str("division by zero"),
            Self::OutOfRange => f.write_str("index out of range"),
            Self::NoSuchKey => f.write_str("no such key"),
            Self::NoSuchField => f.write_str("no such field"),
            Self::Null => f.write_str("a value that is needed is null"),
            Self::Conversion(kind) => write!(f, "a value cannot be converted to {kind}"),
        }
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests;
