//! What is wrong with validation rules.

use crate::inn::{FINE, Inn, compile, refused};

#[test]
fn a_rule_that_cannot_be_checked_is_refused() {
    let check = |fields: &str, expect: &str| {
        refused(
            &Inn { fields, ..FINE },
            &["inn/v1/inn.proto:9:23: inn.v1.RestRequest.f: ", expect],
        );
    };
    for (fields, expect) in [
        (
            "string f = 1 [(buf.validate.field).string.email = true];",
            "has the rule `string.email`, for which",
        ),
        (
            "int32 f = 1 [(buf.validate.field).int32.const = 3];",
            "has the rule `int32.const`",
        ),
        (
            "bytes f = 1 [(buf.validate.field).bytes.len = 3];",
            "has the rule `bytes.len`",
        ),
        (
            r#"string f = 1 [(buf.validate.field).cel = {id: "c" expression: "true"}];"#,
            "has the rule `cel`",
        ),
        (
            "repeated string f = 1 [(buf.validate.field).repeated.unique = true];",
            "has the rule `repeated.unique`",
        ),
        (
            "repeated string f = 1 [(buf.validate.field).repeated.items.bytes.max_len = 3];",
            "has the rule `repeated.items.bytes`",
        ),
        (
            "map<string, string> f = 1 [(buf.validate.field).map.min_pairs = 1];",
            "has rules for a map",
        ),
        (
            "string f = 1 [(buf.validate.field).int32.gt = 3];",
            "has int32 rules but is of type string; use string rules",
        ),
        (
            "repeated string f = 1 [(buf.validate.field).string.min_len = 3];",
            "has string rules but is of type string; use repeated rules",
        ),
        (
            "RestResponse f = 1 [(buf.validate.field).any.in = \"x\"];",
            "has the rule `any`, for which",
        ),
        (
            r#"string f = 1 [(buf.validate.field).string.pattern = "a("];"#,
            "has a pattern that is no regular expression",
        ),
    ] {
        check(fields, expect);
    }
    let message = Inn {
        fields: r#"option (buf.validate.message).cel = {id: "c" expression: "true"};"#,
        ..FINE
    };
    refused(&message, &["inn.v1.RestRequest: ", "has a message rule"]);
}

#[test]
fn rules_that_contradict_each_other_are_refused() {
    for (kind, rules) in [
        ("string", "string: {min_len: 3 max_len: 2}"),
        ("bytes", "bytes: {min_len: 3 max_len: 2}"),
        ("repeated string", "repeated: {min_items: 3 max_items: 2}"),
        ("int32", "int32: {gte: 3 lte: 2}"),
        ("int32", "int32: {gt: 2 lt: 2}"),
        ("int32", "int32: {gte: 2 lt: 2}"),
    ] {
        let fields = format!("{kind} f = 1 [(buf.validate.field) = {{{rules}}}];");
        let inn = Inn {
            fields: &fields,
            ..FINE
        };
        refused(&inn, &["inn.v1.RestRequest.f: ", "contradicts itself: "]);
    }
    let fields = "int32 f = 1 [(buf.validate.field).int32 = {gte: 2 lte: 2}];";
    assert!(compile(&Inn { fields, ..FINE }.text()).is_ok());
}
