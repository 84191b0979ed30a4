//! Rules as sets of values: which change takes values away, which adds some, which does both.

mod cases;

use std::collections::BTreeMap;

use prost_reflect::DescriptorPool;
use scribemed_contract::check::check;

use self::cases::CASES;
use self::cases::Now::{self, Fewer, More, Others, Same, Unknown};
use crate::contract::root;

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
