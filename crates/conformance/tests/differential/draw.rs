//! Random messages.

use std::collections::HashMap;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;

use crate::harvest::Harvest;

/// How deep messages hold messages.
const DEPTH: usize = 3;

/// Draws values near those of the rules.
pub(crate) struct Draw<'a> {
    rng: &'a mut StdRng,
    near: &'a Harvest,
}

impl<'a> Draw<'a> {
    pub(crate) fn new(rng: &'a mut StdRng, near: &'a Harvest) -> Self {
        Self { rng, near }
    }

    /// A message whose fields are there three times of four.
    pub(crate) fn message(&mut self, message: &MessageDescriptor, depth: usize) -> DynamicMessage {
        let mut out = DynamicMessage::new(message.clone());
        for field in message.fields() {
            let deep = matches!(field.kind(), Kind::Message(_)) && depth >= DEPTH;
            if !deep && self.rng.random_ratio(3, 4) {
                let value = self.field(&field, depth);
                out.set_field(&field, value);
            }
        }
        out
    }

    fn field(&mut self, field: &FieldDescriptor, depth: usize) -> Value {
        let kind = field.kind();
        if let Kind::Message(entry) = &kind
            && field.is_map()
        {
            let (key, value) = (entry.map_entry_key_field(), entry.map_entry_value_field());
            let entries = (0..self.size()).filter_map(|_| {
                let key = key_of(self.one(&key.kind(), depth))?;
                Some((key, self.one(&value.kind(), depth + 1)))
            });
            return Value::Map(entries.collect::<HashMap<_, _>>());
        }
        if field.is_list() {
            let mut items: Vec<Value> = Vec::new();
            for _ in 0..self.size() {
                let again = items.choose(self.rng).cloned();
                match again {
                    Some(item) if self.rng.random_ratio(1, 8) => items.push(item),
                    _ => items.push(self.one(&kind, depth + 1)),
                }
            }
            return Value::List(items);
        }
        self.one(&kind, depth + 1)
    }

    /// A length: near one of a rule, or short.
    fn size(&mut self) -> usize {
        let named = usize::try_from(self.number()).unwrap_or(0);
        if named < 12 {
            named
        } else {
            self.rng.random_range(0..4)
        }
    }

    fn one(&mut self, kind: &Kind, depth: usize) -> Value {
        match kind {
            Kind::Bool => Value::Bool(self.rng.random()),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(cut(self.number())),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(cut64(self.number())),
            Kind::Uint32 | Kind::Fixed32 => Value::U32(cut(self.number()).cast_unsigned()),
            Kind::Uint64 | Kind::Fixed64 => Value::U64(cut64(self.number()).cast_unsigned()),
            Kind::Float => Value::F32(narrow(self.fraction())),
            Kind::Double => Value::F64(self.fraction()),
            Kind::String => Value::String(self.text()),
            Kind::Bytes => Value::Bytes(self.bytes().into()),
            Kind::Enum(kind) => {
                let known: Vec<i32> = kind.values().map(|value| value.number()).collect();
                let known = *known.choose(self.rng).unwrap();
                let other = cut(self.number());
                Value::EnumNumber(if self.rng.random_ratio(1, 4) {
                    other
                } else {
                    known
                })
            }
            Kind::Message(message) => Value::Message(match message.full_name() {
                "google.protobuf.Duration" | "google.protobuf.Timestamp" => self.time(message),
                _ => self.message(message, depth),
            }),
        }
    }

    /// Seconds and nanoseconds of one sign, within what a Duration may hold.
    fn time(&mut self, message: &MessageDescriptor) -> DynamicMessage {
        let mut out = DynamicMessage::new(message.clone());
        let duration = message.name() == "Duration";
        let lowest = if duration {
            -315_576_000_000
        } else {
            -62_135_596_800
        };
        let highest = if duration {
            315_576_000_000
        } else {
            253_402_300_799
        };
        let mut seconds = cut64(self.number()).clamp(lowest, highest);
        if self.rng.random_ratio(1, 2) {
            // A rule may set a span around the present.
            let now = *self.near.numbers.get(3).unwrap();
            seconds = cut64(now + self.number()).clamp(lowest, highest);
        }
        let mut nanos = i32::try_from(self.number().clamp(0, 999_999_999)).unwrap();
        if duration && seconds < 0 {
            nanos = -nanos;
        }
        if seconds.abs() == highest {
            nanos = 0;
        }
        out.set_field_by_name("seconds", Value::I64(seconds));
        out.set_field_by_name("nanos", Value::I32(nanos));
        out
    }

    fn number(&mut self) -> i128 {
        let near = *self.near.numbers.choose(self.rng).unwrap();
        match self.rng.random_range(0..16) {
            0 => i128::from(self.rng.random::<i64>()),
            1 => i128::from(
                *[i64::MIN, i64::MAX, i64::from(i32::MIN), i64::from(i32::MAX)]
                    .choose(self.rng)
                    .unwrap(),
            ),
            2 => -near,
            3..6 => near - 1,
            6..9 => near + 1,
            _ => near,
        }
    }

    fn fraction(&mut self) -> f64 {
        let near = *self.near.fractions.choose(self.rng).unwrap();
        match self.rng.random_range(0..8) {
            0 => f64::from_bits(self.rng.random()),
            1 => -near,
            2 => near.next_up(),
            3 => near.next_down(),
            _ => near,
        }
    }

    fn text(&mut self) -> String {
        let near = self.near.texts.choose(self.rng).unwrap().clone();
        let mut chars: Vec<char> = near.chars().collect();
        match self.rng.random_range(0..8) {
            0 => {
                let length = self.number().clamp(0, 300);
                let any = *['a', '0', 'é', '日', ' '].choose(self.rng).unwrap();
                return std::iter::repeat_n(any, usize::try_from(length).unwrap()).collect();
            }
            1 => {
                let at = self.rng.random_range(0..=chars.len());
                chars.insert(
                    at,
                    *['a', '0', '.', ':', '/', '@', '%', '-', ' ', 'é']
                        .choose(self.rng)
                        .unwrap(),
                );
            }
            2 if !chars.is_empty() => {
                chars.remove(self.rng.random_range(0..chars.len()));
            }
            3 => chars.extend(self.near.texts.choose(self.rng).unwrap().chars()),
            _ => {}
        }
        chars.into_iter().collect()
    }

    fn bytes(&mut self) -> Vec<u8> {
        let mut near = self.near.bytes.choose(self.rng).unwrap().clone();
        match self.rng.random_range(0..8) {
            0 => {
                let length = usize::try_from(self.number().clamp(0, 300)).unwrap();
                return vec![self.rng.random(); length];
            }
            1 => near.push(self.rng.random()),
            2 => drop(near.pop()),
            3 => near.extend_from_slice(self.near.bytes.choose(self.rng).unwrap()),
            _ => {}
        }
        near
    }
}

/// Whether no map in the message has more than one entry.
pub(crate) fn has_one_encoding(message: &DynamicMessage) -> bool {
    let held = |value: &Value| value.as_message().is_none_or(has_one_encoding);
    message.fields().all(|(_, value)| {
        let mut items = value.as_list().into_iter().flatten();
        let map = value.as_map();
        let mut entries = map.into_iter().flat_map(HashMap::values);
        map.is_none_or(|map| map.len() < 2) && held(value) && items.all(held) && entries.all(held)
    })
}

/// The lower bits.
#[allow(clippy::cast_possible_truncation, reason = "any number will do")]
fn cut(number: i128) -> i32 {
    number as i32
}

/// The lower bits.
#[allow(clippy::cast_possible_truncation, reason = "any number will do")]
fn cut64(number: i128) -> i64 {
    number as i64
}

#[allow(clippy::cast_possible_truncation, reason = "any number will do")]
fn narrow(fraction: f64) -> f32 {
    fraction as f32
}

fn key_of(value: Value) -> Option<MapKey> {
    Some(match value {
        Value::Bool(key) => MapKey::Bool(key),
        Value::I32(key) => MapKey::I32(key),
        Value::I64(key) => MapKey::I64(key),
        Value::U32(key) => MapKey::U32(key),
        Value::U64(key) => MapKey::U64(key),
        Value::String(key) => MapKey::String(key),
        Value::F32(_)
        | Value::F64(_)
        | Value::Bytes(_)
        | Value::EnumNumber(_)
        | Value::Message(_)
        | Value::List(_)
        | Value::Map(_) => return None,
    })
}
