//! No standard rule is forgotten, of those that are there and those that the next release brings.

use std::collections::BTreeSet;

use prost_reflect::{DescriptorPool, DynamicMessage, Kind, Value};

/// Not rules: examples for readers.
const NO_RULE: &str = "example";

/// The rules that are set in some options: `StringRules.min_len`.
fn set(options: &DynamicMessage, out: &mut BTreeSet<String>) {
    let fields = options.fields().map(|(field, value)| (Some(field), value));
    let extensions = options.extensions().map(|(_, value)| (None, value));
    for (field, value) in fields.chain(extensions) {
        if let Some(field) = field {
            out.insert(format!(
                "{}.{}",
                field.parent_message().name(),
                field.name()
            ));
        }
        if let Value::Message(inner) = value {
            set(inner, out);
        }
    }
}

#[test]
fn every_standard_rule_stands_in_the_contract() {
    let pool = DescriptorPool::decode(rules_test::DESCRIPTOR_SET).unwrap();
    let mut found = BTreeSet::new();
    for message in pool
        .all_messages()
        .filter(|it| it.package_name() == "rules.v1")
    {
        set(&message.options(), &mut found);
        message
            .fields()
            .for_each(|field| set(&field.options(), &mut found));
        message
            .oneofs()
            .for_each(|oneof| set(&oneof.options(), &mut found));
    }
    let rules = pool.get_message_by_name("buf.validate.FieldRules").unwrap();
    let mut missing = Vec::new();
    for kind in rules
        .fields()
        .filter(|field| field.containing_oneof().is_some())
    {
        let Kind::Message(kind) = kind.kind() else {
            continue;
        };
        for rule in kind.fields().filter(|rule| rule.name() != NO_RULE) {
            let name = format!("{}.{}", kind.name(), rule.name());
            if !found.contains(&name) {
                missing.push(name);
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
    for rule in ["required", "ignore"] {
        assert!(found.contains(&format!("FieldRules.{rule}")), "{found:?}");
    }
    assert!(found.contains("OneofRules.required"));
    assert!(found.contains("MessageRules.oneof"));
}
