//! URIs (RFC 3986, appendix A). Each expression is a rule of its grammar.

use std::sync::LazyLock;

use regex::Regex;

use super::is_ip;

const SCHEME: &str = "[A-Za-z][A-Za-z0-9+.-]*";
const USERINFO: &str = "(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*";
const REG_NAME: &str = "(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*";
/// `pchar`.
const PCHAR: &str = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})";
/// `segment-nz-nc`: what a relative path begins with, so that it is not taken for a scheme.
const NO_COLON: &str = "(?:[A-Za-z0-9._~!$&'()*+,;=@-]|%[0-9A-Fa-f]{2})+";
/// `query` and `fragment`.
const QUERY: &str = "(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*";

/// The two kinds of reference, with the host as a group: `literal` within brackets, or `name`.
struct Grammar {
    uri: Regex,
    relative: Regex,
}

static GRAMMAR: LazyLock<Option<Grammar>> = LazyLock::new(|| {
    let authority = format!(
        "//(?:{USERINFO}@)?(?:\\[(?P<literal>[^\\]]*)\\]|(?P<name>{REG_NAME}))(?::[0-9]*)?(?:/{PCHAR}*)*"
    );
    let absolute = format!("/(?:{PCHAR}+(?:/{PCHAR}*)*)?");
    let end = format!("(?:\\?{QUERY})?(?:#{QUERY})?$");
    let rootless = format!("{PCHAR}+(?:/{PCHAR}*)*");
    let noscheme = format!("{NO_COLON}(?:/{PCHAR}*)*");
    Some(Grammar {
        uri: Regex::new(&format!(
            "^{SCHEME}:(?:{authority}|{absolute}|{rootless}|){end}"
        ))
        .ok()?,
        relative: Regex::new(&format!("^(?:{authority}|{absolute}|{noscheme}|){end}")).ok()?,
    })
});

/// Whether `text` is a URI with its scheme: `https://example.com/a?b#c`.
pub fn is_uri(text: &str) -> bool {
    GRAMMAR
        .as_ref()
        .is_some_and(|grammar| follows(&grammar.uri, text))
}

/// Whether `text` is a URI or a reference relative to one: `/a?b`, `//example.com`, or nothing.
pub fn is_uri_ref(text: &str) -> bool {
    is_uri(text)
        || GRAMMAR
            .as_ref()
            .is_some_and(|grammar| follows(&grammar.relative, text))
}

fn follows(grammar: &Regex, text: &str) -> bool {
    let Some(found) = grammar.captures(text) else {
        return false;
    };
    let literal = found.name("literal").map(|host| host.as_str());
    let name = found.name("name").map(|host| host.as_str());
    literal.is_none_or(is_ip_literal) && name.is_none_or(is_utf8)
}

/// What may stand within brackets: an IPv6 address, with a zone behind `%25` (RFC 6874), or one of a version to come.
fn is_ip_literal(text: &str) -> bool {
    static FUTURE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new("^v[0-9A-Fa-f]+\\.[A-Za-z0-9._~!$&'()*+,;=:-]+$").ok());
    static ZONE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new("^(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+$").ok());
    let matches =
        |form: &Option<Regex>, text: &str| form.as_ref().is_some_and(|form| form.is_match(text));
    match text.split_once("%25") {
        Some((address, zone)) => is_ip(address, 6) && matches(&ZONE, zone) && is_utf8(zone),
        None => (!text.contains('%') && is_ip(text, 6)) || matches(&FUTURE, text),
    }
}

/// Whether what is escaped makes UTF-8 together with the rest.
fn is_utf8(text: &str) -> bool {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = after
            .get(..2)
            .filter(|_| first == b'%')
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(escaped.unwrap_or(first));
        rest = escaped.map_or(after, |_| &after[2..]);
    }
    std::str::from_utf8(&bytes).is_ok()
}
