//! The formats that rules name, as protovalidate defines them: `string.email`, `isHostname()` and so on.

mod ip;
mod uri;

use std::sync::LazyLock;

use regex::Regex;

pub use ip::{is_ip, is_ip_prefix};
pub use uri::{is_uri, is_uri_ref};

/// A regular expression of this file.
struct Form(LazyLock<Option<Regex>>);

impl Form {
    const fn new(compile: fn() -> Option<Regex>) -> Self {
        Self(LazyLock::new(compile))
    }

    fn matches(&self, text: &str) -> bool {
        self.0.as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

/// Whether `text` has the form of a UUID: 8-4-4-4-12 hexadecimal digits.
pub fn is_uuid(text: &str) -> bool {
    let Ok(bytes) = <&[u8; 36]>::try_from(text.as_bytes()) else {
        return false;
    };
    // Without a branch for each byte, so that several are checked at once.
    let (mut right, mut dashes) = (true, 0_u8);
    for byte in bytes {
        let dash = *byte == b'-';
        dashes += u8::from(dash);
        right &= dash | (byte.wrapping_sub(b'0') < 10) | ((byte | 0x20).wrapping_sub(b'a') < 6);
    }
    right && dashes == 4 && [8, 13, 18, 23].iter().all(|at| bytes[*at] == b'-')
}

/// Whether `text` is a UUID without its dashes: 32 hexadecimal digits.
pub fn is_tuuid(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether `text` is a ULID: 26 digits of Crockford's base 32, the first of them at most 7.
pub fn is_ulid(text: &str) -> bool {
    text.len() == 26
        && matches!(text.as_bytes().first(), Some(b'0'..=b'7'))
        && text.bytes().all(|b| {
            b.is_ascii_alphanumeric()
                && !matches!(b.to_ascii_uppercase(), b'I' | b'L' | b'O' | b'U')
        })
}

/// Whether `text` is a mail address as HTML defines it (WHATWG HTML, section 4.10.5.1.5).
pub fn is_email(text: &str) -> bool {
    static EMAIL: Form = Form::new(|| {
        Regex::new(
            "^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\
             (?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$",
        )
        .ok()
    });
    EMAIL.matches(text)
}

/// Whether `text` is a hostname (RFC 1034, section 3.5): labels of at most 63 letters, digits and inner dashes, at most 253
/// bytes without the dot that may end it. The last label is not all digits.
pub fn is_hostname(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253 && name.split('.').all(label) && !last.bytes().all(|b| b.is_ascii_digit())
}

/// Whether `text` is a hostname or an IP address.
pub fn is_address(text: &str) -> bool {
    is_hostname(text) || is_ip(text, 0)
}

/// Whether `text` is a hostname, an IPv4 address or an IPv6 address in brackets, with `:port` behind it. The port may be
/// missing unless it is required.
pub fn is_host_and_port(text: &str, port_required: bool) -> bool {
    if let Some(rest) = text.strip_prefix('[') {
        let Some((host, rest)) = rest.rsplit_once(']') else {
            return false;
        };
        let port = match rest.strip_prefix(':') {
            Some(port) => is_port(port),
            None => rest.is_empty() && !port_required,
        };
        return port && is_ip(host, 6);
    }
    let is_host = |host: &str| is_hostname(host) || is_ip(host, 4);
    match text.rsplit_once(':') {
        Some((host, port)) => is_host(host) && is_port(port),
        None => !port_required && is_host(text),
    }
}

/// 0 to 65535, without a zero before it.
fn is_port(text: &str) -> bool {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits && (text == "0" || !text.starts_with('0')) && text.parse::<u16>().is_ok()
}

/// Whether `text` can be the name of a header (RFC 9110, section 5.1), a pseudo header's too. If not strictly, anything but a
/// line feed, a carriage return or NUL is taken.
pub fn is_header_name(text: &str, strict: bool) -> bool {
    if !strict {
        return !text.is_empty() && is_header_value(text, false);
    }
    let name = text.strip_prefix(':').unwrap_or(text);
    // The range from + to . holds the comma, which is no token: as protovalidate has it.
    !name.is_empty()
        && name.bytes().all(|b| {
            b.is_ascii_alphanumeric()
                || matches!(b, b'!' | b'#'..=b'\'' | b'*'..=b'.' | b'^'..=b'`' | b'|' | b'~')
        })
}

/// Whether `text` can be the value of a header (RFC 9110, section 5.5): no control characters but the tabulator. If not
/// strictly, anything but a line feed, a carriage return or NUL is taken.
pub fn is_header_value(text: &str, strict: bool) -> bool {
    text.bytes().all(|b| {
        if strict {
            b == b'\t' || !b.is_ascii_control()
        } else {
            !matches!(b, 0 | b'\n' | b'\r')
        }
    })
}

/// Whether `text` is the full name of something in a contract: `scribemed.auth.v1.AuthService`.
pub fn is_protobuf_fqn(text: &str) -> bool {
    text.split('.').all(|part| {
        let starts = |b: &u8| b.is_ascii_alphabetic() || *b == b'_';
        part.as_bytes().first().is_some_and(starts)
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

/// The same with a dot before it.
pub fn is_protobuf_dot_fqn(text: &str) -> bool {
    text.strip_prefix('.').is_some_and(is_protobuf_fqn)
}

#[cfg(test)]
mod tests;
