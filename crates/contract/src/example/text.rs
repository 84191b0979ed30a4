//! Texts and bytes that are valid by their rules.

use prost_reflect::Value;

use super::{bytes_of, first_example, pattern, size};
use crate::reference::Rules;

/// Of each format one, and a second one for lists whose items differ.
const FORMATS: [(&str, [&str; 2]); 22] = [
    (
        "uuid",
        [
            "0197c9a2-4d5e-7b3a-9c41-5f2e8d6a7b10",
            "0197c9a2-4d5e-7b3a-9c41-5f2e8d6a7b11",
        ],
    ),
    (
        "tuuid",
        [
            "0197c9a24d5e7b3a9c415f2e8d6a7b10",
            "0197c9a24d5e7b3a9c415f2e8d6a7b11",
        ],
    ),
    (
        "ulid",
        ["01JZ4T4KAYFCX9RGAZ5T6PMYRG", "01JZ4T4KAYFCX9RGAZ5T6PMYRH"],
    ),
    ("email", ["ada@example.com", "grace@example.com"]),
    ("hostname", ["example.com", "example.org"]),
    ("ip", ["192.0.2.1", "192.0.2.2"]),
    ("ipv4", ["192.0.2.1", "192.0.2.2"]),
    ("ipv6", ["2001:db8::1", "2001:db8::2"]),
    ("uri", ["https://example.com/a", "https://example.com/b"]),
    ("uri_ref", ["/a", "/b"]),
    ("address", ["example.com", "192.0.2.1"]),
    ("ip_with_prefixlen", ["192.0.2.1/24", "192.0.2.2/24"]),
    ("ipv4_with_prefixlen", ["192.0.2.1/24", "192.0.2.2/24"]),
    ("ipv6_with_prefixlen", ["2001:db8::1/64", "2001:db8::2/64"]),
    ("ip_prefix", ["192.0.2.0/24", "198.51.100.0/24"]),
    ("ipv4_prefix", ["192.0.2.0/24", "198.51.100.0/24"]),
    ("ipv6_prefix", ["2001:db8::/64", "2001:db8:1::/64"]),
    ("host_and_port", ["example.com:443", "example.org:443"]),
    ("protobuf_fqn", ["example.v1.Thing", "example.v1.Other"]),
    (
        "protobuf_dot_fqn",
        [".example.v1.Thing", ".example.v1.Other"],
    ),
    ("well_known_regex", ["x-example", "x-other"]),
    ("pattern", ["", ""]),
];

/// A text for the field `name`; `index` makes those of a list differ.
pub(super) fn string(rules: &Rules, name: &str, index: usize) -> String {
    if let Some(text) = rules.get("const").and_then(Value::as_str) {
        return text.to_owned();
    }
    if let Some(items) = rules.get("in").and_then(Value::as_list)
        && let Some(text) = items.get(index).or(items.first()).and_then(Value::as_str)
    {
        return text.to_owned();
    }
    if let Some(Value::String(text)) = first_example(rules) {
        return text;
    }
    let exact = size(rules, &["len", "len_bytes"]);
    let least = exact
        .or(size(rules, &["min_len", "min_bytes"]))
        .unwrap_or(0);
    let most = exact
        .or(size(rules, &["max_len", "max_bytes"]))
        .unwrap_or(usize::MAX);
    if let Some(Value::String(wanted)) = rules.get("pattern")
        && let Some(text) = pattern::matching(wanted, least)
    {
        return text;
    }
    let formats = FORMATS
        .iter()
        .filter(|(format, _)| rules.get(format).is_some());
    if let Some((_, examples)) = formats.into_iter().next()
        && !examples[0].is_empty()
    {
        return examples[index % 2].to_owned();
    }
    let part = |name: &str| rules.get(name).and_then(Value::as_str).unwrap_or_default();
    let (prefix, suffix) = (part("prefix"), part("suffix"));
    let mut middle = part("contains").to_owned();
    if middle.is_empty() {
        middle = guess(name);
    }
    if index > 0 {
        middle.push_str(&(index + 1).to_string());
    }
    let fixed = prefix.chars().count() + suffix.chars().count();
    let length = middle.chars().count() + fixed;
    if length < least {
        middle.extend(std::iter::repeat_n('x', least - length));
    } else if length > most {
        middle = middle.chars().take(most.saturating_sub(fixed)).collect();
    }
    format!("{prefix}{middle}{suffix}")
}

/// Words for people: what the name of the field says of it.
fn guess(name: &str) -> String {
    match name {
        name if name.ends_with("url") || name.ends_with("uri") => "https://example.com/file",
        name if name.ends_with("etag") => "1",
        name if name.ends_with("name") => "Ada",
        _ => "text",
    }
    .to_owned()
}

/// Bytes, in base64.
pub(super) fn bytes(rules: &Rules) -> String {
    let listed = rules
        .get("in")
        .and_then(Value::as_list)
        .and_then(<[Value]>::first);
    let fixed = rules
        .get("const")
        .and_then(bytes_of)
        .or_else(|| listed.and_then(bytes_of));
    let fixed = fixed.or_else(|| first_example(rules).and_then(|value| bytes_of(&value)));
    base64(&fixed.unwrap_or_else(|| made(rules)))
}

fn made(rules: &Rules) -> Vec<u8> {
    if let Some(Value::String(wanted)) = rules.get("pattern")
        && let Some(text) = pattern::matching(wanted, size(rules, &["len", "min_len"]).unwrap_or(1))
    {
        return text.into_bytes();
    }
    let is = |name: &str| rules.get(name).is_some();
    let format = if is("ipv6") || is("uuid") {
        Some(16)
    } else if is("ip") || is("ipv4") {
        Some(4)
    } else {
        None
    };
    let part = |name: &str| rules.get(name).and_then(bytes_of).unwrap_or_default();
    let exact = format.or(size(rules, &["len"]));
    let (prefix, middle, suffix) = (part("prefix"), part("contains"), part("suffix"));
    let fixed = prefix.len() + middle.len() + suffix.len();
    let most = exact.or(size(rules, &["max_len"])).unwrap_or(usize::MAX);
    let wanted = exact
        .or(size(rules, &["min_len"]))
        .unwrap_or(3)
        .max(3)
        .min(most);
    let fill = b"example"
        .iter()
        .copied()
        .cycle()
        .take(wanted.saturating_sub(fixed));
    prefix
        .into_iter()
        .chain(middle)
        .chain(fill)
        .chain(suffix)
        .collect()
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for position in 0..4 {
            if position <= chunk.len() {
                let index = (bits >> (18 - 6 * position)) & 63;
                let letter = ALPHABET.get(usize::try_from(index).unwrap_or(0));
                out.extend(letter.map(|letter| char::from(*letter)));
            } else {
                out.push('=');
            }
        }
    }
    out
}
