//! Values in words.

use std::time::Duration;

use prost_reflect::{DynamicMessage, ReflectMessage as _, Value};
use scribemed_codegen::options::Fields as _;

/// A time for people: `100 ms`, `5 s`, `10 min`.
pub fn duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let units = [
        (3_600_000_000_000, "h"),
        (60_000_000_000, "min"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "µs"),
    ];
    let unit = units
        .iter()
        .find(|(size, _)| nanos >= *size && nanos.is_multiple_of(*size));
    match unit {
        Some((size, unit)) => format!("{} {unit}", nanos / size),
        None if nanos == 0 => "0 s".to_owned(),
        None => format!("{nanos} ns"),
    }
}

/// A time as protobuf's JSON has it: `1.5s`.
pub fn duration_json(duration: Duration) -> String {
    signed_duration(false, duration.as_secs(), duration.subsec_nanos())
}

fn signed_duration(negative: bool, seconds: u64, nanos: u32) -> String {
    let sign = if negative { "-" } else { "" };
    if nanos == 0 {
        return format!("{sign}{seconds}s");
    }
    let fraction = format!("{nanos:09}");
    format!("{sign}{seconds}.{}s", fraction.trim_end_matches('0'))
}

/// A size for people: `4 MiB`, `1,000 bytes`.
pub fn bytes(count: u64) -> String {
    match count {
        0 => "0 bytes".to_owned(),
        _ if count.is_multiple_of(1 << 20) => format!("{} MiB", count >> 20),
        _ if count.is_multiple_of(1 << 10) => format!("{} KiB", count >> 10),
        _ => format!("{count} bytes"),
    }
}

/// The name of a status code; the number where there is no such code.
pub fn code_name(code: i32) -> String {
    scribemed_rpc::code::name(code).map_or_else(|| code.to_string(), ToOwned::to_owned)
}

/// A value of a rule.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::I32(value) | Value::EnumNumber(value) => value.to_string(),
        Value::I64(value) => value.to_string(),
        Value::U32(value) => value.to_string(),
        Value::U64(value) => value.to_string(),
        Value::F32(value) => value.to_string(),
        Value::F64(value) => value.to_string(),
        Value::String(text) => format!("`{text}`"),
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if !text.chars().any(char::is_control) => format!("`{text}`"),
            _ => hex(bytes),
        },
        Value::Message(message) => well_known(message),
        Value::List(items) => list(items),
        Value::Map(map) => format!("{map:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// Values, with commas between them.
pub(super) fn list(items: &[Value]) -> String {
    items.iter().map(value).collect::<Vec<_>>().join(", ")
}

/// A Duration as JSON has it, a FieldMask as its paths, a Timestamp in seconds since 1970.
fn well_known(message: &DynamicMessage) -> String {
    let (seconds, nanos) = message.seconds_and_nanos();
    match message.descriptor().full_name() {
        "google.protobuf.Duration" => {
            let negative = seconds < 0 || nanos < 0;
            signed_duration(negative, seconds.unsigned_abs(), nanos.unsigned_abs())
        }
        "google.protobuf.Timestamp" => format!("{seconds} s since 1970"),
        _ => list(&message.list("paths")),
    }
}
