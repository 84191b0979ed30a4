//! Everything that is neither a number nor a text.
#![allow(
    clippy::unnecessary_wraps,
    reason = "what is made here is assigned to a field that can be absent"
)]

use std::collections::HashMap;

use prost_types::{Any, Duration, FieldMask, Timestamp};
use rules_test::v1::presence_rules::Choice;
use rules_test::v1::{Color, KnownRules, ManyRules, PlainRules, PresenceRules, TimeRules};

use crate::{NOW, check};

fn plain() -> PlainRules {
    PlainRules {
        flag: true,
        r#const: Color::Red.into(),
        defined_only: Color::Green.into(),
        r#in: Color::Red.into(),
        not_in: Color::Red.into(),
    }
}

/// With one rule broken.
fn wrong() -> PlainRules {
    PlainRules {
        flag: false,
        ..plain()
    }
}

#[test]
fn flags_and_enums() {
    check(
        &plain(),
        &[
            (|m| m.flag = false, "flag: must equal true [bool.const]"),
            (|m| m.r#const = 2, "const: must equal 1 [enum.const]"),
            (
                |m| m.defined_only = 3,
                "defined_only: value must be one of the defined enum values [enum.defined_only]",
            ),
            (|m| m.r#in = 2, "in: must be in list [0, 1] [enum.in]"),
            (
                |m| m.not_in = 2,
                "not_in: must not be in list [2] [enum.not_in]",
            ),
        ],
    );
}

fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(ToOwned::to_owned).to_vec()
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> HashMap<String, String> {
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

#[test]
fn lists_and_maps() {
    let valid = ManyRules {
        min_items: texts(["a"]),
        max_items: texts(["a"]),
        unique: texts(["a", "b"]),
        items: texts(["a", "b"]),
        min_pairs: pairs([("a", "b")]),
        max_pairs: pairs([("a", "b")]),
        keys: [("ab".to_owned(), 1)].into(),
        values: [(1, "ab".to_owned())].into(),
        nested: [(true, plain())].into(),
    };
    check(
        &valid,
        &[
            (
                |m| m.min_items.clear(),
                "min_items: must contain at least 1 item(s) [repeated.min_items]",
            ),
            (
                |m| m.max_items = texts(["a", "b"]),
                "max_items: must contain no more than 1 item(s) [repeated.max_items]",
            ),
            (
                |m| m.unique = texts(["a", "b", "a"]),
                "unique: repeated value must contain unique items [repeated.unique]",
            ),
            (
                |m| m.items = texts(["a", "", ""]),
                "items[1]: must be at least 1 characters [string.min_len] by [repeated.items.string.min_len]\n\
                 items[2]: must be at least 1 characters [string.min_len] by [repeated.items.string.min_len]",
            ),
            (
                |m| m.min_pairs.clear(),
                "min_pairs: map must be at least 1 entries [map.min_pairs]",
            ),
            (
                |m| m.max_pairs = pairs([("a", "b"), ("b", "b")]),
                "max_pairs: map must be at most 1 entries [map.max_pairs]",
            ),
            (
                |m| m.keys = [("\"".to_owned(), 1), ("a".to_owned(), 1)].into(),
                "keys[\"\\\"\"]: must be at least 2 characters [string.min_len] by [map.keys.string.min_len] for the key\n\
                 keys[\"a\"]: must be at least 2 characters [string.min_len] by [map.keys.string.min_len] for the key",
            ),
            (
                |m| m.values = [(-7, "a".to_owned()), (1, String::new())].into(),
                "values[-7]: must be at least 2 characters [string.min_len] by [map.values.string.min_len]\n\
                 values[1]: must be at least 2 characters [string.min_len] by [map.values.string.min_len]",
            ),
            (
                |m| m.nested.get_mut(&true).unwrap().flag = false,
                "nested[true].flag: must equal true [bool.const]",
            ),
        ],
    );
}

fn span(seconds: i64, nanos: i32) -> Option<Duration> {
    Some(Duration { seconds, nanos })
}

fn time(seconds: i64, nanos: i32) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos })
}

#[test]
fn times() {
    let valid = TimeRules {
        r#const: span(3, 0),
        lt: span(2, 999_999_999),
        lte: span(3, 0),
        gt: span(3, 1),
        gte: span(3, 0),
        r#in: span(3, 0),
        not_in: span(3, 1),
        at: time(3, 0),
        before: time(2, 999_999_999),
        until: time(3, 0),
        after: time(3, 1),
        from: time(3, 0),
        past: time(NOW, 0),
        future: time(NOW, 0),
        near: time(NOW - 10, 0),
    };
    check(
        &valid,
        &[
            (
                |m| m.r#const = span(3, 1),
                "const: must equal 3s [duration.const]",
            ),
            (
                |m| m.lt = span(3, 0),
                "lt: must be less than 3s [duration.lt]",
            ),
            (
                |m| m.lte = span(3, 1),
                "lte: must be less than or equal to 3s [duration.lte]",
            ),
            (
                |m| m.gt = span(3, 0),
                "gt: must be greater than 3s [duration.gt]",
            ),
            (
                |m| m.gte = span(2, 999_999_999),
                "gte: must be greater than or equal to 3s [duration.gte]",
            ),
            (
                |m| m.r#in = span(-3, 0),
                "in: must be in list [3s] [duration.in]",
            ),
            (
                |m| m.not_in = span(3, 0),
                "not_in: must not be in list [3s] [duration.not_in]",
            ),
            (
                |m| m.at = time(3, 1),
                "at: must equal 1970-01-01T00:00:03Z [timestamp.const]",
            ),
            (
                |m| m.before = time(3, 0),
                "before: must be less than 1970-01-01T00:00:03Z [timestamp.lt]",
            ),
            (
                |m| m.until = time(3, 1),
                "until: must be less than or equal to 1970-01-01T00:00:03Z [timestamp.lte]",
            ),
            (
                |m| m.after = time(3, 0),
                "after: must be greater than 1970-01-01T00:00:03Z [timestamp.gt]",
            ),
            (
                |m| m.from = time(2, 999_999_999),
                "from: must be greater than or equal to 1970-01-01T00:00:03Z [timestamp.gte]",
            ),
            (
                |m| m.past = time(NOW, 1),
                "past: must be less than now [timestamp.lt_now]",
            ),
            (
                |m| m.future = time(NOW - 1, 999_999_999),
                "future: must be greater than now [timestamp.gt_now]",
            ),
            (
                |m| m.near = time(NOW - 11, 999_999_999),
                "near: must be within 10s of now [timestamp.within]",
            ),
            (
                |m| m.near = time(NOW + 10, 1),
                "near: must be within 10s of now [timestamp.within]",
            ),
        ],
    );
    check(&TimeRules::default(), &[]);
}

fn any(type_url: &str) -> Option<Any> {
    Some(Any {
        type_url: type_url.to_owned(),
        value: Vec::new(),
    })
}

fn mask<const N: usize>(paths: [&str; N]) -> Option<FieldMask> {
    Some(FieldMask {
        paths: texts(paths),
    })
}

#[test]
fn well_known_types() {
    let valid = KnownRules {
        r#in: any("type.googleapis.com/a.B"),
        not_in: any("type.googleapis.com/a.C"),
        mask_const: mask(["a"]),
        mask_in: mask(["a.d", "b.c"]),
        mask_not_in: mask(["ab"]),
        wrapped: Some(2),
    };
    check(
        &valid,
        &[
            (
                |m| m.r#in = any("type.googleapis.com/a.C"),
                "in: type URL must be in the allow list [any.in]",
            ),
            (
                |m| m.not_in = any("type.googleapis.com/a.B"),
                "not_in: type URL must not be in the block list [any.not_in]",
            ),
            (
                |m| m.mask_const = mask(["a", "b"]),
                "mask_const: must equal paths [a] [field_mask.const]",
            ),
            (
                |m| m.mask_in = mask(["b"]),
                "mask_in: must only contain paths in [a, b.c] [field_mask.in]",
            ),
            (
                |m| m.mask_not_in = mask(["a.b"]),
                "mask_not_in: must not contain any paths in [a] [field_mask.not_in]",
            ),
            (
                |m| m.wrapped = Some(1),
                "wrapped: must be greater than 1 [int32.gt]",
            ),
        ],
    );
    check(&KnownRules::default(), &[]);
}

#[test]
fn presence() {
    let valid = PresenceRules {
        required: "a".to_owned(),
        set: Some(String::new()),
        message: Some(plain()),
        list: texts([""]),
        if_not_zero: 0,
        never: 0,
        if_set: None,
        choice: Some(Choice::One(2)),
        left: "a".to_owned(),
        right: String::new(),
    };
    check(
        &valid,
        &[
            (
                |m| m.required.clear(),
                "required: value is required [required]",
            ),
            (|m| m.set = None, "set: value is required [required]"),
            (
                |m| m.message = None,
                "message: value is required [required]",
            ),
            (
                |m| m.message = Some(wrong()),
                "message.flag: must equal true [bool.const]",
            ),
            (|m| m.list.clear(), "list: value is required [required]"),
            (
                |m| m.if_not_zero = 1,
                "if_not_zero: must be greater than 1 [int32.gt]",
            ),
            (|m| m.never = 1, ""),
            (
                |m| m.if_set = Some(0),
                "if_set: must be greater than 1 [int32.gt]",
            ),
            (
                |m| m.choice = None,
                "choice: exactly one field is required in oneof [required] by []",
            ),
            (
                |m| m.choice = Some(Choice::One(1)),
                "one: must be greater than 1 [int32.gt]",
            ),
            (
                |m| m.choice = Some(Choice::Other(wrong())),
                "other.flag: must equal true [bool.const]",
            ),
            (
                |m| m.left.clear(),
                "one of left, right must be set [message.oneof] by []",
            ),
            (
                |m| m.right = "a".to_owned(),
                "only one of left, right can be set [message.oneof] by []",
            ),
        ],
    );
}
