//! What is known at build time, as Rust: the values of rules, and the defaults of fields.

use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, ReflectMessage as _, Value as Constant,
};

use super::Refusal;
use super::lex::refuse;
use super::types::{Sort, Type, wrapped};
use super::value::{Hold, Known, Value};
use crate::options::Fields as _;

/// The value of a field or an extension of this kind.
pub(super) fn of_field(at: usize, kind: &Kind, value: &Constant) -> Result<Value, Refusal> {
    match value {
        Constant::List(items) => {
            // An empty list has a type, too.
            let kind = Type::canonical(Type::of_kind(kind).sort);
            let mut codes = Vec::new();
            for item in items {
                let item = of_value(at, item)?;
                if item.sort != kind.sort {
                    return refuse(
                        at,
                        format!("a list of {} cannot be used in a rule", item.sort.name()),
                    );
                }
                codes.push(item.code);
            }
            let code = if codes.is_empty() {
                format!("&[{}; 0][..]", zero(at, &kind.sort)?)
            } else {
                format!("&[{}][..]", codes.join(", "))
            };
            Ok(Value::new(at, Sort::List(Box::new(kind)), code)
                .loose()
                .holding(Hold::Static))
        }
        other => of_value(at, other),
    }
}

/// A value that stands alone.
pub(super) fn of_value(at: usize, value: &Constant) -> Result<Value, Refusal> {
    let (sort, known) = match value {
        Constant::Bool(value) => (Sort::Bool, Known::Bool(*value)),
        Constant::I32(value) | Constant::EnumNumber(value) => {
            (Sort::Int, Known::Int(i64::from(*value)))
        }
        Constant::I64(value) => (Sort::Int, Known::Int(*value)),
        Constant::U32(value) => (Sort::Uint, Known::Uint(u64::from(*value))),
        Constant::U64(value) => (Sort::Uint, Known::Uint(*value)),
        Constant::F32(value) => (Sort::Double, Known::Double(f64::from(*value))),
        Constant::F64(value) => (Sort::Double, Known::Double(*value)),
        Constant::String(value) => (Sort::Text, Known::Text(value.clone())),
        Constant::Bytes(value) => (Sort::Bytes, Known::Bytes(value.to_vec())),
        Constant::Message(message) => return of_message(at, message),
        Constant::List(_) | Constant::Map(_) => {
            return refuse(at, "this is of a type that a rule cannot use");
        }
    };
    Ok(Value::known(at, sort, known))
}

fn of_message(at: usize, message: &DynamicMessage) -> Result<Value, Refusal> {
    let descriptor = message.descriptor();
    let moment = || {
        let (seconds, nanos) = message.seconds_and_nanos();
        Known::Nanos(i128::from(seconds) * 1_000_000_000 + i128::from(nanos))
    };
    if wrapped(&descriptor).is_some() {
        let value = message.get_field_by_name("value");
        return match value {
            Some(value) => of_value(at, &value),
            None => refuse(at, "this wrapper holds nothing"),
        };
    }
    match Type::of_message(&descriptor).sort {
        Sort::Timestamp => Ok(Value::known(at, Sort::Timestamp, moment())),
        Sort::Duration => Ok(Value::known(at, Sort::Duration, moment())),
        Sort::Dynamic(why) => refuse(at, why),
        _ => Ok(Value::new(at, Sort::Rules(message.clone()), "()").holding(Hold::Static)),
    }
}

/// The field `name` of rules, set or not.
pub(super) fn select(
    at: usize,
    message: &DynamicMessage,
    field: &FieldDescriptor,
) -> Result<Value, Refusal> {
    let value = message.get_field(field);
    let unset = !message.has_field(field);
    if unset
        && let Kind::Message(kind) = field.kind()
        && wrapped(&kind).is_some()
        && !field.is_list()
    {
        return Ok(Value::new(at, Sort::Null, "()").holding(Hold::Static));
    }
    of_field(at, &field.kind(), &value)
}

/// The value of a field that is not set.
pub(super) fn default(at: usize, field: &FieldDescriptor) -> Result<Value, Refusal> {
    of_value(at, &field.default_value())
}

fn zero(at: usize, sort: &Sort) -> Result<&'static str, Refusal> {
    Ok(match sort {
        Sort::Bool => "false",
        Sort::Int => "0i64",
        Sort::Uint => "0u64",
        Sort::Double => "0f64",
        Sort::Timestamp | Sort::Duration => "0i128",
        Sort::Text => "\"\"",
        Sort::Bytes => "&[0u8; 0][..]",
        other => {
            return refuse(
                at,
                format!("a list of {} cannot be used in a rule", other.name()),
            );
        }
    })
}
