//! The rules of what has an order: numbers, bools, enums, durations, timestamps.

use prost_reflect::{DynamicMessage, Kind, Value};
use scribemed_codegen::options::Fields as _;

use super::flat;
use super::model::{Limit, Limits, VALUE};
use super::ranges::{Ranges, place_of_double, place_of_float};

/// The longest that the well-known types go, in seconds.
const LONGEST_DURATION: i128 = 315_576_000_000;
const FIRST_SECOND: i128 = -62_135_596_800;
const LAST_SECOND: i128 = 253_402_300_799;
const NANOS: i128 = 1_000_000_000;

/// Reads rules of the family (`int32`, `enum`, `timestamp`).
pub(super) fn family(family: &str, rules: &DynamicMessage, kind: &Kind, limits: &mut Limits) {
    let Some(of) = all(family) else {
        flat::others(rules, |_| false, limits);
        return;
    };
    let one = |name: &str| rules.value(name).as_ref().and_then(place);
    let many = |name: &str| Ranges::points(rules.list(name).iter().filter_map(place));
    let upper = one("lt").map(|lt| lt - 1).or_else(|| one("lte"));
    let lower = one("gt").map(|gt| gt + 1).or_else(|| one("gte"));
    let below = upper.map(|upper| Ranges::between(i128::MIN, upper));
    let above = lower.map(|lower| Ranges::between(lower, i128::MAX));
    // A range whose ends are the other way around is what lies outside of it.
    let is_reversed = one("lt").or_else(|| one("lte")) < one("gt").or_else(|| one("gte"));
    let range = match (below, above) {
        (Some(below), Some(above)) if is_reversed => below.or(&above),
        (Some(below), Some(above)) => below.and(&above),
        (Some(range), None) | (None, Some(range)) => range,
        (None, None) => of.clone(),
    };
    let mut accepted = of.and(&range);
    if let Some(only) = one("const") {
        accepted = accepted.and(&Ranges::points([only]));
    }
    let listed = !rules.list("in").is_empty();
    if listed {
        accepted = accepted.and(&many("in"));
    }
    accepted = accepted.without(&many("not_in"));
    let is_finite = rules.flag("finite") == Some(true);
    if is_finite {
        accepted = accepted.and(&finite(family));
    }
    if rules.flag("defined_only") == Some(true)
        && let Kind::Enum(kind) = kind
    {
        let defined = kind.values().map(|value| i128::from(value.number()));
        accepted = accepted.and(&Ranges::points(defined));
    }
    let is_limited = upper.or(lower).or(one("const")).is_some() || listed || is_finite;
    if is_limited && matches!(family, "float" | "double") {
        limits.insert("a number".to_owned(), Limit::Condition);
    }
    for condition in ["lt_now", "gt_now"] {
        if rules.flag(condition) == Some(true) {
            limits.insert(condition.to_owned(), Limit::Condition);
        }
    }
    if let Some(within) = one("within") {
        limits.insert("within".to_owned(), Limit::Near(within));
    }
    if accepted != of {
        limits.insert(VALUE.to_owned(), Limit::In { accepted, of });
    }
    let known = [
        "const",
        "lt",
        "lte",
        "gt",
        "gte",
        "in",
        "not_in",
        "finite",
        "defined_only",
        "lt_now",
        "gt_now",
        "within",
    ];
    flat::others(rules, |name| known.contains(&name), limits);
}

/// What the type holds.
fn all(family: &str) -> Option<Ranges> {
    let (from, to) = match family {
        "bool" => (0, 1),
        "enum" | "int32" | "sint32" | "sfixed32" => (i32::MIN.into(), i32::MAX.into()),
        "int64" | "sint64" | "sfixed64" => (i64::MIN.into(), i64::MAX.into()),
        "uint32" | "fixed32" => (0, u32::MAX.into()),
        "uint64" | "fixed64" => (0, u64::MAX.into()),
        "float" => (
            place_of_float(f32::NEG_INFINITY),
            place_of_float(f32::INFINITY),
        ),
        "double" => (
            place_of_double(f64::NEG_INFINITY),
            place_of_double(f64::INFINITY),
        ),
        "duration" => (-LONGEST_DURATION * NANOS, LONGEST_DURATION * NANOS),
        "timestamp" => (FIRST_SECOND * NANOS, LAST_SECOND * NANOS + NANOS - 1),
        _ => return None,
    };
    Some(Ranges::between(from, to))
}

fn finite(family: &str) -> Ranges {
    let last = if family == "float" {
        place_of_float(f32::MAX)
    } else {
        place_of_double(f64::MAX)
    };
    Ranges::between(-last, last)
}

/// The place of a value in the order of its type.
fn place(value: &Value) -> Option<i128> {
    if let Some(message) = value.as_message() {
        let part = |name: &str| {
            let value = message.value(name);
            value.as_ref().and_then(place).unwrap_or(0)
        };
        return Some(part("seconds") * NANOS + part("nanos"));
    }
    let signed = value
        .as_i32()
        .map(i128::from)
        .or_else(|| value.as_i64().map(i128::from));
    let unsigned = || {
        value
            .as_u32()
            .map(i128::from)
            .or_else(|| value.as_u64().map(i128::from))
    };
    let other = || {
        value
            .as_bool()
            .map(i128::from)
            .or_else(|| value.as_enum_number().map(i128::from))
    };
    let float = || {
        value
            .as_f32()
            .map(place_of_float)
            .or_else(|| value.as_f64().map(place_of_double))
    };
    signed.or_else(unsigned).or_else(other).or_else(float)
}
