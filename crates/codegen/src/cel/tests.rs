//! What is refused and where, and how plain the code of plain expressions is. What expressions evaluate to is tested in
//! tests/cel, where their code is compiled.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, DynamicMessage, Value};

use super::{Answer, Program, Refusal, Scope, Type, translate};

/// Read once: the rules of buf.validate are a long file.
fn pool() -> &'static DescriptorPool {
    static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
        let mut compiler =
            protox::Compiler::new(["../../tests/cel/proto", "../../proto/vendor"]).unwrap();
        compiler.include_imports(true);
        compiler.open_files(["cel/test/v1/test.proto"]).unwrap();
        DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice()).unwrap()
    });
    &POOL
}

fn translated(pool: &DescriptorPool, expression: &str) -> Result<Program, Refusal> {
    let shape = pool.get_message_by_name("cel.shapes.v1.Shape").unwrap();
    let scope = Scope {
        pool,
        package: "cel.shapes.v1",
        this: (Type::of_message(&shape), "(*self)"),
        rule: None,
        rules: None,
    };
    translate(expression, &scope)
}

/// The expression itself, without what is around each.
fn code(program: &Program) -> &str {
    let code = program.code.split_once(" = ").map_or("", |(_, code)| code);
    let code = code.split_once(" = ").map_or(code, |(_, code)| code);
    code.strip_suffix("; answer }").unwrap()
}

/// Each expression is refused at the offset, with words among which are these.
fn refused(cases: &[(&str, usize, &str)]) {
    let pool = pool();
    for (expression, offset, message) in cases {
        let refusal = translated(pool, expression).err();
        let found = refusal.as_ref().map(|refusal| refusal.offset);
        assert_eq!(found, Some(*offset), "{expression}: {refusal:?}");
        let found = refusal.unwrap().message;
        assert!(found.contains(message), "{expression}: {found}");
    }
}

#[test]
fn what_is_no_expression_is_refused() {
    refused(&[
        ("", 0, "a value is missing before the end"),
        ("this.i32 >", 10, "a value is missing before the end"),
        ("this.i32 > 1)", 12, "`)` is left over"),
        ("this.i32 = 1", 9, "`==` compares"),
        ("(this.i32 > 1", 13, "`)` is missing before the end"),
        ("this.text == 'a", 13, "no end"),
        ("this.text == '\\q'", 14, "no escape"),
        ("this.i32 > 99999999999999999999", 11, "out of the range"),
        (
            "this.i32 > 9223372036854775808",
            11,
            "above the greatest int",
        ),
        ("this.i32 > 1x", 12, "a number goes over into a word"),
        ("this.i32 \u{20ac} 1", 9, "does not belong"),
        ("this.in == 1", 5, "getField(message, \"in\")"),
        ("while", 0, "reserved"),
    ]);
}

#[test]
fn unknown_names_are_refused() {
    refused(&[
        ("that.i32 > 1", 0, "there is no `that` here"),
        ("rule > 1", 0, "predefined rules only"),
        ("this.i23 > 1", 5, "has no field `i23`; it has flag, i32"),
        ("this.leaf.next.nam == ''", 15, "it has name, weight, next"),
        ("this.i32.foo == 1", 9, "a int has no fields"),
        ("this.text.isMail()", 10, "there is no function isMail()"),
        (
            "this.text.startsWith(1)",
            10,
            "no startsWith() of string, int; there is string.startsWith(string)",
        ),
        (
            "startsWith(this.text, 'a')",
            0,
            "there is string.startsWith(string)",
        ),
    ]);
}

#[test]
fn types_that_do_not_fit_are_refused() {
    refused(&[
        ("this.i32", 5, "of type int; a rule evaluates to a bool"),
        ("this.leaf", 5, "of type cel.shapes.v1.Leaf"),
        (
            "this.i32 == this.u32",
            9,
            "never equal; convert one of them with int(), uint() or double()",
        ),
        ("this.i32 + this.u32 > 1", 9, "no int + uint; convert"),
        ("this.text == 1", 10, "a string and a int are never equal"),
        ("this.text < 1", 10, "have no order"),
        ("this.i32 && true", 5, "`&&` is of bools"),
        ("!this.text", 0, "`!` is of a bool"),
        ("-this.span == this.span", 0, "`-` is of an int or a double"),
        (
            "this.i32 > 0 ? 'a' : 1",
            13,
            "of one type, not a string and a int",
        ),
        ("[1, 'a'].size() > 0", 4, "a list is of one type"),
        ("[[1]].size() > 0", 1, "a list cannot hold a list(int)"),
        ("this.i32 in ['a']", 9, "a int is never in a list of string"),
        (
            "this.counts[1] == 1",
            12,
            "the keys of this map are of type string, not int",
        ),
        ("this.ints['a'] == 1", 10, "a list is indexed by an int"),
        ("this.leaf == null", 10, "a message is never null"),
        ("[this.int_value] == [1]", 6, "a list cannot hold a wrapper"),
        ("this.ints.all(i, i)", 17, "a condition is a bool"),
        (
            "this.ints.all(i.j, true)",
            16,
            "begins with the name of a variable",
        ),
        ("this.ints.all(i, j, true)", 10, "two variables"),
        (
            "this.i32.all(i, true)",
            9,
            "goes through a list or a map, not a int",
        ),
        ("has(this)", 4, "asks for a field"),
    ]);
}

#[test]
fn what_would_have_no_type_or_always_fail_is_refused() {
    refused(&[
        ("this.any == this.any", 5, "google.protobuf.Any"),
        ("this.anys[0] == this.any", 9, "google.protobuf.Any"),
        ("this.anys.all(a, a == a)", 17, "google.protobuf.Any"),
        (
            "this.text.matches(this.word)",
            23,
            "a pattern is written out",
        ),
        ("this.text.matches('[a')", 18, "no regular expression"),
        (
            "this.text.format([1]) == ''",
            5,
            "the format is written out",
        ),
        (
            "'%s'.format([]) == ''",
            5,
            "more clauses than there are values",
        ),
        ("'%s'.format([1, 2]) == ''", 16, "no clause for this value"),
        ("'%q'.format([1]) == ''", 0, "no clause"),
        ("'%d'.format(['a']) == ''", 13, "%d does not show a string"),
        (
            "this.span > duration('1 hour')",
            21,
            "is no duration; write one such as",
        ),
        (
            "this.at > timestamp('2024-02-30T00:00:00Z')",
            20,
            "is no timestamp; write one such as",
        ),
        (
            "this.at.getHours('Europe/Berlin') > 1",
            17,
            "names of zones change",
        ),
        ("uint(-1) == this.u32", 5, "this int is no uint"),
        (
            "cel.shapes.v1.Leaf{name: 'a'} == this.leaf",
            18,
            "messages cannot be made",
        ),
        ("{'a': 1}.size() > 0", 0, "maps cannot be written"),
    ]);
}

#[test]
fn depth_is_bounded() {
    let pool = pool();
    let deep = format!("{}true{}", "(".repeat(5_000), ")".repeat(5_000));
    assert!(
        translated(pool, &deep)
            .unwrap_err()
            .message
            .contains("nested")
    );
    let long = vec!["true"; 5_000].join(" && ");
    assert!(
        translated(pool, &long)
            .unwrap_err()
            .message
            .contains("in a row")
    );
    let many = format!("{}true", "!".repeat(5_000));
    assert!(translated(pool, &many).is_err());
    let calls = format!("this.text{} == ''", ".trim()".repeat(5_000));
    assert!(translated(pool, &calls).is_err());
}

#[test]
fn plain_expressions_become_plain_code() {
    let pool = pool();
    for (expression, expect, fallible) in [
        ("this.i32 > 0", "i64::from(self.i32) > 0i64", false),
        ("this.text == 'a'", "self.text.as_str() == \"a\"", false),
        (
            "this.flag || has(this.leaf)",
            "self.flag || self.leaf.is_some()",
            false,
        ),
        (
            "this.maybe_u64 == 1u",
            "self.maybe_u64.unwrap_or(0u64) == 1u64",
            false,
        ),
        (
            "this.type % 2 == 0",
            "(i64::from(self.r#type) % 2i64) == 0i64",
            false,
        ),
        (
            "this.text.startsWith('a')",
            "self.text.as_str().starts_with(\"a\")",
            false,
        ),
        (
            "this.ints.all(i, i > 0)",
            "self.ints.as_slice().iter().all(|item1| i64::from(*item1) > 0i64)",
            false,
        ),
        (
            "this.int_value == null",
            "self.int_value.as_ref().map(|value1| i64::from(*value1)).is_none()",
            false,
        ),
        (
            "this.span > duration('1s')",
            "self.span.as_ref().map_or(0i128, |value1| ::scribemed_rpc::validate::cel::moment(value1.seconds, value1.nanos)) > 1000000000i128",
            false,
        ),
        (
            "this.i64 + 1 > 0",
            "(|| -> ::core::result::Result<bool, ::scribemed_rpc::validate::cel::Failure> { ::core::result::Result::Ok(\
             ::scribemed_rpc::validate::cel::add(self.i64, 1i64)? > 0i64) })()",
            true,
        ),
    ] {
        let program = translated(pool, expression).unwrap();
        assert_eq!(code(&program), expect, "{expression}");
        assert_eq!(
            (program.fallible, program.answer),
            (fallible, Answer::Bool),
            "{expression}"
        );
    }
}

#[test]
fn a_text_that_is_written_out_is_not_copied() {
    let pool = pool();
    let program = translated(pool, "this.flag ? '' : 'is not'").unwrap();
    assert_eq!(program.answer, Answer::Text);
    assert_eq!(
        code(&program),
        "::std::borrow::Cow::Borrowed(if self.flag { \"\" } else { \"is not\" })"
    );
    let program = translated(pool, "this.text").unwrap();
    assert_eq!(
        code(&program),
        "::std::borrow::Cow::Owned(self.text.as_str().to_owned())"
    );
}

#[test]
fn the_time_is_asked_for_only_where_it_is_used() {
    let pool = pool();
    assert!(
        translated(pool, "this.at < now")
            .unwrap()
            .code
            .contains("let now = out.now();")
    );
    assert!(!translated(pool, "this.flag").unwrap().code.contains("now"));
}

#[test]
fn rules_are_constants() {
    let pool = pool();
    let strings = pool
        .get_message_by_name("buf.validate.StringRules")
        .unwrap();
    let mut rules = DynamicMessage::new(strings.clone());
    rules.set_field_by_name("max_len", Value::U64(5));
    rules.set_field_by_name("in", Value::List(vec![Value::String("a".to_owned())]));
    let shape = pool.get_message_by_name("cel.shapes.v1.Shape").unwrap();
    let text = shape.get_field_by_name("text").unwrap();
    let scope = Scope {
        pool,
        package: "cel.shapes.v1",
        this: (Type::of_field(&text), "self.text"),
        rule: None,
        rules: Some(&rules),
    };
    for (expression, expect) in [
        ("rules.max_len == 5u", "5u64 == 5u64"),
        (
            "has(rules.max_len) && !has(rules.min_len)",
            "true && (!false)",
        ),
        ("this != rules.prefix", "self.text.as_str() != \"\""),
        (
            "this in getField(rules, 'in')",
            "::scribemed_rpc::validate::cel::contains((&[\"a\"][..]).iter().map(|item1| *item1), self.text.as_str())",
        ),
        (
            "this in rules.not_in",
            "::scribemed_rpc::validate::cel::contains((&[\"\"; 0][..]).iter().map(|item1| *item1), self.text.as_str())",
        ),
    ] {
        let program = translate(expression, &scope).unwrap();
        assert_eq!(
            code(&program),
            expect.replace("*item1", "(*item1)"),
            "{expression}"
        );
    }
}
