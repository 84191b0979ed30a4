//! Conversions of what is known at build time, so that one that always fails is refused.

use super::types::Sort;
use super::value::Known;

/// A known value cannot be converted.
pub(super) struct Unfit;

/// The conversion `name` of what is known, if it is one that can fail.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "within the limits, it is the conversion that is meant"
)]
pub(super) fn folded(name: &str, known: &Known) -> Option<Result<(Sort, Known), Unfit>> {
    const INTS: f64 = 9_223_372_036_854_775_808.0;
    const UINTS: f64 = 18_446_744_073_709_551_616.0;
    let int = |number: Option<i64>| number.map(|number| (Sort::Int, Known::Int(number)));
    let uint = |number: Option<u64>| number.map(|number| (Sort::Uint, Known::Uint(number)));
    let double = |number: Option<f64>| number.map(|number| (Sort::Double, Known::Double(number)));
    let converted = match (name, known) {
        ("int", Known::Uint(number)) => int(i64::try_from(*number).ok()),
        ("int", Known::Double(number)) => {
            int((*number > -INTS && *number < INTS).then_some(*number as i64))
        }
        ("int", Known::Text(text)) => int(text.parse().ok()),
        ("uint", Known::Int(number)) => uint(u64::try_from(*number).ok()),
        ("uint", Known::Double(number)) => {
            uint((0.0..UINTS).contains(number).then_some(*number as u64))
        }
        ("uint", Known::Text(text)) => uint(text.parse().ok().filter(|_| !text.starts_with('+'))),
        ("double", Known::Int(number)) => double(Some(*number as f64)),
        ("double", Known::Uint(number)) => double(Some(*number as f64)),
        ("double", Known::Text(text)) => double(text.parse().ok()),
        ("bool", Known::Text(text)) => match text.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some((Sort::Bool, Known::Bool(true))),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Some((Sort::Bool, Known::Bool(false))),
            _ => None,
        },
        ("string", Known::Bytes(bytes)) => {
            let text = str::from_utf8(bytes).ok();
            text.map(|text| (Sort::Text, Known::Text(text.to_owned())))
        }
        _ => return None,
    };
    Some(converted.ok_or(Unfit))
}
