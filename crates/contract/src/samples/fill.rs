//! The value of each field.

use std::collections::HashMap;

use prost_reflect::prost::bytes::Bytes;
use prost_reflect::{
    Cardinality, DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MapKey, MessageDescriptor,
    OneofDescriptor, Value,
};

/// Messages are filled down to this level; the sample itself is level 0.
const DEEPEST: usize = 2;
/// Above what a double holds exactly (2^53): JSON writes such a number as text.
const LARGE: i64 = (1 << 53) + 1;
/// 2026-01-02T03:04:05.678Z; a time and a length with milliseconds.
const SECONDS: i64 = 1_767_323_045;
const NANOS: i32 = 678_000_000;

/// How many samples show each variant of each oneof.
pub(super) fn variants(message: &MessageDescriptor) -> usize {
    let counts = oneofs(message).map(|oneof| oneof.fields().count());
    counts.max().unwrap_or(1).max(1)
}

/// Those that were written; `optional` makes one of its own.
fn oneofs(message: &MessageDescriptor) -> impl Iterator<Item = OneofDescriptor> {
    message.oneofs().filter(|oneof| !oneof.is_synthetic())
}

/// The message at this level, each oneof with its variant of this number, from 0, or, where it has fewer, begun anew.
pub(super) fn message(kind: &MessageDescriptor, variant: usize, level: usize) -> DynamicMessage {
    let mut out = DynamicMessage::new(kind.clone());
    let is_chosen = |field: &FieldDescriptor| {
        let oneof = field
            .containing_oneof()
            .filter(|oneof| !oneof.is_synthetic());
        oneof.is_none_or(|oneof| {
            let count = oneof.fields().count().max(1);
            oneof.fields().nth(variant % count).as_ref() == Some(field)
        })
    };
    for field in kind.fields().filter(is_chosen) {
        if let Some(value) = whole(&field, level) {
            out.set_field(&field, value);
        }
    }
    out
}

/// The field's value: a list of two, a map of one, or one.
fn whole(field: &FieldDescriptor, level: usize) -> Option<Value> {
    if field.is_map() {
        let Kind::Message(entry) = field.kind() else {
            return None;
        };
        let key = key(&entry.map_entry_key_field());
        let value = one(&entry.map_entry_value_field(), 1, level)?;
        return Some(Value::Map(HashMap::from([(key, value)])));
    }
    if field.cardinality() == Cardinality::Repeated {
        let items = [one(field, 1, level)?, one(field, 2, level)?];
        return Some(Value::List(items.into()));
    }
    one(field, 1, level)
}

fn key(field: &FieldDescriptor) -> MapKey {
    match one(field, 1, 0) {
        Some(Value::Bool(value)) => MapKey::Bool(value),
        Some(Value::I32(value)) => MapKey::I32(value),
        Some(Value::I64(value)) => MapKey::I64(value),
        Some(Value::U32(value)) => MapKey::U32(value),
        Some(Value::U64(value)) => MapKey::U64(value),
        _ => MapKey::String("key".to_owned()),
    }
}

/// The item of this number, from 1, of a field at this level. None where it is left out.
fn one(field: &FieldDescriptor, item: i32, level: usize) -> Option<Value> {
    let number = i32::try_from(field.number()).unwrap_or(i32::MAX / 2) + item;
    let unsigned = number.unsigned_abs();
    Some(match field.kind() {
        Kind::Double => Value::F64(f64::from(number) + 0.25),
        Kind::Float => Value::F32(f32::from(u16::try_from(number).unwrap_or(u16::MAX)) + 0.5),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(-1_000 - number),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(-LARGE - i64::from(number)),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(u32::MAX - unsigned),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(u64::MAX - u64::from(unsigned)),
        Kind::Bool => Value::Bool(true),
        Kind::String => Value::String(format!("{} {item} \u{e9}", field.name())),
        // Both letters that tell the two alphabets of base64 apart.
        Kind::Bytes => Value::Bytes(Bytes::from(vec![
            0xfb,
            0xff,
            0xbf,
            u8::try_from(item).ok()?,
        ])),
        Kind::Enum(kind) => Value::EnumNumber(choice(&kind)),
        Kind::Message(kind) => {
            if level == DEEPEST {
                return None;
            }
            Value::Message(if holds_anything(&kind) {
                return None;
            } else if let Some(known) = known(&kind) {
                known
            } else {
                message(&kind, 0, level + 1)
            })
        }
    })
}

/// The first that is not the default.
fn choice(kind: &EnumDescriptor) -> i32 {
    let mut numbers = kind.values().map(|value| value.number());
    numbers.find(|number| *number != 0).unwrap_or_default()
}

/// Well-known types that are whatever they hold: they are left out.
fn holds_anything(kind: &MessageDescriptor) -> bool {
    matches!(
        kind.full_name(),
        "google.protobuf.Any"
            | "google.protobuf.Struct"
            | "google.protobuf.Value"
            | "google.protobuf.ListValue"
    )
}

/// Well-known types whose JSON has a form of its own, for which not each value will do.
fn known(kind: &MessageDescriptor) -> Option<DynamicMessage> {
    let mut out = DynamicMessage::new(kind.clone());
    match kind.full_name() {
        "google.protobuf.Timestamp" | "google.protobuf.Duration" => {
            out.set_field_by_number(1, Value::I64(SECONDS));
            out.set_field_by_number(2, Value::I32(NANOS));
        }
        "google.protobuf.FieldMask" => {
            let paths = ["one", "two.three"].map(|path| Value::String(path.to_owned()));
            out.set_field_by_number(1, Value::List(paths.into()));
        }
        _ => return None,
    }
    Some(out)
}
