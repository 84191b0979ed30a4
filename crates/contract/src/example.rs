//! Example messages that are valid by their rules, in protobuf's JSON.

mod pattern;
mod text;

use prost_reflect::Value;

use crate::json::Json;
use crate::reference::{Field, FieldType, Message, Reference, Rules, Shape, duration_json, number};

/// Messages below this depth are left out: a message may hold itself.
const DEPTH: usize = 6;

/// A message of this full name with all that it needs, and no more: a call with it can be pasted and works. Fields that are
/// optional and whose zero value is valid are left out.
pub fn message(reference: &Reference, full_name: &str) -> Json {
    build(reference, full_name, 0)
}

fn build(reference: &Reference, full_name: &str, depth: usize) -> Json {
    let mut object = Json::Object(Vec::new());
    let Some(message) = reference.message(full_name) else {
        return well_known(full_name, &Rules::default()).unwrap_or(object);
    };
    for field in &message.fields {
        if is_needed(message, field) && depth < DEPTH {
            object.put(field.json_name.clone(), value(reference, field, depth));
        }
    }
    object
}

/// Required ones, and the first of a choice that must be made: of those that a rule requires, if there are such.
fn is_needed(message: &Message, field: &Field) -> bool {
    if field.behavior.contains(&"OUTPUT_ONLY") {
        return false;
    }
    let is_first = |fields: &Vec<String>| fields.first() == Some(&field.name);
    let Some(name) = &field.oneof else {
        return field.is_required() || message.one_of.iter().any(is_first);
    };
    let Some(oneof) = message.oneofs.iter().find(|oneof| oneof.name == *name) else {
        return false;
    };
    let among = |field: &&Field| field.oneof.as_ref() == Some(name);
    let required = message
        .fields
        .iter()
        .filter(among)
        .find(|field| field.rules.required);
    match required {
        Some(chosen) => chosen.name == field.name,
        None => oneof.required && oneof.fields.first() == Some(&field.name),
    }
}

fn value(reference: &Reference, field: &Field, depth: usize) -> Json {
    let rules = &field.rules;
    let none = Rules::default();
    let items = rules.items.as_deref().unwrap_or(&none);
    let item = |kind: &FieldType, index| one(reference, kind, items, &field.name, index, depth);
    match &field.shape {
        Shape::One(kind) => one(reference, kind, rules, &field.name, 0, depth),
        Shape::List(kind) => {
            let count = count(rules, "min_items");
            Json::List((0..count).map(|index| item(kind, index)).collect())
        }
        Shape::Map(key, kind) => {
            let keys = rules.keys.as_deref().unwrap_or(&none);
            let pair = |index| {
                let key = one(
                    reference,
                    &FieldType::Scalar(key),
                    keys,
                    "key",
                    index,
                    depth,
                );
                let key = match &key {
                    Json::Plain(serde_json::Value::String(text)) => text.clone(),
                    Json::Plain(_) | Json::List(_) | Json::Object(_) => key.compact(),
                };
                (key, item(kind, index))
            };
            Json::Object((0..count(rules, "min_pairs")).map(pair).collect())
        }
    }
}

/// How many items: at least one, to be of use.
fn count(rules: &Rules, name: &str) -> usize {
    let least = rules.get(name).and_then(Value::as_u64).unwrap_or(1);
    usize::try_from(least.clamp(1, 16)).unwrap_or(1)
}

/// One value; `index` makes those of a list differ.
fn one(
    reference: &Reference,
    kind: &FieldType,
    rules: &Rules,
    name: &str,
    index: usize,
    depth: usize,
) -> Json {
    match kind {
        FieldType::Message(full_name) => {
            well_known(full_name, rules).unwrap_or_else(|| build(reference, full_name, depth + 1))
        }
        FieldType::Enum(full_name) => enumerator(reference, full_name, rules),
        FieldType::Scalar("string") => text::string(rules, name, index).into(),
        FieldType::Scalar("bytes") => text::bytes(rules).into(),
        FieldType::Scalar("bool") => rules
            .get("const")
            .and_then(Value::as_bool)
            .unwrap_or(true)
            .into(),
        FieldType::Scalar(kind) => numeric(kind, rules, index),
    }
}

/// The first value that is allowed and not zero; zero if there is no other.
fn enumerator(reference: &Reference, full_name: &str, rules: &Rules) -> Json {
    let numbers = |name: &str| {
        let value = rules.get(name);
        let items = value.and_then(|value| value.as_list().map(<[Value]>::to_vec));
        items.map(|items| items.iter().filter_map(number).collect::<Vec<_>>())
    };
    let (among, not) = (numbers("in"), numbers("not_in").unwrap_or_default());
    let fixed = rules.get("const").and_then(number);
    let fits = |candidate: i32| {
        let candidate = f64::from(candidate);
        let same = |other: &f64| (other - candidate).abs() < 0.5;
        fixed.as_ref().is_none_or(same)
            && among.as_ref().is_none_or(|among| among.iter().any(same))
            && !not.iter().any(same)
    };
    let values = reference
        .enumeration(full_name)
        .map(|found| found.values.as_slice());
    let values = values.unwrap_or_default();
    let found = values
        .iter()
        .find(|value| value.number != 0 && fits(value.number))
        .or_else(|| values.iter().find(|value| fits(value.number)));
    match found {
        Some(value) => value.name.clone().into(),
        None => 0.into(),
    }
}

fn numeric(kind: &str, rules: &Rules, index: usize) -> Json {
    let listed = rules.get("in").and_then(Value::as_list);
    let listed = listed.and_then(|items| items.get(index).or(items.first()).cloned());
    let fixed = rules
        .get("const")
        .cloned()
        .or(listed)
        .or_else(|| first_example(rules));
    let is_float = matches!(kind, "float" | "double");
    let step = if is_float { 0.5 } else { 1.0 };
    let at = |name: &str| rules.get(name).and_then(number);
    let value = fixed.as_ref().and_then(number).unwrap_or_else(|| {
        let low = at("gte").or_else(|| at("gt").map(|low| low + step));
        let high = at("lte").or_else(|| at("lt").map(|high| high - step));
        let wanted = [f64::from(u32::try_from(index).unwrap_or(0)) + 1.0, 0.0];
        // Where the lower bound is above the upper one, what lies between is forbidden.
        let candidate = match (low, high) {
            (Some(low), Some(high)) if low > high => low,
            (low, high) => wanted[0]
                .max(low.unwrap_or(f64::MIN))
                .min(high.unwrap_or(f64::MAX)),
        };
        let not = rules
            .get("not_in")
            .and_then(Value::as_list)
            .unwrap_or_default();
        let is_taken = |value: f64| {
            not.iter()
                .filter_map(number)
                .any(|other| (other - value).abs() < step / 2.0)
        };
        let ups =
            (0..=not.len()).map(|by| candidate + step * f64::from(u32::try_from(by).unwrap_or(0)));
        ups.into_iter()
            .find(|value| !is_taken(*value))
            .unwrap_or(candidate)
    });
    match kind {
        "float" | "double" => value.into(),
        // Protobuf's JSON writes 64 bits as text.
        "int64" | "uint64" | "sint64" | "fixed64" | "sfixed64" => format!("{value:.0}").into(),
        _ => whole(value).into(),
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "it is within the 32 bits of its field"
)]
fn whole(value: f64) -> i64 {
    value as i64
}

/// The first `example` that the contract gives.
fn first_example(rules: &Rules) -> Option<Value> {
    rules.get("example")?.as_list()?.first().cloned()
}

/// Messages that have a JSON form of their own.
fn well_known(full_name: &str, rules: &Rules) -> Option<Json> {
    let name = full_name.strip_prefix("google.protobuf.")?;
    Some(match name {
        "Timestamp" => "2026-01-31T09:30:00Z".into(),
        "Duration" => duration(rules),
        "FieldMask" => {
            let paths = rules.get("in").and_then(Value::as_list).unwrap_or_default();
            paths.first().and_then(Value::as_str).unwrap_or("").into()
        }
        "Struct" | "Empty" => Json::Object(Vec::new()),
        "Any" => {
            let kind = rules
                .get("in")
                .and_then(Value::as_list)
                .and_then(<[Value]>::first);
            let kind = kind
                .and_then(Value::as_str)
                .unwrap_or("type.googleapis.com/google.protobuf.Empty");
            let mut any = Json::object([("@type", kind.into())]);
            if kind.ends_with("/google.protobuf.Empty") {
                any.put("value", Json::Object(Vec::new()));
            }
            any
        }
        "ListValue" => Json::List(Vec::new()),
        "Value" => "text".into(),
        "StringValue" => text::string(rules, "value", 0).into(),
        "BytesValue" => text::bytes(rules).into(),
        "BoolValue" => true.into(),
        "DoubleValue" => numeric("double", rules, 0),
        "FloatValue" => numeric("float", rules, 0),
        "Int64Value" | "UInt64Value" => numeric("int64", rules, 0),
        "Int32Value" | "UInt32Value" => numeric("int32", rules, 0),
        _ => return None,
    })
}

fn duration(rules: &Rules) -> Json {
    let at = |name: &str| rules.get(name).and_then(number);
    let listed = rules
        .get("in")
        .and_then(Value::as_list)
        .and_then(<[Value]>::first);
    let seconds = at("const")
        .or_else(|| listed.and_then(number))
        .or_else(|| at("gte"))
        .or_else(|| at("gt").map(|low| low + 0.001))
        .or_else(|| at("lte"))
        .or_else(|| at("lt").map(|high| high - 0.001))
        .unwrap_or(1.0);
    let length = std::time::Duration::try_from_secs_f64(seconds.abs()).unwrap_or_default();
    // Floating point leaves nanoseconds over.
    let length = std::time::Duration::from_micros(u64::try_from(length.as_micros()).unwrap_or(0));
    let sign = if seconds < 0.0 { "-" } else { "" };
    format!("{sign}{}", duration_json(length)).into()
}

/// The bytes of a value of `bytes`, if it is one.
fn bytes_of(value: &Value) -> Option<Vec<u8>> {
    value.as_bytes().map(|bytes| bytes.to_vec())
}

/// The first of these rules that there is, as a size.
fn size(rules: &Rules, names: &[&str]) -> Option<usize> {
    let value = names.iter().find_map(|name| rules.get(name))?;
    usize::try_from(value.as_u64()?).ok()
}
