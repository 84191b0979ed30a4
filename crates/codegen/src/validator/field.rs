//! The checks of a field: whether it is there, then its value, its items or its entries.

use prost_reflect::{Cardinality, DynamicMessage, FieldDescriptor, Kind, OneofDescriptor};

use super::rules::{Ignore, Rules, lengths, unknown};
use super::site::Site;
use super::{Context, VALIDATE, cel, rules, value};
use crate::cel::Type;
use crate::names::{ident, variant};
use crate::options::{Fields as _, extension};

/// The rules of a field as its message sees them. A member of a message's own oneof is left alone at its zero value, if it
/// does not say when else.
pub(super) fn read(
    context: &mut Context<'_>,
    field: &FieldDescriptor,
    in_message_oneof: bool,
) -> Rules {
    let message = extension(context.pool, &field.options(), "buf.validate.field");
    let (expected, of) = if field.is_list() {
        (Some("repeated"), "repeated".to_owned())
    } else if field.is_map() {
        (Some("map"), "map".to_owned())
    } else {
        value::names(field)
    };
    let mut rules = Rules::read(context, field, message.as_ref(), "", (expected, &of));
    let says = message.is_some_and(|message| message.has_field_by_name("ignore"));
    if in_message_oneof && !says {
        rules.ignore = Ignore::Zero;
    }
    rules
}

/// An expression that tells whether the field is set: for one without presence, whether it is not at its zero value.
pub(super) fn is_set(field: &FieldDescriptor) -> String {
    let place = format!("self.{}", ident(field.name()));
    match real_oneof(field) {
        Some(oneof) => format!(
            "matches!(self.{}, Some({}(_)))",
            ident(oneof.name()),
            variant(&oneof, field)
        ),
        None if field.is_list() || field.is_map() => format!("!{place}.is_empty()"),
        None if field.cardinality() == Cardinality::Required => "true".to_owned(),
        None if field.supports_presence() => format!("{place}.is_some()"),
        None => format!("!({})", value::is_zero(&field.kind(), &place)),
    }
}

/// The oneof that the field is a member of, if it is one that the contract wrote.
pub(super) fn real_oneof(field: &FieldDescriptor) -> Option<OneofDescriptor> {
    field
        .containing_oneof()
        .filter(|oneof| !oneof.is_synthetic())
}

/// The checks of a field that is in no oneof.
pub(super) fn checks(context: &mut Context<'_>, field: &FieldDescriptor, rules: &Rules) -> String {
    if rules.ignore == Ignore::Always {
        return String::new();
    }
    let name = ident(field.name());
    let has_presence = field.supports_presence() && field.cardinality() != Cardinality::Required;
    let site = Site {
        field,
        place: if has_presence {
            "(*value)".to_owned()
        } else {
            format!("self.{name}")
        },
        path: format!("{:?}", field.name()),
        prefix: "",
        for_key: false,
    };
    let inner = if field.is_list() {
        list(context, &site, rules)
    } else if field.is_map() {
        map(context, &site, rules)
    } else {
        value::checks(context, &site, rules, &Type::of_field(field))
    };
    let required = required(&site);
    if has_presence {
        let present = if inner.is_empty() {
            String::new()
        } else {
            format!("if let Some(value) = &self.{name} {{\n{inner}}}")
        };
        return match (rules.required, present.is_empty()) {
            (false, true) => String::new(),
            (false, false) => present + "\n",
            (true, true) => format!("if self.{name}.is_none() {{ {required} }}\n"),
            (true, false) => format!("{present} else {{ {required} }}\n"),
        };
    }
    let set = is_set(field);
    if rules.required && set != "true" {
        format!("if {set} {{\n{inner}}} else {{ {required} }}\n")
    } else if rules.ignore == Ignore::Zero && !inner.is_empty() {
        format!("if {set} {{\n{inner}}}\n")
    } else {
        inner
    }
}

fn required(site: &Site<'_>) -> String {
    let violation = site.violation("required", "required", "\"value is required\"");
    format!("out.push({violation});")
}

/// The checks of the members of a oneof, all in one.
pub(super) fn members(
    context: &mut Context<'_>,
    oneof: &OneofDescriptor,
    members: &[(FieldDescriptor, Rules)],
) -> String {
    let place = format!("self.{}", ident(oneof.name()));
    let (mut arms, mut out) = (String::new(), String::new());
    for (field, rules) in members {
        if rules.ignore == Ignore::Always {
            continue;
        }
        let site = Site {
            field,
            place: "(*value)".to_owned(),
            path: format!("{:?}", field.name()),
            prefix: "",
            for_key: false,
        };
        if rules.required {
            // Of all its siblings, this one must be set.
            out += &format!("if !{} {{ {} }}\n", is_set(field), required(&site));
        }
        let inner = value::checks(context, &site, rules, &Type::of_field(field));
        if !inner.is_empty() {
            arms += &format!("Some({}(value)) => {{\n{inner}}}\n", variant(oneof, field));
        }
    }
    if !arms.is_empty() {
        out += &format!("match &{place} {{\n{arms}_ => {{}}\n}}\n");
    }
    out
}

/// The checks of a list: of itself, then of each item.
fn list(context: &mut Context<'_>, site: &Site<'_>, rules: &Rules) -> String {
    let field = site.field;
    let mut out = cel::checks(context, site, &rules.expressions, &Type::of_field(field));
    let mut items = None;
    if let Some((_, typed)) = &rules.typed {
        out += &list_rules(context, site, typed);
        items = typed.message("items");
    }
    let (expected, of) = value::names(field);
    let path = "repeated.items.";
    let rules = Rules::read(context, field, items.as_ref(), path, (expected, &of));
    let item = Site {
        field,
        place: "(*value)".to_owned(),
        path: format!("format!(\"{}[{{index}}]\")", field.name()),
        prefix: path,
        for_key: false,
    };
    let inner = element(context, &item, &field.kind(), &rules, &Type::of_item(field));
    if !inner.is_empty() {
        out += &format!(
            "for (index, value) in {}.iter().enumerate() {{
                if out.enough() {{ break; }}
                {inner}
            }}\n",
            site.place
        );
    }
    out
}

fn list_rules(context: &mut Context<'_>, site: &Site<'_>, typed: &DynamicMessage) -> String {
    let (field, place) = (site.field, &site.place);
    lengths(context, field, typed, ["", "min_items", "max_items"]);
    rules::known(context, field, typed, "repeated.");
    let mut out = String::new();
    for (rule, value) in typed.fields() {
        match (rule.name(), value.as_u64()) {
            ("min_items", Some(min)) if min > 0 => {
                let message = format!("must contain at least {min} item(s)");
                out += &site.refuse_if(
                    &format!("{place}.len() < {min}"),
                    "repeated.min_items",
                    &message,
                );
            }
            ("max_items", Some(max)) => {
                let message = format!("must contain no more than {max} item(s)");
                out += &site.refuse_if(
                    &format!("{place}.len() > {max}"),
                    "repeated.max_items",
                    &message,
                );
            }
            ("unique", _) if value.as_bool() == Some(true) => {
                let function = match value::scalar(&field.kind()) {
                    Some(Kind::Float | Kind::Double) => "are_unique_numbers",
                    Some(_) => "are_unique",
                    None => {
                        context.report(
                            field,
                            "has the rule `repeated.unique` but its items are messages; use cel",
                        );
                        continue;
                    }
                };
                let condition = format!("!{VALIDATE}::{function}(&{place})");
                out += &site.refuse_if(
                    &condition,
                    "repeated.unique",
                    "repeated value must contain unique items",
                );
            }
            ("min_items" | "unique" | "items", _) => {}
            (other, _) => unknown(context, field, &format!("repeated.{other}")),
        }
    }
    out + &cel::predefined(context, site, ("repeated", typed), &Type::of_field(field))
}

/// The checks of a map: of itself, then of each entry.
fn map(context: &mut Context<'_>, site: &Site<'_>, rules: &Rules) -> String {
    let field = site.field;
    let mut out = cel::checks(context, site, &rules.expressions, &Type::of_field(field));
    let (mut keys, mut values) = (None, None);
    if let Some((_, typed)) = &rules.typed {
        out += &map_rules(context, site, typed);
        keys = typed.message("keys");
        values = typed.message("values");
    }
    let Kind::Message(entry) = field.kind() else {
        return out;
    };
    let (key, value) = (entry.map_entry_key_field(), entry.map_entry_value_field());
    let name = field.name();
    let entry_path = if key.kind() == Kind::String {
        format!("format!(\"{name}[{{}}]\", {VALIDATE}::quoted(key))")
    } else {
        format!("format!(\"{name}[{{key}}]\")")
    };
    let mut inner = String::new();
    for (part, message, place, prefix) in [
        (&key, keys, "(*key)", "map.keys."),
        (&value, values, "(*value)", "map.values."),
    ] {
        let for_key = prefix == "map.keys.";
        let (expected, of) = value::names(part);
        let rules = Rules::read(context, field, message.as_ref(), prefix, (expected, &of));
        let site = Site {
            field,
            place: place.to_owned(),
            path: entry_path.clone(),
            prefix,
            for_key,
        };
        let kind = if for_key {
            Type::of_key(field)
        } else {
            Type::of_value(field)
        };
        inner += &element(context, &site, &part.kind(), &rules, &kind);
    }
    if !inner.is_empty() {
        // A map has no order; what is said of it has one.
        out += &format!(
            "let before = out.len();
            for (key, value) in &{} {{
                if out.enough() {{ break; }}
                {inner}
            }}
            out.sort_from(before);\n",
            site.place
        );
    }
    out
}

fn map_rules(context: &mut Context<'_>, site: &Site<'_>, typed: &DynamicMessage) -> String {
    let (field, place) = (site.field, &site.place);
    lengths(context, field, typed, ["", "min_pairs", "max_pairs"]);
    rules::known(context, field, typed, "map.");
    let mut out = String::new();
    for (rule, value) in typed.fields() {
        match (rule.name(), value.as_u64()) {
            ("min_pairs", Some(min)) if min > 0 => {
                let message = format!("map must be at least {min} entries");
                out +=
                    &site.refuse_if(&format!("{place}.len() < {min}"), "map.min_pairs", &message);
            }
            ("max_pairs", Some(max)) => {
                let message = format!("map must be at most {max} entries");
                out +=
                    &site.refuse_if(&format!("{place}.len() > {max}"), "map.max_pairs", &message);
            }
            ("min_pairs" | "keys" | "values", _) => {}
            (other, _) => unknown(context, field, &format!("map.{other}")),
        }
    }
    out + &cel::predefined(context, site, ("map", typed), &Type::of_field(field))
}

/// The checks of an item, a key or a value.
fn element(
    context: &mut Context<'_>,
    site: &Site<'_>,
    kind: &Kind,
    rules: &Rules,
    of: &Type,
) -> String {
    if rules.required {
        let rule = format!("{}required", site.prefix);
        context.report(site.field, format!(
            "has the rule `{rule}`, which asks for nothing: what is in a list or map is there; take it away"
        ));
    }
    if rules.ignore == Ignore::Always {
        return String::new();
    }
    let inner = value::of_kind(context, site, kind, rules, of);
    if rules.ignore == Ignore::Zero && !inner.is_empty() {
        let zero = value::is_zero(kind, &site.place);
        format!("if !({zero}) {{\n{inner}}}\n")
    } else {
        inner
    }
}
