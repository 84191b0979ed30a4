//! Rules as sets of values: which change takes values away, which adds some, which does both.

use std::collections::BTreeMap;

use prost_reflect::DescriptorPool;
use scribemed_contract::check::check;

use crate::contract::root;

/// What became of the accepted values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Now {
    Same,
    Fewer,
    More,
    Others,
    Unknown,
}
use Now::{Fewer, More, Others, Same, Unknown};

/// Type, old rules, new rules.
const CASES: &[(&str, &str, &str, Now)] = &[
    // Numbers.
    ("int32", "int32.lte = 10", "int32.lt = 11", Same),
    (
        "int32",
        "int32: {gte: 0 lte: 10}",
        "int32: {gte: 0 lte: 9}",
        Fewer,
    ),
    (
        "int32",
        "int32: {gte: 0 lte: 10}",
        "int32: {gte: -1 lte: 10}",
        More,
    ),
    (
        "int32",
        "int32: {gte: 0 lte: 10}",
        "int32: {gte: 1 lte: 11}",
        Others,
    ),
    (
        "int32",
        "int32: {in: [1, 2]}",
        "int32: {in: [1, 2, 3]}",
        More,
    ),
    (
        "int32",
        "int32: {in: [1, 2, 3]}",
        "int32: {gte: 1 lte: 3}",
        Same,
    ),
    (
        "int32",
        "int32: {gte: 1 lte: 3}",
        "int32: {gte: 1 lte: 3 not_in: [2]}",
        Fewer,
    ),
    ("int32", "int32.not_in = 5", "int32.not_in = 6", Others),
    ("int32", "int32.const = 5", "int32.in = 5", Same),
    ("int32", "", "int32.gte = 0", Fewer),
    ("int32", "int32.gte = 0", "", More),
    ("int32", "", "int32.gte = -2147483648", Same),
    ("uint32", "", "uint32.gte = 0", Same),
    (
        "int64",
        "int64: {lt: 0 gt: 10}",
        "int64: {lt: 0 gt: 11}",
        Fewer,
    ),
    (
        "int64",
        "int64: {lt: 0 gt: 10}",
        "int64: {not_in: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}",
        Same,
    ),
    ("uint64", "uint64.lte = 18446744073709551615", "", Same),
    ("double", "double.lt = 1.5", "double.lte = 1.5", More),
    ("double", "", "double.finite = true", Fewer),
    (
        "double",
        "double: {gte: 0 lte: 1}",
        "double: {gte: 0 lte: 1 finite: true}",
        Same,
    ),
    ("float", "float.gt = 0", "float.gte = 0", More),
    ("bool", "bool.const = true", "", More),
    ("sint32", "sint32.gt = 3", "sint32.gte = 4", Same),
    // Zero, absence and what is ignored.
    ("int32", "int32.gt = 0", "int32: {gte: 0}", More),
    (
        "int32",
        "int32.gt = 0, (buf.validate.field).ignore = IGNORE_IF_ZERO_VALUE",
        "int32.gte = 0",
        Same,
    ),
    ("int32", "required = true", "", More),
    ("int32", "", "required = true", Fewer),
    (
        "int32",
        "required = true, (buf.validate.field).int32.gte = 0",
        "int32.gt = 0",
        Same,
    ),
    ("optional int32", "required = true", "", More),
    ("optional int32", "", "required = true", Fewer),
    (
        "optional string",
        "string.min_len = 1",
        "string.min_len = 1, (buf.validate.field).ignore = IGNORE_IF_ZERO_VALUE",
        More,
    ),
    (
        "string",
        "string.max_len = 3",
        "string.max_len = 3, (buf.validate.field).ignore = IGNORE_ALWAYS",
        More,
    ),
    (
        "string",
        "string.uuid = true",
        "string.uuid = true, (buf.validate.field).ignore = IGNORE_IF_ZERO_VALUE",
        More,
    ),
    ("Inner", "", "required = true", Fewer),
    // Text.
    (
        "string",
        "string.max_len = 200",
        "string.max_len = 10",
        Fewer,
    ),
    (
        "string",
        "string.max_len = 10",
        "string.max_len = 200",
        More,
    ),
    (
        "string",
        "string.len = 5",
        "string: {min_len: 5 max_len: 5}",
        Same,
    ),
    (
        "string",
        "string: {min_len: 1 max_len: 5}",
        "string: {min_len: 2 max_len: 6}",
        Others,
    ),
    ("string", "", "string.min_len = 0", Same),
    (
        "string",
        "string.max_len = 10",
        "string: {max_len: 10 max_bytes: 40}",
        Same,
    ),
    (
        "string",
        "string.max_len = 10",
        "string: {max_len: 10 max_bytes: 39}",
        Fewer,
    ),
    (
        "string",
        "string.max_bytes = 10",
        "string: {max_bytes: 10 max_len: 10}",
        Same,
    ),
    (
        "string",
        "string.uuid = true",
        "string: {uuid: true max_len: 36}",
        Same,
    ),
    (
        "string",
        "string.uuid = true",
        "string: {uuid: true max_len: 35}",
        Fewer,
    ),
    ("string", "string.ipv4 = true", "string.ip = true", More),
    ("string", "string.ip = true", "string.address = true", More),
    (
        "string",
        "string.address = true",
        "string.hostname = true",
        Fewer,
    ),
    (
        "string",
        "string.uuid = true",
        "string.email = true",
        Others,
    ),
    ("string", "string.uri = true", "string.uri_ref = true", More),
    (
        "string",
        "string.ipv4_prefix = true",
        "string.ip_with_prefixlen = true",
        More,
    ),
    (
        "string",
        "string.well_known_regex = KNOWN_REGEX_HTTP_HEADER_NAME",
        "string: {well_known_regex: KNOWN_REGEX_HTTP_HEADER_NAME strict: false}",
        More,
    ),
    (
        "string",
        "string.email = true",
        "string.email = false",
        More,
    ),
    (
        "string",
        "string: {in: [\"a\", \"b\"]}",
        "string: {in: [\"a\", \"b\", \"c\"]}",
        More,
    ),
    (
        "string",
        "string: {in: [\"a\", \"b\"]}",
        "string: {in: [\"b\", \"a\"]}",
        Same,
    ),
    (
        "string",
        "string: {in: [\"a\", \"b\"]}",
        "string.const = \"a\"",
        Fewer,
    ),
    (
        "string",
        "string: {in: [\"a\", \"b\"]}",
        "string.max_len = 1",
        More,
    ),
    (
        "string",
        "string: {in: [\"a\", \"bb\"]}",
        "string: {in: [\"a\", \"bb\"] max_len: 1}",
        Fewer,
    ),
    (
        "string",
        "string: {in: [\"a\", \"b\"]}",
        "string: {in: [\"a\", \"b\"] pattern: \"^[ab]$\"}",
        Same,
    ),
    (
        "string",
        "string: {not_in: [\"a\"]}",
        "string: {not_in: [\"a\", \"b\"]}",
        Fewer,
    ),
    (
        "string",
        "string: {not_in: [\"aa\"] max_len: 1}",
        "string.max_len = 1",
        Same,
    ),
    (
        "string",
        "string.prefix = \"ab\"",
        "string.prefix = \"a\"",
        More,
    ),
    (
        "string",
        "string.suffix = \"b\"",
        "string.suffix = \"ab\"",
        Fewer,
    ),
    (
        "string",
        "string.prefix = \"ab\"",
        "string: {prefix: \"ab\" contains: \"b\"}",
        Same,
    ),
    (
        "string",
        "string.prefix = \"ab\"",
        "string: {prefix: \"ab\" min_len: 2}",
        Same,
    ),
    (
        "string",
        "string.not_contains = \"a\"",
        "string.not_contains = \"ab\"",
        More,
    ),
    (
        "string",
        "string.pattern = \"^[a-z]+$\"",
        "string.pattern = \"^[a-z0-9]+$\"",
        Unknown,
    ),
    ("string", "", "string.pattern = \"^[a-z]*$\"", Fewer),
    ("string", "string.pattern = \"^[a-z]+$\"", "", More),
    (
        "string",
        "string.pattern = \"^[a-z]{3}$\"",
        "string: {pattern: \"^[a-z]{3}$\" max_len: 3}",
        Same,
    ),
    (
        "string",
        "string: {pattern: \"^[a-z]+$\" max_len: 9}",
        "string: {pattern: \"^[a-z]+$\" max_len: 8}",
        Fewer,
    ),
    (
        "string",
        "string.example = \"a\"",
        "string.example = \"b\"",
        Same,
    ),
    ("bytes", "bytes.max_len = 10", "bytes.max_len = 9", Fewer),
    ("bytes", "bytes.ipv4 = true", "bytes.ip = true", More),
    (
        "bytes",
        "bytes.ip = true",
        "bytes: {ip: true max_len: 16}",
        Same,
    ),
    (
        "bytes",
        "bytes.in = \"\\x01\"",
        "bytes: {in: [\"\\x01\", \"\\x02\"]}",
        More,
    ),
    // Enums.
    ("Bed", "", "enum.defined_only = true", Fewer),
    ("Bed", "enum.defined_only = true", "", More),
    (
        "Bed",
        "enum.defined_only = true",
        "enum: {in: [0, 1, 2]}",
        Same,
    ),
    (
        "Bed",
        "enum: {defined_only: true not_in: [0]}",
        "enum: {in: [1, 2]}",
        Same,
    ),
    ("Bed", "enum: {in: [1]}", "enum: {in: [2]}", Others),
    // Collections.
    (
        "repeated string",
        "repeated.max_items = 9",
        "repeated.max_items = 8",
        Fewer,
    ),
    ("repeated string", "repeated.min_items = 1", "", More),
    ("repeated string", "", "repeated.unique = true", Fewer),
    (
        "repeated string",
        "required = true",
        "repeated.min_items = 1",
        Same,
    ),
    (
        "repeated string",
        "repeated.items.string.max_len = 5",
        "repeated.items.string.max_len = 4",
        Fewer,
    ),
    (
        "repeated string",
        "",
        "repeated.items.string.max_len = 4",
        Fewer,
    ),
    (
        "repeated string",
        "repeated.items: {string: {in: [\"a\"]}}",
        "repeated.items: {string: {in: [\"a\", \"b\"]}}",
        More,
    ),
    (
        "repeated int32",
        "repeated.items.int32.gte = 0",
        "repeated.items: {required: true int32: {gte: 0}}",
        Fewer,
    ),
    (
        "map<string, int32>",
        "map.min_pairs = 1",
        "map.min_pairs = 2",
        Fewer,
    ),
    (
        "map<string, int32>",
        "map.keys.string.max_len = 5",
        "map.keys.string.max_len = 6",
        More,
    ),
    (
        "map<string, int32>",
        "map.values.int32.lt = 5",
        "map.values.int32.lte = 4",
        Same,
    ),
    (
        "map<string, Bed>",
        "map.values.enum.defined_only = true",
        "map: {values: {enum: {in: [0, 1, 2]}}}",
        Same,
    ),
    // Well-known types.
    (
        "google.protobuf.Duration",
        "duration.lte = {seconds: 5}",
        "duration.lte = {seconds: 4 nanos: 999999999}",
        Fewer,
    ),
    (
        "google.protobuf.Duration",
        "duration.lt = {seconds: 5}",
        "duration.lte = {seconds: 4 nanos: 999999999}",
        Same,
    ),
    (
        "google.protobuf.Duration",
        "duration: {in: [{seconds: 1}]}",
        "duration: {in: [{seconds: 1}, {seconds: 2}]}",
        More,
    ),
    (
        "google.protobuf.Timestamp",
        "timestamp.lt_now = true",
        "",
        More,
    ),
    (
        "google.protobuf.Timestamp",
        "timestamp.within = {seconds: 60}",
        "timestamp.within = {seconds: 30}",
        Fewer,
    ),
    (
        "google.protobuf.Timestamp",
        "",
        "timestamp.gt = {seconds: 9}",
        Fewer,
    ),
    (
        "google.protobuf.Any",
        "any: {in: [\"a\"]}",
        "any: {in: [\"a\", \"b\"]}",
        More,
    ),
    (
        "google.protobuf.Any",
        "any: {not_in: [\"a\"]}",
        "any: {not_in: [\"a\", \"b\"]}",
        Fewer,
    ),
    (
        "google.protobuf.FieldMask",
        "field_mask: {in: [\"a\"]}",
        "field_mask: {in: [\"a.b\"]}",
        Fewer,
    ),
    (
        "google.protobuf.FieldMask",
        "field_mask: {not_in: [\"a\"]}",
        "field_mask: {not_in: [\"a.b\"]}",
        More,
    ),
    (
        "google.protobuf.StringValue",
        "string.max_len = 5",
        "string.max_len = 4",
        Fewer,
    ),
    // Expressions.
    (
        "int32",
        "",
        "cel: {id: \"even\" expression: \"this % 2 == 0\"}",
        Fewer,
    ),
    (
        "int32",
        "cel: {id: \"even\" expression: \"this % 2 == 0\"}",
        "",
        More,
    ),
    (
        "int32",
        "cel: {id: \"even\" expression: \"this % 2 == 0\"}",
        "cel: {id: \"even\" expression: \"this % 4 == 0\"}",
        Unknown,
    ),
    (
        "int32",
        "cel: {id: \"even\" message: \"a\" expression: \"this % 2 == 0\"}",
        "cel: {id: \"even\" message: \"b\" expression: \"this % 2 == 0\"}",
        Same,
    ),
    (
        "int32",
        "cel: {id: \"even\" expression: \"this % 2 == 0\"}, (buf.validate.field).int32.lt = 9",
        "cel: {id: \"even\" expression: \"this % 2 == 0\"}, (buf.validate.field).int32.lt = 10",
        More,
    ),
];

fn compile(options: impl Fn(usize) -> &'static str, extra: &str) -> DescriptorPool {
    let mut text = "syntax = \"proto3\";\npackage inn.v1;\n".to_owned();
    for import in ["any", "duration", "field_mask", "timestamp", "wrappers"] {
        text.push_str(&format!("import \"google/protobuf/{import}.proto\";\n"));
    }
    text.push_str("import \"buf/validate/validate.proto\";\n");
    text.push_str("enum Bed { BED_UNSPECIFIED = 0; BED_SOFT = 1; BED_HARD = 2; }\nmessage Inner {}\nmessage Rest {\n");
    for (index, (kind, ..)) in CASES.iter().enumerate() {
        let options = match options(index) {
            "" => String::new(),
            option => format!(
                " [(buf.validate.field).{}]",
                option.replacen(": {", " = {", 1)
            ),
        };
        text.push_str(&format!("  {kind} f{index} = {}{options};\n", index + 1));
    }
    text.push_str(&format!("}}\n{extra}"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("inn.proto"), text).unwrap();
    let vendor = root().join("proto/vendor");
    let mut compiler = protox::Compiler::new([folder.path(), &vendor]).unwrap();
    compiler.include_imports(true);
    let opened = compiler.open_file("inn.proto");
    opened.unwrap_or_else(|error| panic!("{error:?}"));
    DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice()).unwrap()
}

/// What is found, by element.
fn found(old: &DescriptorPool, new: &DescriptorPool) -> BTreeMap<String, Vec<&'static str>> {
    let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for finding in check(old, new, "2026-11-25") {
        found
            .entry(finding.element)
            .or_default()
            .push(finding.rule.id);
    }
    found
}

fn now(ids: Option<&Vec<&str>>) -> Now {
    match ids.map_or(&[][..], Vec::as_slice) {
        [] => Same,
        ["REQUEST_RULE_TIGHTENED"] => Fewer,
        ["RESPONSE_RULE_LOOSENED"] => More,
        ["REQUEST_RULE_TIGHTENED", "RESPONSE_RULE_LOOSENED"] => Others,
        ["RULE_NOT_COMPARABLE"] => Unknown,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_change_of_a_rule_is_a_change_of_a_set() {
    let (old, new) = (
        compile(|index| CASES[index].1, ""),
        compile(|index| CASES[index].2, ""),
    );
    // Messages that no method names go both ways, so each direction shows.
    let (there, back) = (found(&old, &new), found(&new, &old));
    let mut wrong = Vec::new();
    for (index, (kind, was, is, expect)) in CASES.iter().enumerate() {
        let element = format!("inn.v1.Rest.f{index}");
        let reverse = match expect {
            Fewer => More,
            More => Fewer,
            Same | Others | Unknown => *expect,
        };
        let (forth, back) = (now(there.get(&element)), now(back.get(&element)));
        if (forth, back) != (*expect, reverse) {
            wrong.push(format!(
                "{kind}: {was} -> {is}: {forth:?}, back {back:?}; not {expect:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_rules_of_messages_and_oneofs_are_compared_as_well() {
    for (old, new, element, expect) in [
        (
            "",
            "option (buf.validate.message).cel = {id: \"x\" expression: \"true\"};",
            "inn.v1.Bill",
            Fewer,
        ),
        (
            "option (buf.validate.message).cel = {id: \"x\" expression: \"true\"};",
            "option (buf.validate.message).cel = {id: \"x\" expression: \"false\"};",
            "inn.v1.Bill",
            Unknown,
        ),
        (
            "",
            "option (buf.validate.message).oneof = {fields: [\"a\", \"b\"]};",
            "inn.v1.Bill",
            Fewer,
        ),
        (
            "option (buf.validate.message).oneof = {fields: [\"a\", \"b\"]};",
            "option (buf.validate.message).oneof = {fields: [\"a\", \"b\"] required: true};",
            "inn.v1.Bill",
            Fewer,
        ),
        (
            "option (buf.validate.message).oneof = {fields: [\"a\", \"b\"] required: true};",
            "option (buf.validate.message).oneof = {fields: [\"a\", \"b\"]};",
            "inn.v1.Bill",
            More,
        ),
        (
            "oneof way { string c = 3; string d = 4; }",
            "oneof way { option (buf.validate.oneof).required = true; string c = 3; string d = 4; }",
            "inn.v1.Bill.way",
            Fewer,
        ),
    ] {
        let bill =
            |options: &str| format!("message Bill {{ {options} string a = 1; string b = 2; }}");
        let pool = |options: &str| compile(|_| "", &bill(options));
        let found = found(&pool(old), &pool(new));
        assert_eq!(now(found.get(element)), expect, "{new}");
    }
}

#[test]
fn a_value_that_a_response_promised_not_to_have_is_a_looser_rule() {
    let room = |values: &str| {
        let text = format!(
            "enum Room {{ ROOM_UNSPECIFIED = 0; {values} }}
             message Stay {{ Room room = 1 [(buf.validate.field).enum.defined_only = true]; }}"
        );
        compile(|_| "", &text)
    };
    let findings = check(
        &room("ROOM_A = 1;"),
        &room("ROOM_A = 1; ROOM_B = 2;"),
        "2026-11-25",
    );
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].rule.id, "RESPONSE_RULE_LOOSENED");
    assert_eq!(findings[0].reason, "new among the defined values: ROOM_B");
}
