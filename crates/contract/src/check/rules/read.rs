//! From the options `buf.validate` to what they accept.

use std::collections::BTreeSet;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage as _, Value};
use scribemed_codegen::options::{Fields as _, extension};

use super::flat::{self, show};
use super::format;
use super::model::{
    Accepted, BYTES, CHARACTERS, CONTAINS, COUNT, FORMAT, Limit, Limits, ONE_OF, PATTERN, PREFIX,
    SUFFIX, takes_zero,
};
use super::number;
use super::ranges::Ranges;
use super::verdict::Verdict;
use crate::check::elements::Element as _;
use crate::reference::is_in_oneof_rule;

const RULES: &str = "buf.validate.field";
const IF_ZERO: i32 = 1;
const ALWAYS: i32 = 3;

/// The rules of a field, as written.
pub(super) fn rules(field: &FieldDescriptor) -> Option<DynamicMessage> {
    extension(field.parent_pool(), &field.element_options(), RULES)
}

/// What a field accepts.
pub(super) fn field(field: &FieldDescriptor) -> Accepted {
    match rules(field) {
        None => Accepted::everything(),
        Some(mut rules) => {
            let has_presence = field.supports_presence() && !field.is_list() && !field.is_map();
            if is_in_oneof_rule(field) && rules.value("ignore").is_none() {
                let _ = rules.try_set_field_by_name("ignore", Value::EnumNumber(IF_ZERO));
            }
            accepted(&rules, &field.kind(), has_presence)
        }
    }
}

/// What rules accept. `kind` is the type of the value, or of the items.
fn accepted(rules: &DynamicMessage, kind: &Kind, has_presence: bool) -> Accepted {
    let ignore = rules.enumerator("ignore").unwrap_or(0);
    if ignore == ALWAYS {
        return Accepted::everything();
    }
    let required = rules.flag("required").unwrap_or(false);
    let mut limits = Limits::new();
    flat::expressions(rules, &mut limits);
    for (field, value) in rules.fields() {
        match (field.name(), value) {
            ("cel" | "cel_expression" | "required" | "ignore", _) => {}
            (family, Value::Message(rules)) => self::family(family, rules, kind, &mut limits),
            (other, value) => {
                limits.insert(other.to_owned(), Limit::Opaque(show(value)));
            }
        }
    }
    flat::unknown(rules, &mut limits);
    // A value that was sent is none that was left out, were it the zero value.
    let zero = if ignore == IF_ZERO && !has_presence {
        Verdict::Yes
    } else if required && !has_presence {
        Verdict::No
    } else {
        takes_zero(&limits)
    };
    Accepted {
        absent: if has_presence {
            (!required).into()
        } else {
            zero
        },
        zero,
        limits,
    }
}

pub(super) fn family(family: &str, rules: &DynamicMessage, kind: &Kind, limits: &mut Limits) {
    flat::unknown(rules, limits);
    match family {
        "string" => text(rules, CHARACTERS, true, limits),
        "bytes" => text(rules, BYTES, false, limits),
        "repeated" => collection(rules, "items", kind, limits),
        "map" => collection(rules, "pairs", kind, limits),
        "any" | "field_mask" => names(rules, limits),
        _ => number::family(family, rules, kind, limits),
    }
}

/// Lengths from 0.
fn lengths(rules: &DynamicMessage, exactly: &str, min: &str, max: &str) -> Option<Limit> {
    let number = |name: &str| rules.number(name).map(i128::from);
    let of = Ranges::between(0, i128::from(u64::MAX));
    let (exactly, min, max) = (number(exactly), number(min), number(max));
    exactly.or(min).or(max)?;
    let between = Ranges::between(min.unwrap_or(0), max.unwrap_or(i128::from(u64::MAX)));
    let accepted = match exactly {
        None => between,
        Some(exactly) => between.and(&Ranges::points([exactly])),
    };
    Some(Limit::In { accepted, of })
}

fn text(rules: &DynamicMessage, unit: &str, is_text: bool, limits: &mut Limits) {
    let bytes = |value: &Value| {
        let text = value.as_str().map(|text| text.as_bytes().to_vec());
        text.or_else(|| value.as_bytes().map(|bytes| bytes.to_vec()))
    };
    let set =
        |name: &str| -> BTreeSet<Vec<u8>> { rules.list(name).iter().filter_map(bytes).collect() };
    let part = |name: &str| rules.value(name).as_ref().and_then(bytes);
    let mut put = |key: &str, limit: Option<Limit>| {
        if let Some(limit) = limit {
            limits.insert(key.to_owned(), limit);
        }
    };
    put(unit, lengths(rules, "len", "min_len", "max_len"));
    if is_text {
        put(BYTES, lengths(rules, "len_bytes", "min_bytes", "max_bytes"));
    }
    let one_of = match part("const") {
        Some(only) => BTreeSet::from([only]),
        None => set("in"),
    };
    put(ONE_OF, (!one_of.is_empty()).then_some(Limit::OneOf(one_of)));
    let none_of = set("not_in");
    put(
        "none of",
        (!none_of.is_empty()).then_some(Limit::NoneOf(none_of)),
    );
    put(PREFIX, part("prefix").map(Limit::Prefix));
    put(SUFFIX, part("suffix").map(Limit::Suffix));
    put(CONTAINS, part("contains").map(Limit::Contains));
    put("lacks", part("not_contains").map(Limit::Lacks));
    put(PATTERN, rules.text("pattern").map(Limit::Pattern));
    let formats: &[&str] = if is_text {
        &format::STRING
    } else {
        &format::BYTES
    };
    let plain = formats.iter().find(|name| rules.flag(name) == Some(true));
    let strict = rules.flag("strict").unwrap_or(true);
    let named = match rules.enumerator("well_known_regex").unwrap_or(0) {
        1 => Some(if strict {
            "header_name"
        } else {
            "header_name_loose"
        }),
        2 => Some(if strict {
            "header_value"
        } else {
            "header_value_loose"
        }),
        _ => plain.copied(),
    };
    put(
        FORMAT,
        named.map(|format| Limit::Format(format.to_owned(), is_text)),
    );
    let known = [
        "const",
        "len",
        "min_len",
        "max_len",
        "len_bytes",
        "min_bytes",
        "max_bytes",
        "pattern",
        "prefix",
        "suffix",
        "contains",
        "not_contains",
        "in",
        "not_in",
        "well_known_regex",
        "strict",
    ];
    flat::others(
        rules,
        |name| known.contains(&name) || formats.contains(&name),
        limits,
    );
}

fn collection(rules: &DynamicMessage, unit: &str, kind: &Kind, limits: &mut Limits) {
    let (min, max) = (format!("min_{unit}"), format!("max_{unit}"));
    if let Some(limit) = lengths(rules, "", &min, &max) {
        limits.insert(COUNT.to_owned(), limit);
    }
    if rules.flag("unique") == Some(true) {
        limits.insert("unique".to_owned(), Limit::Condition);
    }
    let entry = kind.as_message().filter(|entry| entry.is_map_entry());
    for part in ["items", "keys", "values"] {
        let Some(rules) = rules.message(part) else {
            continue;
        };
        let kind = match (part, entry) {
            ("keys", Some(entry)) => entry.map_entry_key_field().kind(),
            ("values", Some(entry)) => entry.map_entry_value_field().kind(),
            _ => kind.clone(),
        };
        let each = accepted(&rules, &kind, false);
        limits.insert(part.to_owned(), Limit::Each(Box::new(each)));
    }
    let known = [min.as_str(), &max, "unique", "items", "keys", "values"];
    flat::others(rules, |name| known.contains(&name), limits);
}

/// Types of an `Any`, paths of a field mask.
fn names(rules: &DynamicMessage, limits: &mut Limits) {
    let is_mask = rules.descriptor().name() == "FieldMaskRules";
    for name in ["in", "not_in"] {
        let names: BTreeSet<String> = rules
            .list(name)
            .iter()
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect();
        if names.is_empty() {
            continue;
        }
        let bytes = || names.iter().map(|name| name.as_bytes().to_vec()).collect();
        let limit = match (is_mask, name) {
            (true, "in") => Limit::Paths(names),
            (true, _) => Limit::NoPaths(names),
            (false, "in") => Limit::OneOf(bytes()),
            (false, _) => Limit::NoneOf(bytes()),
        };
        let key = if name == "in" { ONE_OF } else { "none of" };
        limits.insert(key.to_owned(), limit);
    }
    flat::others(rules, |name| ["in", "not_in"].contains(&name), limits);
}
