//! The rules of a field, and the checks for them.

mod number;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, Value};

use super::{Context, VALIDATE, is_generated};
use crate::options::{Fields as _, extension, kind_name};

/// The rules of a field.
pub(super) struct Rules {
    pub(super) required: bool,
    pub(super) ignore_zero: bool,
    /// The rules of the field's type, with their name: `string`.
    typed: Option<(String, DynamicMessage)>,
}

impl Rules {
    /// Those of `field`; `None` where all of them are to be ignored.
    pub(super) fn read(context: &mut Context<'_>, field: &FieldDescriptor) -> Option<Self> {
        let message = extension(context.pool, &field.options(), "buf.validate.field");
        Self::of(context, field, message.as_ref())
    }

    fn of(
        context: &mut Context<'_>,
        field: &FieldDescriptor,
        message: Option<&DynamicMessage>,
    ) -> Option<Self> {
        let mut rules = Self {
            required: false,
            ignore_zero: false,
            typed: None,
        };
        for (rule, value) in message.iter().flat_map(|message| message.fields()) {
            match (rule.name(), value) {
                ("required", value) => rules.required = value.as_bool().unwrap_or(false),
                ("ignore", value) => match value.as_enum_number() {
                    Some(0) | None => {}
                    Some(1) => rules.ignore_zero = true,
                    Some(_) => return None,
                },
                (name, Value::Message(typed)) if field_kind_name(field).contains(&name) => {
                    rules.typed = Some((name.to_owned(), typed.clone()));
                }
                (name, Value::Message(_)) if is_misplaced(field, name) => {
                    context.report(
                        field,
                        format!(
                            "has {name} rules but is of type {}; use {} rules",
                            kind_name(&field.kind()),
                            field_kind_name(field).first().copied().unwrap_or("other"),
                        ),
                    );
                }
                (name, _) => unknown(context, field, name),
            }
        }
        Some(rules)
    }

    pub(super) fn has_checks(&self) -> bool {
        self.required || self.typed.is_some()
    }
}

/// Whether the rules are those of another type. What stands on a message (`duration`, `any`) is not misplaced but unknown.
fn is_misplaced(field: &FieldDescriptor, name: &str) -> bool {
    let single = !field.is_list() && !field.is_map();
    TYPED.contains(&name) && !(single && matches!(field.kind(), Kind::Message(_)))
}

const TYPED: [&str; 18] = [
    "float", "double", "int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32",
    "fixed64", "sfixed32", "sfixed64", "bool", "string", "bytes", "enum", "repeated", "map",
];

fn unknown(context: &mut Context<'_>, field: &FieldDescriptor, rule: &str) {
    context.report(field, format!(
        "has the rule `{rule}`, for which no check can be generated yet; take it away or use one that can"
    ));
}

/// The names under which the rules of this field's type stand.
fn field_kind_name(field: &FieldDescriptor) -> Vec<&'static str> {
    if field.is_list() {
        vec!["repeated"]
    } else if field.is_map() {
        vec!["map"]
    } else {
        vec![kind_name(&field.kind())]
    }
}

/// An expression that tells whether a field without presence holds its zero value.
pub(super) fn is_zero(field: &FieldDescriptor, place: &str) -> String {
    match field.kind() {
        Kind::String | Kind::Bytes => format!("{place}.is_empty()"),
        Kind::Bool => format!("!{place}"),
        Kind::Double | Kind::Float => format!("{place} == 0.0"),
        Kind::Int32
        | Kind::Int64
        | Kind::Uint32
        | Kind::Uint64
        | Kind::Sint32
        | Kind::Sint64
        | Kind::Fixed32
        | Kind::Fixed64
        | Kind::Sfixed32
        | Kind::Sfixed64
        | Kind::Message(_)
        | Kind::Enum(_) => format!("{place} == 0"),
    }
}

/// The checks of a list: its length, then each item.
pub(super) fn list(
    context: &mut Context<'_>,
    field: &FieldDescriptor,
    rules: &Rules,
    place: &str,
    out: &mut String,
) {
    let name = field.name();
    let mut items = None;
    let mut checks = String::new();
    let (mut min, mut max) = (0, u64::MAX);
    for (rule, value) in rules.typed.iter().flat_map(|(_, typed)| typed.fields()) {
        match (rule.name(), value) {
            ("min_items", value) => {
                min = value.as_u64().unwrap_or(0);
                check(
                    &mut checks,
                    &format!("{place}.len() < {min}"),
                    &format!("{name:?}"),
                    "repeated.min_items",
                    &format!("must contain at least {min} item(s)"),
                );
            }
            ("max_items", value) => {
                max = value.as_u64().unwrap_or(u64::MAX);
                check(
                    &mut checks,
                    &format!("{place}.len() > {max}"),
                    &format!("{name:?}"),
                    "repeated.max_items",
                    &format!("must contain no more than {max} item(s)"),
                );
            }
            ("items", Value::Message(message)) => items = Some(message.clone()),
            (other, _) => unknown(context, field, &format!("repeated.{other}")),
        }
    }
    if min > max {
        context.report(
            field,
            format!("contradicts itself: min_items {min} is above max_items {max}"),
        );
    }
    if rules.required {
        let _ = write!(
            out,
            "
        if {place}.is_empty() {{
            out.push({VALIDATE}::Violation::new({name:?}, \"required\", \"value is required\"));
        }} else {{{checks}
        }}"
        );
    } else if rules.ignore_zero && !checks.is_empty() {
        let _ = write!(
            out,
            "\n        if !{place}.is_empty() {{{checks}\n        }}"
        );
    } else {
        out.push_str(&checks);
    }
    let item_rules = item_rules(context, field, items.as_ref());
    let mut inner = String::new();
    value(
        context,
        field,
        &item_rules,
        "(*value)",
        &format!("format!(\"{name}[{{index}}]\")"),
        &mut inner,
    );
    if !inner.is_empty() {
        let _ = write!(
            out,
            "
        for (index, value) in {place}.iter().enumerate() {{
            if {VALIDATE}::enough(out) {{
                break;
            }}{inner}
        }}"
        );
    }
}

fn item_rules(
    context: &mut Context<'_>,
    field: &FieldDescriptor,
    message: Option<&DynamicMessage>,
) -> Rules {
    let mut rules = Rules {
        required: false,
        ignore_zero: false,
        typed: None,
    };
    for (rule, value) in message.iter().flat_map(|message| message.fields()) {
        match value.as_message() {
            Some(typed) if rule.name() == kind_name(&field.kind()) => {
                rules.typed = Some((rule.name().to_owned(), typed.clone()));
            }
            _ => unknown(context, field, &format!("repeated.items.{}", rule.name())),
        }
    }
    rules
}

/// The checks of one value at `place`; `path` is an expression for its path.
pub(super) fn value(
    context: &mut Context<'_>,
    field: &FieldDescriptor,
    rules: &Rules,
    place: &str,
    path: &str,
    out: &mut String,
) {
    if is_generated(context, &field.kind()) {
        let _ = write!(
            out,
            "\n            {VALIDATE}::nested(out, || ({path}).into(), &{place});"
        );
    }
    let Some((kind, typed)) = &rules.typed else {
        return;
    };
    match kind.as_str() {
        "string" => text(context, field, typed, place, path, out),
        "bytes" => bytes(context, field, typed, place, path, out),
        "enum" => enumeration(context, field, typed, place, path, out),
        "bool" => {
            for (rule, expected) in typed.fields() {
                match (rule.name(), expected.as_bool()) {
                    ("const", Some(expected)) => {
                        check(
                            out,
                            &format!("{place} != {expected}"),
                            path,
                            "bool.const",
                            &format!("must equal {expected}"),
                        );
                    }
                    (other, _) => unknown(context, field, &format!("bool.{other}")),
                }
            }
        }
        kind => number::check_bounds(context, field, kind, typed, place, path, out),
    }
}

fn check(out: &mut String, condition: &str, path: &str, rule: &str, message: &str) {
    let _ = write!(
        out,
        "
            if {condition} {{
                out.push({VALIDATE}::Violation::new({path}, {rule:?}, {message:?}));
            }}"
    );
}

fn text(
    context: &mut Context<'_>,
    field: &FieldDescriptor,
    typed: &DynamicMessage,
    place: &str,
    path: &str,
    out: &mut String,
) {
    if let (Some(min), Some(max)) = (typed.number("min_len"), typed.number("max_len"))
        && min > max
    {
        context.report(
            field,
            format!("contradicts itself: min_len {min} is above max_len {max}"),
        );
    }
    for (rule, value) in typed.fields() {
        match (rule.name(), value) {
            ("const", Value::String(expected)) => check(
                out,
                &format!("{place} != {expected:?}"),
                path,
                "string.const",
                &format!("must equal `{expected}`"),
            ),
            ("min_len", Value::U64(n)) => check(
                out,
                &format!("{place}.chars().count() < {n}"),
                path,
                "string.min_len",
                &format!("must be at least {n} characters"),
            ),
            ("max_len", Value::U64(n)) => check(
                // A text of n bytes or fewer has at most n characters; most are settled without counting.
                out,
                &format!("{place}.len() > {n} && {place}.chars().count() > {n}"),
                path,
                "string.max_len",
                &format!("must be at most {n} characters"),
            ),
            ("pattern", Value::String(pattern)) => {
                if let Err(error) = regex::Regex::new(pattern) {
                    // The last of several lines says what is wrong; the others draw it.
                    let error = error.to_string();
                    let error = error.lines().last().unwrap_or_default();
                    context.report(
                        field,
                        format!(
                            "has a pattern that is no regular expression, {pattern:?}: {error}"
                        ),
                    );
                }
                let _ = write!(
                    out,
                    "
            {{
                static PATTERN: {VALIDATE}::Pattern =
                    {VALIDATE}::Pattern::new(|| {VALIDATE}::Pattern::compile({pattern:?}));"
                );
                check(
                    out,
                    &format!("!PATTERN.is_match(&{place})"),
                    path,
                    "string.pattern",
                    &format!("does not match regex pattern `{pattern}`"),
                );
                out.push_str("\n            }");
            }
            ("uuid", Value::Bool(true)) => {
                let _ = write!(
                    out,
                    "
            if {place}.is_empty() {{
                out.push({VALIDATE}::Violation::new({path}, \"string.uuid_empty\", \
                     \"value is empty, which is not a valid UUID\"));
            }} else if !{VALIDATE}::is_uuid(&{place}) {{
                out.push({VALIDATE}::Violation::new({path}, \"string.uuid\", \"must be a valid UUID\"));
            }}"
                );
            }
            (other, _) => unknown(context, field, &format!("string.{other}")),
        }
    }
}

fn bytes(
    context: &mut Context<'_>,
    field: &FieldDescriptor,
    typed: &DynamicMessage,
    place: &str,
    path: &str,
    out: &mut String,
) {
    if let (Some(min), Some(max)) = (typed.number("min_len"), typed.number("max_len"))
        && min > max
    {
        context.report(
            field,
            format!("contradicts itself: min_len {min} is above max_len {max}"),
        );
    }
    for (rule, value) in typed.fields() {
        match (rule.name(), value) {
            ("min_len", Value::U64(n)) => check(
                out,
                &format!("{place}.len() < {n}"),
                path,
                "bytes.min_len",
                &format!("must be at least {n} bytes"),
            ),
            ("max_len", Value::U64(n)) => check(
                out,
                &format!("{place}.len() > {n}"),
                path,
                "bytes.max_len",
                &format!("must be at most {n} bytes"),
            ),
            (other, _) => unknown(context, field, &format!("bytes.{other}")),
        }
    }
}

fn enumeration(
    context: &mut Context<'_>,
    field: &FieldDescriptor,
    typed: &DynamicMessage,
    place: &str,
    path: &str,
    out: &mut String,
) {
    let Kind::Enum(kind) = field.kind() else {
        return;
    };
    let numbers = |value: &Value| -> Vec<String> {
        value
            .as_list()
            .unwrap_or_default()
            .iter()
            .filter_map(Value::as_i32)
            .map(|n| n.to_string())
            .collect()
    };
    let bare = place.trim_matches(['(', ')']);
    for (rule, value) in typed.fields() {
        match rule.name() {
            "defined_only" if value.as_bool() == Some(true) => {
                // As a set: two names may stand for one number.
                let known: BTreeSet<i32> = kind.values().map(|value| value.number()).collect();
                let known: Vec<String> = known.iter().map(ToString::to_string).collect();
                check(
                    out,
                    &format!("!matches!({bare}, {})", known.join(" | ")),
                    path,
                    "enum.defined_only",
                    "must be one of the defined enum values",
                );
            }
            "not_in" => {
                let numbers = numbers(value);
                check(
                    out,
                    &format!("matches!({bare}, {})", numbers.join(" | ")),
                    path,
                    "enum.not_in",
                    &format!("must not be in list [{}]", numbers.join(", ")),
                );
            }
            "in" => {
                let numbers = numbers(value);
                check(
                    out,
                    &format!("!matches!({bare}, {})", numbers.join(" | ")),
                    path,
                    "enum.in",
                    &format!("must be in list [{}]", numbers.join(", ")),
                );
            }
            other => unknown(context, field, &format!("enum.{other}")),
        }
    }
}
