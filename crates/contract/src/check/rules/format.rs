//! The formats that a text can be asked to have.

use super::ranges::Ranges;

/// Formats with those that they are a part of. Of a header, what is strictly right is loosely right.
const WITHIN: [(&str, &[&str]); 12] = [
    ("ipv4", &["ip", "address"]),
    ("ipv6", &["ip", "address"]),
    ("ip", &["address"]),
    ("hostname", &["address"]),
    ("uri", &["uri_ref"]),
    ("ipv4_with_prefixlen", &["ip_with_prefixlen"]),
    ("ipv6_with_prefixlen", &["ip_with_prefixlen"]),
    ("ip_prefix", &["ip_with_prefixlen"]),
    (
        "ipv4_prefix",
        &["ipv4_with_prefixlen", "ip_prefix", "ip_with_prefixlen"],
    ),
    (
        "ipv6_prefix",
        &["ipv6_with_prefixlen", "ip_prefix", "ip_with_prefixlen"],
    ),
    ("header_name", &["header_name_loose"]),
    ("header_value", &["header_value_loose"]),
];

/// The rules of strings that ask for a format.
pub(super) const STRING: [&str; 20] = [
    "address",
    "email",
    "host_and_port",
    "hostname",
    "ip",
    "ip_prefix",
    "ip_with_prefixlen",
    "ipv4",
    "ipv4_prefix",
    "ipv4_with_prefixlen",
    "ipv6",
    "ipv6_prefix",
    "ipv6_with_prefixlen",
    "protobuf_dot_fqn",
    "protobuf_fqn",
    "tuuid",
    "ulid",
    "uri",
    "uri_ref",
    "uuid",
];
/// Those of bytes.
pub(super) const BYTES: [&str; 4] = ["ip", "ipv4", "ipv6", "uuid"];

/// Whether each text of the format `one` is one of the format `other`.
pub(super) fn within(one: &str, other: &str) -> bool {
    let mut known = WITHIN.iter();
    one == other || known.any(|(format, others)| *format == one && others.contains(&other))
}

/// How long texts of the format are: characters for strings, bytes for bytes.
pub(super) fn lengths(format: &str, is_text: bool) -> Option<Ranges> {
    let lengths: &[i128] = match (format, is_text) {
        ("uuid", true) => &[36],
        ("tuuid", true) => &[32],
        ("ulid", true) => &[26],
        ("uuid" | "ipv6", false) => &[16],
        ("ipv4", false) => &[4],
        ("ip", false) => &[4, 16],
        _ => return None,
    };
    Some(Ranges::points(lengths.iter().copied()))
}

/// Whether the empty text is of the format.
pub(super) fn takes_empty(format: &str) -> bool {
    matches!(format, "uri_ref" | "header_value" | "header_value_loose")
}
