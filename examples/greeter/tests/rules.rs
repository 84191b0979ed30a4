//! The generated checks, one for each rule of buf.validate that they know.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use greeter::v1::rules::{Choice, Must, Place, Section};
use greeter::v1::{Rules, SayHelloRequest};
use scribemed_rpc::{Validate as _, Violation};

const UUID: &str = "0198c0de-0000-7000-8000-000000000001";

/// A message that keeps every rule.
fn good() -> Rules {
    Rules {
        uuid: UUID.to_owned(),
        short: "abc".to_owned(),
        pattern: "say:\"so\"".to_owned(),
        fixed: "say \"so\"".to_owned(),
        data: vec![1].into(),
        defined: Place::Outdoors.into(),
        not_in: Place::Indoors.into(),
        r#in: Place::Indoors.into(),
        at_least: -5,
        below: 9,
        between: 1,
        share: 1.4,
        yes: true,
        names: vec!["Ada".to_owned()],
        required_section: Some(section("text")),
        required_text: "x".to_owned(),
        required_numbers: vec![1, 2],
        choice: Some(Choice::Word("word".to_owned())),
        must: Some(Must::This(false)),
        ..Rules::default()
    }
}

fn section(text: &str) -> Section {
    Section {
        text: text.to_owned(),
        sections: Vec::new(),
    }
}

/// What is wrong with a good message after `change`: `path rule`.
fn broken(change: impl FnOnce(&mut Rules)) -> Vec<String> {
    let mut rules = good();
    change(&mut rules);
    let shown = |violation: Violation| format!("{} {}", violation.field, violation.rule);
    let violations = rules.validate().err().unwrap_or_default();
    violations.into_iter().map(shown).collect()
}

fn check(change: impl FnOnce(&mut Rules), expect: &[&str]) {
    assert_eq!(broken(change), expect);
}

#[test]
fn a_good_message_keeps_every_rule() {
    assert_eq!(good().validate(), Ok(()));
}

#[test]
fn uuids() {
    check(|rules| rules.uuid = UUID.to_uppercase(), &[]);
    check(|rules| rules.uuid.clear(), &["uuid string.uuid_empty"]);
    check(|rules| rules.uuid.push('0'), &["uuid string.uuid"]);
    check(|rules| rules.id_or_nothing.clear(), &[]);
    let rubbish = |rules: &mut Rules| rules.id_or_nothing = "x".to_owned();
    check(rubbish, &["id_or_nothing string.uuid"]);
}

#[test]
fn lengths_are_counted_in_characters() {
    for (text, expect) in [
        ("", vec!["short string.min_len"]),
        ("é", vec!["short string.min_len"]),
        ("ab", vec![]),
        ("éééé", vec![]),
        ("𝄞𝄞𝄞𝄞", vec![]),
        ("abcde", vec!["short string.max_len"]),
        ("ééééé", vec!["short string.max_len"]),
    ] {
        check(|rules| rules.short = text.to_owned(), &expect);
    }
}

#[test]
fn patterns_and_constants() {
    let text = |text: &str| text.to_owned();
    check(
        |rules| rules.pattern = text("say:\"so\"\n"),
        &["pattern string.pattern"],
    );
    check(
        |rules| rules.pattern = text("SAY:\"so\""),
        &["pattern string.pattern"],
    );
    check(
        |rules| rules.fixed = text("say so"),
        &["fixed string.const"],
    );
    check(|rules| rules.yes = false, &["yes bool.const"]);
}

#[test]
fn bytes() {
    check(|rules| rules.data = vec![].into(), &["data bytes.min_len"]);
    check(|rules| rules.data = vec![0; 3].into(), &[]);
    check(
        |rules| rules.data = vec![0; 4].into(),
        &["data bytes.max_len"],
    );
}

#[test]
fn enums() {
    check(|rules| rules.defined = 3, &["defined enum.defined_only"]);
    check(|rules| rules.defined = -1, &["defined enum.defined_only"]);
    check(|rules| rules.defined = 0, &[]);
    check(|rules| rules.not_in = 0, &["not_in enum.not_in"]);
    check(|rules| rules.not_in = -1, &["not_in enum.not_in"]);
    check(|rules| rules.not_in = 77, &[]);
    check(|rules| rules.r#in = 0, &["in enum.in"]);
    check(
        |rules| rules.places = vec![1, 9],
        &["places[1] enum.defined_only"],
    );
}

#[test]
fn numbers() {
    check(|rules| rules.at_least = -6, &["at_least int32.gte"]);
    check(|rules| rules.below = 10, &["below int64.lt"]);
    check(|rules| rules.below = i64::MIN, &[]);
    check(|rules| rules.between = 0, &["between uint32.gt_lte"]);
    check(|rules| rules.between = 100, &[]);
    check(|rules| rules.between = 101, &["between uint32.gt_lte"]);
    check(|rules| rules.share = 0.0, &[]);
    check(|rules| rules.share = 1.5, &["share double.gte_lt"]);
    check(|rules| rules.share = f64::NAN, &["share double.gte_lt"]);
}

#[test]
fn lists() {
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    check(|rules| rules.names.clear(), &["names repeated.min_items"]);
    check(|rules| rules.names = names(&["a", "b", "c"]), &[]);
    check(
        |rules| rules.names = names(&["a", "b", "c", "d"]),
        &["names repeated.max_items"],
    );
    check(
        |rules| rules.names = names(&["a", "long", "c"]),
        &["names[1] string.max_len"],
    );
    check(
        |rules| rules.required_numbers.clear(),
        &["required_numbers required"],
    );
    check(
        |rules| rules.required_numbers = vec![1],
        &["required_numbers repeated.min_items"],
    );
    check(|rules| rules.counts = [("a".to_owned(), 1)].into(), &[]);
}

#[test]
fn messages_within_messages() {
    check(
        |rules| rules.sections = vec![section("a"), section("b"), section("")],
        &["sections[2].text string.min_len"],
    );
    let nested = Section {
        sections: vec![section("x"), section("")],
        ..section("y")
    };
    check(
        |rules| rules.sections = vec![nested],
        &["sections[0].sections[1].text string.min_len"],
    );
    check(
        |rules| rules.required_section = None,
        &["required_section required"],
    );
    check(
        |rules| rules.required_section = Some(section("")),
        &["required_section.text string.min_len"],
    );
}

#[test]
fn what_must_be_there() {
    check(
        |rules| rules.required_text.clear(),
        &["required_text required"],
    );
    check(
        |rules| rules.required_text = "four".to_owned(),
        &["required_text string.max_len"],
    );
    check(|rules| rules.choice = None, &["choice required"]);
    check(|rules| rules.must = None, &["this required"]);
    check(
        |rules| rules.must = Some(Must::That(true)),
        &["this required"],
    );
}

#[test]
fn what_may_be_there() {
    check(|rules| rules.optional_number = None, &[]);
    check(
        |rules| rules.optional_number = Some(0),
        &["optional_number int32.gt"],
    );
    check(|rules| rules.optional_number = Some(4), &[]);
    check(|rules| rules.optional_text_or_nothing = None, &[]);
    // What has presence and is set has a value, were it the zero value.
    check(
        |rules| rules.optional_text_or_nothing = Some(String::new()),
        &["optional_text_or_nothing string.min_len"],
    );
    check(
        |rules| rules.optional_text_or_nothing = Some("ab".to_owned()),
        &["optional_text_or_nothing string.min_len"],
    );
    check(|rules| rules.ignored = "x".to_owned(), &[]);
}

#[test]
fn what_is_chosen() {
    check(
        |rules| rules.choice = Some(Choice::Word("w".to_owned())),
        &["word string.min_len"],
    );
    check(
        |rules| rules.choice = Some(Choice::Section(section(""))),
        &["section.text string.min_len"],
    );
    // A member that is chosen has a value, were it the zero value.
    check(
        |rules| rules.choice = Some(Choice::NumberOrZero(0)),
        &["number_or_zero int32.gt"],
    );
    check(
        |rules| rules.choice = Some(Choice::NumberOrZero(3)),
        &["number_or_zero int32.gt"],
    );
}

#[test]
fn every_broken_rule_is_told_in_the_order_of_the_fields() {
    let wrong = |rules: &mut Rules| {
        rules.r#type = "keyword".to_owned();
        rules.yes = false;
        rules.uuid.clear();
    };
    check(
        wrong,
        &[
            "uuid string.uuid_empty",
            "yes bool.const",
            "type string.max_len",
        ],
    );
}

/// A list of millions of invalid items is no way to fill the memory.
#[test]
fn enough_is_enough() {
    let violations = broken(|rules| rules.sections = vec![section(""); 100_000]);
    assert!(
        (16..200).contains(&violations.len()),
        "{}",
        violations.len()
    );
}

#[test]
fn a_violation_reads_as_protovalidate_writes_it() {
    let request = SayHelloRequest::default();
    let violations = request.validate().err().unwrap_or_default();
    assert_eq!(
        violations[0].to_string(),
        "name: must be at least 1 characters"
    );
    assert_eq!(
        violations[0].description(),
        "must be at least 1 characters [string.min_len]"
    );
}
