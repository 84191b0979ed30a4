#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use prost_reflect::prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, Value};

use super::model::Limits;
use super::read;

/// `buf/validate/validate.proto`, as it is vendored.
fn validate() -> DescriptorPool {
    let vendor = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto/vendor");
    let set = protox::compile(["buf/validate/validate.proto"], [vendor]).unwrap();
    DescriptorPool::decode(set.encode_to_vec().as_slice()).unwrap()
}

/// Some value of the field's type that is not its default.
fn sample(field: &FieldDescriptor) -> Value {
    let kind = field.kind();
    let one = if let Some(message) = kind.as_message() {
        Value::Message(DynamicMessage::new(message.clone()))
    } else if kind.as_enum().is_some() {
        Value::EnumNumber(1)
    } else if kind == Kind::Bool {
        Value::Bool(true)
    } else {
        Value::default_value(&kind)
    };
    if field.is_list() {
        Value::List(vec![one])
    } else {
        one
    }
}

#[test]
fn each_rule_of_buf_validate_is_known() {
    let pool = validate();
    let rules = pool.get_message_by_name("buf.validate.FieldRules").unwrap();
    let families = rules.oneofs().next().unwrap();
    let (mut seen, mut opaque) = (0, Vec::new());
    for family in families.fields() {
        let kind = family.kind();
        let message = kind.as_message().unwrap();
        for field in message.fields() {
            let mut rules = DynamicMessage::new(message.clone());
            rules.set_field(&field, sample(&field));
            let mut limits = Limits::new();
            read::family(family.name(), &rules, &Kind::Int32, &mut limits);
            seen += 1;
            if limits.keys().any(|key| key.starts_with("rule ")) {
                opaque.push(format!("{}.{}", family.name(), field.name()));
            }
        }
    }
    assert!(seen > 150, "{seen}");
    // A mask that must be exactly this one: compared word by word.
    assert_eq!(opaque, ["field_mask.const"]);
}

#[test]
fn a_rule_that_is_not_known_is_compared_word_by_word() {
    let pool = validate();
    let string = pool
        .get_message_by_name("buf.validate.StringRules")
        .unwrap();
    // Field 999 of a newer buf.validate, set to 1.
    let rules = DynamicMessage::decode(string, [0xb8, 0x3e, 0x01].as_slice()).unwrap();
    let mut limits = Limits::new();
    read::family("string", &rules, &Kind::String, &mut limits);
    assert!(limits.contains_key("rule 999"), "{limits:?}");
}
