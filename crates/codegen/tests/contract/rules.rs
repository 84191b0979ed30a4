//! What is wrong with validation rules.

use crate::inn::{FINE, Inn, compile, refused};

fn check(fields: &str, expect: &[&str]) {
    refused(&Inn { fields, ..FINE }, expect);
}

#[test]
fn a_rule_that_cannot_be_checked_is_refused() {
    for (fields, expect) in [
        (
            "string f = 1 [(buf.validate.field).int32.gt = 3];",
            "has int32 rules but is of type string; use string rules",
        ),
        (
            "repeated string f = 1 [(buf.validate.field).string.min_len = 3];",
            "has string rules but is of type repeated; use repeated rules",
        ),
        (
            "map<string, string> f = 1 [(buf.validate.field).string.min_len = 3];",
            "has string rules but is of type map; use map rules",
        ),
        (
            "repeated string f = 1 [(buf.validate.field).repeated.items.bytes.max_len = 3];",
            "has repeated.items.bytes rules but is of type string; use repeated.items.string rules",
        ),
        (
            "map<string, int32> f = 1 [(buf.validate.field).map.values.string.max_len = 3];",
            "has map.values.string rules but is of type int32; use map.values.int32 rules",
        ),
        (
            "RestResponse f = 1 [(buf.validate.field).any.in = \"x\"];",
            "has any rules but is of type inn.v1.RestResponse; such a field has no rules of its type",
        ),
        (
            "repeated RestResponse f = 1 [(buf.validate.field).repeated.unique = true];",
            "has the rule `repeated.unique` but its items are messages; use cel",
        ),
        (
            "repeated string f = 1 [(buf.validate.field).repeated.items.required = true];",
            "has the rule `repeated.items.required`, which asks for nothing",
        ),
        (
            r#"string f = 1 [(buf.validate.field).string.pattern = "a("];"#,
            "has a pattern that is no regular expression",
        ),
    ] {
        check(
            fields,
            &["inn/v1/inn.proto:9:23: inn.v1.RestRequest.f: ", expect],
        );
    }
}

#[test]
fn a_rule_of_a_message_that_cannot_be_checked_is_refused() {
    for (rule, expect) in [
        ("oneof: {}", "has a oneof rule without fields"),
        (
            r#"oneof: {fields: ["f", "f"]}"#,
            "names the field f twice in a oneof rule",
        ),
        (
            r#"oneof: {fields: ["f", "g"]}"#,
            "names g in a oneof rule but has no such field",
        ),
    ] {
        let fields = format!("string f = 1; option (buf.validate.message) = {{{rule}}};");
        check(&fields, &["inn.v1.RestRequest: ", expect]);
    }
}

#[test]
fn rules_that_contradict_each_other_are_refused() {
    for (kind, rules) in [
        ("string", "string: {min_len: 3 max_len: 2}"),
        ("string", "string: {len: 3 max_len: 2}"),
        ("string", "string: {min_bytes: 3 max_bytes: 2}"),
        ("string", r#"string: {const: "a" in: ["b", "c"]}"#),
        ("bytes", "bytes: {min_len: 3 max_len: 2}"),
        ("bytes", r#"bytes: {in: ["a"] not_in: ["b", "a"]}"#),
        ("repeated string", "repeated: {min_items: 3 max_items: 2}"),
        ("map<string, string>", "map: {min_pairs: 3 max_pairs: 2}"),
        ("int32", "int32: {gt: 2 lt: 2}"),
        ("int32", "int32: {gte: 2 lt: 2}"),
        ("double", "double: {gt: 2 lte: 2}"),
        ("uint64", "uint64: {const: 2 not_in: [2]}"),
        ("Bed", "enum: {in: [1] not_in: [0, 1]}"),
    ] {
        let fields = format!("{kind} f = 1 [(buf.validate.field) = {{{rules}}}];");
        check(&fields, &["inn.v1.RestRequest.f: ", "contradicts itself: "]);
    }
    // A lower bound above the upper one is how protovalidate writes what is outside of a range.
    for rules in ["{gte: 2 lte: 2}", "{gte: 3 lte: 2}"] {
        let fields = format!("int32 f = 1 [(buf.validate.field).int32 = {rules}];");
        let fields = &fields;
        assert!(compile(&Inn { fields, ..FINE }.text()).is_ok());
    }
}
