//! Each rule in words.

use prost_reflect::{Kind, Value};

use crate::reference::text;

/// The words for a rule; `""` for what says nothing about the value.
pub(super) fn words(kind: &str, name: &str, value: &Value, of: &Kind) -> String {
    let is_on = value.as_bool().unwrap_or(true);
    match (kind, name) {
        (_, "example") => example(value),
        (_, "const") => format!("must be {}", shown(value, of)),
        (_, "in") => format!("one of {}", shown(value, of)),
        (_, "not_in") if value.as_list().is_some_and(|items| items.len() == 1) => {
            format!("not {}", shown(value, of))
        }
        (_, "not_in") => format!("none of {}", shown(value, of)),
        ("string", _) => string(name, value, is_on),
        ("bytes", _) => bytes(name, value, is_on),
        ("repeated" | "map", _) => collection(name, value, is_on),
        ("enum", "defined_only") if is_on => "a value that the enum has".to_owned(),
        ("timestamp", "lt_now") if is_on => "in the past".to_owned(),
        ("timestamp", "gt_now") if is_on => "in the future".to_owned(),
        ("timestamp", "within") => format!("within {} of now", shown(value, of)),
        ("timestamp", "lt") => format!("before {}", shown(value, of)),
        ("timestamp", "lte") => format!("not after {}", shown(value, of)),
        ("timestamp", "gt") => format!("after {}", shown(value, of)),
        ("timestamp", "gte") => format!("not before {}", shown(value, of)),
        (_, "lt") => format!("less than {}", shown(value, of)),
        (_, "lte") => format!("at most {}", shown(value, of)),
        (_, "gt") => format!("more than {}", shown(value, of)),
        (_, "gte") => format!("at least {}", shown(value, of)),
        (_, "finite") if is_on => "a finite number".to_owned(),
        _ if !is_on => String::new(),
        // A rule that is newer than this list is still told of.
        _ => format!("{kind}.{name}: {}", shown(value, of)),
    }
}

/// Numbers of an enum by their names.
fn shown(value: &Value, of: &Kind) -> String {
    let Kind::Enum(known) = of else {
        return text::value(value);
    };
    let name = |value: &Value| {
        let number = value.as_i32().or_else(|| value.as_enum_number());
        let found = number.and_then(|number| known.get_value(number));
        found.map_or_else(|| text::value(value), |found| format!("`{}`", found.name()))
    };
    match value.as_list() {
        Some(items) => items.iter().map(name).collect::<Vec<_>>().join(", "),
        None => name(value),
    }
}

fn example(value: &Value) -> String {
    let items = value.as_list().unwrap_or_default();
    if items.is_empty() {
        String::new()
    } else {
        format!("for example {}", text::list(items))
    }
}

/// `1 character`, `2 characters`.
fn count(value: &Value, one: &str, many: &str) -> String {
    let number = text::value(value);
    let unit = if number == "1" { one } else { many };
    format!("{number} {unit}")
}

fn string(name: &str, value: &Value, is_on: bool) -> String {
    let characters = || count(value, "character", "characters");
    let bytes = || count(value, "byte", "bytes");
    let shown = || text::value(value);
    match name {
        "len" => format!("exactly {}", characters()),
        "min_len" => format!("at least {}", characters()),
        "max_len" => format!("at most {}", characters()),
        "len_bytes" => format!("exactly {} of UTF-8", bytes()),
        "min_bytes" => format!("at least {} of UTF-8", bytes()),
        "max_bytes" => format!("at most {} of UTF-8", bytes()),
        "pattern" => format!("matches {}", shown()),
        "prefix" => format!("begins with {}", shown()),
        "suffix" => format!("ends with {}", shown()),
        "contains" => format!("contains {}", shown()),
        "not_contains" => format!("does not contain {}", shown()),
        "well_known_regex" => match value.as_enum_number() {
            Some(1) => "the name of an HTTP header".to_owned(),
            Some(2) => "the value of an HTTP header".to_owned(),
            _ => String::new(),
        },
        "strict" if !is_on => "checked loosely: only line breaks and NUL are refused".to_owned(),
        "strict" => String::new(),
        _ if is_on => format(name),
        _ => String::new(),
    }
}

/// The formats of texts.
fn format(name: &str) -> String {
    match name {
        "email" => "an email address",
        "hostname" => "a host name",
        "ip" => "an IP address",
        "ipv4" => "an IPv4 address",
        "ipv6" => "an IPv6 address",
        "uri" => "a URI",
        "uri_ref" => "a URI or a relative reference",
        "address" => "a host name or an IP address",
        "uuid" => "a UUID",
        "tuuid" => "a UUID without hyphens",
        "ulid" => "a ULID",
        "ip_with_prefixlen" => "an IP address with a prefix length",
        "ipv4_with_prefixlen" => "an IPv4 address with a prefix length",
        "ipv6_with_prefixlen" => "an IPv6 address with a prefix length",
        "ip_prefix" => "an IP prefix",
        "ipv4_prefix" => "an IPv4 prefix",
        "ipv6_prefix" => "an IPv6 prefix",
        "host_and_port" => "a host and a port",
        "protobuf_fqn" => "the full name of a protobuf element",
        "protobuf_dot_fqn" => "the full name of a protobuf element, with a dot before it",
        other => return format!("string.{other}"),
    }
    .to_owned()
}

fn bytes(name: &str, value: &Value, is_on: bool) -> String {
    let size = || match value.as_u64() {
        Some(1) => "1 byte".to_owned(),
        Some(size) => text::bytes(size),
        None => text::value(value),
    };
    match name {
        "len" => format!("exactly {}", size()),
        "min_len" => format!("at least {}", size()),
        "max_len" => format!("at most {}", size()),
        "ip" if is_on => "an IP address in 4 or 16 bytes".to_owned(),
        "ipv4" if is_on => "an IPv4 address in 4 bytes".to_owned(),
        "ipv6" if is_on => "an IPv6 address in 16 bytes".to_owned(),
        "uuid" if is_on => "a UUID in 16 bytes".to_owned(),
        "ip" | "ipv4" | "ipv6" | "uuid" => String::new(),
        _ => string(name, value, is_on),
    }
}

fn collection(name: &str, value: &Value, is_on: bool) -> String {
    match name {
        "min_items" => format!("at least {}", count(value, "item", "items")),
        "max_items" => format!("at most {}", count(value, "item", "items")),
        "min_pairs" => format!("at least {}", count(value, "pair", "pairs")),
        "max_pairs" => format!("at most {}", count(value, "pair", "pairs")),
        "unique" if is_on => "no item twice".to_owned(),
        "unique" => String::new(),
        other => format!("{other}: {}", text::value(value)),
    }
}
