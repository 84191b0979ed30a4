//! Rules as they are written, to show and to compare word by word what means nothing here.

use std::collections::BTreeMap;

use prost_reflect::{DynamicMessage, ReflectMessage as _, Value};
use scribemed_codegen::options::Fields as _;

use super::model::{Limit, Limits};

/// Each rule that is set, by its path: `string.max_len` is `200`. Examples are no rules.
pub(super) fn flat(rules: &DynamicMessage) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    walk("", rules, &mut out);
    out
}

fn walk(path: &str, message: &DynamicMessage, out: &mut BTreeMap<String, String>) {
    for (field, value) in message.fields() {
        let path = format!("{path}{}", field.name());
        let inner = value.as_message().filter(|inner| is_rules(inner));
        if let Some(inner) = inner {
            walk(&format!("{path}."), inner, out);
        } else if field.name() != "example" {
            out.insert(path, show(value));
        }
    }
    for (extension, value) in message.extensions() {
        out.insert(format!("{path}[{}]", extension.full_name()), show(value));
    }
    for field in message.unknown_fields() {
        out.insert(format!("{path}{}", field.number()), format!("{field:?}"));
    }
}

fn is_rules(message: &DynamicMessage) -> bool {
    message.descriptor().package_name() == "buf.validate"
}

/// What differs: `string.max_len: 200 -> 10`.
pub(super) fn difference(old: Option<&DynamicMessage>, new: Option<&DynamicMessage>) -> String {
    let (old, new) = (
        old.map(flat).unwrap_or_default(),
        new.map(flat).unwrap_or_default(),
    );
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let text = |rules: &BTreeMap<String, String>, name: &String| {
        rules
            .get(name)
            .cloned()
            .unwrap_or_else(|| "not set".to_owned())
    };
    let changed = names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name));
    let parts = changed.map(|name| format!("{name}: {} -> {}", text(&old, name), text(&new, name)));
    parts.collect::<Vec<_>>().join(", ")
}

/// A value as a contract writes it.
pub(super) fn show(value: &Value) -> String {
    if let Some(list) = value.as_list() {
        return format!("[{}]", list.iter().map(show).collect::<Vec<_>>().join(", "));
    }
    if let Some(message) = value.as_message() {
        let fields = message
            .fields()
            .map(|(field, value)| format!("{}: {}", field.name(), show(value)));
        return format!("{{{}}}", fields.collect::<Vec<_>>().join(", "));
    }
    if let Some(text) = value.as_str() {
        return format!("{text:?}");
    }
    if let Some(bytes) = value.as_bytes() {
        return format!("\"{}\"", bytes.escape_ascii());
    }
    let number = value
        .as_i32()
        .map(|n| n.to_string())
        .or_else(|| value.as_i64().map(|n| n.to_string()));
    let unsigned = || {
        value
            .as_u32()
            .map(|n| n.to_string())
            .or_else(|| value.as_u64().map(|n| n.to_string()))
    };
    let float = || {
        value
            .as_f32()
            .map(|n| n.to_string())
            .or_else(|| value.as_f64().map(|n| n.to_string()))
    };
    let other = || {
        value
            .as_bool()
            .map(|n| n.to_string())
            .or_else(|| value.as_enum_number().map(|n| n.to_string()))
    };
    number
        .or_else(unsigned)
        .or_else(float)
        .or_else(other)
        .unwrap_or_else(|| format!("{value:?}"))
}

/// The expressions of a field or message, by id.
pub(super) fn expressions(rules: &DynamicMessage, limits: &mut Limits) {
    for rule in rules.list("cel").iter().filter_map(Value::as_message) {
        let expression = rule.text("expression").unwrap_or_default();
        let id = rule.text("id").unwrap_or_else(|| expression.clone());
        limits.insert(format!("cel {id}"), Limit::Opaque(expression));
    }
    for expression in rules.list("cel_expression") {
        let expression = expression.as_str().unwrap_or_default().to_owned();
        limits.insert(format!("cel {expression}"), Limit::Opaque(expression));
    }
}

/// The rules that are not known here, so that none is passed over.
pub(super) fn others(rules: &DynamicMessage, is_known: impl Fn(&str) -> bool, limits: &mut Limits) {
    for (field, value) in rules.fields() {
        // A format that is switched off asks for nothing.
        let asks = value.as_bool() != Some(false);
        if field.name() != "example" && !is_known(field.name()) && asks {
            limits.insert(format!("rule {}", field.name()), Limit::Opaque(show(value)));
        }
    }
}

/// Rules of other files, and those of a newer `buf.validate`.
pub(super) fn unknown(rules: &DynamicMessage, limits: &mut Limits) {
    for (extension, value) in rules.extensions() {
        limits.insert(
            format!("rule {}", extension.full_name()),
            Limit::Opaque(show(value)),
        );
    }
    for field in rules.unknown_fields() {
        limits.insert(
            format!("rule {}", field.number()),
            Limit::Opaque(format!("{field:?}")),
        );
    }
}
