//! The checks of a message: its own rules, then those of its oneofs, then those of its fields.

use std::collections::BTreeSet;

use prost_reflect::{DynamicMessage, MessageDescriptor, OneofDescriptor, UnknownField, Value};

use super::field::{self, real_oneof};
use super::{Context, VALIDATE, cel};
use crate::options::{Fields as _, extension};

pub(super) fn checks(context: &mut Context<'_>, message: &MessageDescriptor) -> String {
    let mut out = String::new();
    let mut in_oneof = BTreeSet::new();
    if let Some(rules) = extension(context.pool, &message.options(), "buf.validate.message") {
        out += &message_rules(context, message, &rules, &mut in_oneof);
    }
    for oneof in message.oneofs().filter(|oneof| !oneof.is_synthetic()) {
        out += &required(context, &oneof);
    }
    let mut done = BTreeSet::new();
    for field in message.fields() {
        match real_oneof(&field) {
            None => {
                let rules = field::read(context, &field, in_oneof.contains(field.name()));
                out += &field::checks(context, &field, &rules);
            }
            Some(oneof) if done.insert(oneof.name().to_owned()) => {
                let members: Vec<_> = oneof
                    .fields()
                    .map(|field| {
                        let rules = field::read(context, &field, in_oneof.contains(field.name()));
                        (field, rules)
                    })
                    .collect();
                out += &field::members(context, &oneof, &members);
            }
            Some(_) => {}
        }
    }
    out
}

/// The rules in the options of the message; adds the members of its oneof rules to `in_oneof`.
fn message_rules(
    context: &mut Context<'_>,
    message: &MessageDescriptor,
    rules: &DynamicMessage,
    in_oneof: &mut BTreeSet<String>,
) -> String {
    for number in rules
        .unknown_fields()
        .map(UnknownField::number)
        .collect::<Vec<_>>()
    {
        report(
            context,
            message,
            format!("has the message rule {number}, which is not known; take it away"),
        );
    }
    let mut out = cel::of_message(context, message, &cel::expressions(rules));
    for (rule, value) in rules.fields() {
        match rule.name() {
            "cel" | "cel_expression" => {}
            "oneof" => {
                let oneofs = value.as_list().unwrap_or_default();
                for oneof in oneofs.iter().filter_map(Value::as_message) {
                    out += &one_of(context, message, oneof, in_oneof);
                }
            }
            other => report(
                context,
                message,
                format!(
                    "has the message rule `{other}`, for which no check can be generated; take it away"
                ),
            ),
        }
    }
    out
}

/// A oneof that is a rule: at most one of the fields is set, or exactly one if it is required.
fn one_of(
    context: &mut Context<'_>,
    message: &MessageDescriptor,
    oneof: &DynamicMessage,
    in_oneof: &mut BTreeSet<String>,
) -> String {
    let names = oneof.list("fields");
    let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
    if names.is_empty() {
        report(
            context,
            message,
            "has a oneof rule without fields; name at least one",
        );
    }
    let mut set = Vec::new();
    for (index, name) in names.iter().enumerate() {
        if names[..index].contains(name) {
            report(
                context,
                message,
                format!("names the field {name} twice in a oneof rule; name it once"),
            );
        }
        match message.get_field_by_name(name) {
            Some(field) => set.push(format!("usize::from({})", field::is_set(&field))),
            None => report(
                context,
                message,
                format!("names {name} in a oneof rule but has no such field"),
            ),
        }
        in_oneof.insert((*name).to_owned());
    }
    if set.is_empty() {
        return String::new();
    }
    let push = |words: String| {
        format!("out.push({VALIDATE}::Violation::new(\"\", \"message.oneof\", {words:?}).by(\"\"))")
    };
    let names = names.join(", ");
    let many = push(format!("only one of {names} can be set"));
    let none = if oneof.flag("required") == Some(true) {
        push(format!("one of {names} must be set"))
    } else {
        "{}".to_owned()
    };
    format!(
        "match {} {{ 0 => {none}, 1 => {{}}, _ => {many} }}\n",
        set.join(" + ")
    )
}

/// The check of a oneof of which a member must be set.
fn required(context: &mut Context<'_>, oneof: &OneofDescriptor) -> String {
    let Some(rules) = extension(context.pool, &oneof.options(), "buf.validate.oneof") else {
        return String::new();
    };
    if rules.flag("required") != Some(true) {
        return String::new();
    }
    format!(
        "if self.{}.is_none() {{
            out.push({VALIDATE}::Violation::new({:?}, \"required\", \"exactly one field is required in oneof\").by(\"\"));
        }}\n",
        crate::names::ident(oneof.name()),
        oneof.name()
    )
}

fn report(context: &mut Context<'_>, message: &MessageDescriptor, what: impl Into<String>) {
    context.report_at(&message.parent_file(), message.full_name(), what);
}
