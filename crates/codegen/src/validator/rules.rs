//! Reading the rules of a field from its options.

use prost_reflect::{DynamicMessage, FieldDescriptor, UnknownField, Value};

use super::{Context, cel};
use crate::options::Fields as _;

/// When rules do not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ignore {
    /// If the field has presence and is not set.
    Unset,
    /// If it is not set or has its zero value.
    Zero,
    /// Never.
    Always,
}

/// The rules of a field, or of the items, keys or values in it.
pub(super) struct Rules {
    pub(super) required: bool,
    pub(super) ignore: Ignore,
    pub(super) expressions: Vec<cel::Expression>,
    /// The rules of the type, with their name: `string`.
    pub(super) typed: Option<(String, DynamicMessage)>,
}

/// The names under which rules of a type stand.
const TYPES: [&str; 22] = [
    "float",
    "double",
    "int32",
    "int64",
    "uint32",
    "uint64",
    "sint32",
    "sint64",
    "fixed32",
    "fixed64",
    "sfixed32",
    "sfixed64",
    "bool",
    "string",
    "bytes",
    "enum",
    "repeated",
    "map",
    "any",
    "duration",
    "timestamp",
    "field_mask",
];

impl Rules {
    /// Those in `message`, a buf.validate.FieldRules that stands at `path` in the options of `field`. `expected` is the name
    /// of the rules that fit the type of what they are for, and `of` that type.
    pub(super) fn read(
        context: &mut Context<'_>,
        field: &FieldDescriptor,
        message: Option<&DynamicMessage>,
        path: &str,
        (expected, of): (Option<&str>, &str),
    ) -> Self {
        let mut rules = Self {
            required: false,
            ignore: Ignore::Unset,
            expressions: Vec::new(),
            typed: None,
        };
        let Some(message) = message else {
            return rules;
        };
        known(context, field, message, path);
        for (rule, value) in message.fields() {
            match (rule.name(), value) {
                ("required", value) => rules.required = value.as_bool().unwrap_or(false),
                ("ignore", value) => match value.as_enum_number() {
                    Some(0) | None => {}
                    Some(1) => rules.ignore = Ignore::Zero,
                    Some(3) => rules.ignore = Ignore::Always,
                    Some(other) => unknown(context, field, &format!("{path}ignore = {other}")),
                },
                ("cel" | "cel_expression", _) => {}
                (name, Value::Message(typed)) if Some(name) == expected => {
                    rules.typed = Some((name.to_owned(), typed.clone()));
                }
                (name, Value::Message(_)) if TYPES.contains(&name) => {
                    let right = expected.map_or_else(
                        || "such a field has no rules of its type: use cel, or rules within its message".to_owned(),
                        |expected| format!("use {path}{expected} rules"),
                    );
                    context.report(
                        field,
                        format!("has {path}{name} rules but is of type {of}; {right}"),
                    );
                }
                (name, _) => unknown(context, field, &format!("{path}{name}")),
            }
        }
        rules.expressions = cel::expressions(message);
        rules
    }
}

/// Reports what stands in the options without a meaning that the generator knows.
pub(super) fn known(
    context: &mut Context<'_>,
    field: &FieldDescriptor,
    message: &DynamicMessage,
    path: &str,
) {
    let numbers: Vec<u32> = message.unknown_fields().map(UnknownField::number).collect();
    for number in numbers {
        unknown(context, field, &format!("{path}{number}"));
    }
}

/// Reports a rule that the generator does not know.
pub(super) fn unknown(context: &mut Context<'_>, field: &FieldDescriptor, rule: &str) {
    context.report(field, format!(
        "has the rule `{rule}`, for which no check can be generated; take it away or use one that can"
    ));
}

/// Reports rules that no value keeps.
pub(super) fn contradicts(
    context: &mut Context<'_>,
    field: &FieldDescriptor,
    what: impl std::fmt::Display,
) {
    context.report(field, format!("contradicts itself: {what}"));
}

/// Reports a lower bound of a length that is above the upper one, and an exact length outside of them.
pub(super) fn lengths(
    context: &mut Context<'_>,
    field: &FieldDescriptor,
    typed: &DynamicMessage,
    [exact, min, max]: [&str; 3],
) {
    let (low, high) = (typed.number(min), typed.number(max));
    if let (Some(low), Some(high)) = (low, high)
        && low > high
    {
        contradicts(context, field, format!("{min} {low} is above {max} {high}"));
    }
    if let Some(length) = typed.number(exact)
        && (low.is_some_and(|low| length < low) || high.is_some_and(|high| length > high))
    {
        contradicts(
            context,
            field,
            format!("{exact} {length} is outside of {min} and {max}"),
        );
    }
}
