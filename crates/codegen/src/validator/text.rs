//! The rules of strings.

use prost_reflect::{DynamicMessage, Value};

use super::bounds::{self, shown};
use super::rules::{lengths, unknown};
use super::site::Site;
use super::{Context, VALIDATE, pattern};
use crate::options::Fields as _;

/// A format that strings can be held to.
struct Format {
    /// The name of its rule.
    rule: &'static str,
    /// The expression that checks it, with `$` for the text.
    check: &'static str,
    /// What the value must be: `must be a valid …`.
    what: &'static str,
    /// What an empty value is not, where it has a rule id of its own.
    empty: Option<&'static str>,
}

const fn format(rule: &'static str, check: &'static str, what: &'static str) -> Format {
    Format {
        rule,
        check,
        what,
        empty: Some(what),
    }
}

const FORMATS: [Format; 20] = [
    format("email", "is_email($)", "email address"),
    format("hostname", "is_hostname($)", "hostname"),
    format("ip", "is_ip($, 0)", "IP address"),
    format("ipv4", "is_ip($, 4)", "IPv4 address"),
    format("ipv6", "is_ip($, 6)", "IPv6 address"),
    format("uri", "is_uri($)", "URI"),
    Format {
        rule: "uri_ref",
        check: "is_uri_ref($)",
        what: "URI Reference",
        empty: None,
    },
    format("address", "is_address($)", "hostname, or ip address"),
    format("uuid", "is_uuid($)", "UUID"),
    format("tuuid", "is_tuuid($)", "trimmed UUID"),
    format(
        "ip_with_prefixlen",
        "is_ip_prefix($, 0, false)",
        "IP prefix",
    ),
    format(
        "ipv4_with_prefixlen",
        "is_ip_prefix($, 4, false)",
        "IPv4 address with prefix length",
    ),
    format(
        "ipv6_with_prefixlen",
        "is_ip_prefix($, 6, false)",
        "IPv6 address with prefix length",
    ),
    format("ip_prefix", "is_ip_prefix($, 0, true)", "IP prefix"),
    format("ipv4_prefix", "is_ip_prefix($, 4, true)", "IPv4 prefix"),
    format("ipv6_prefix", "is_ip_prefix($, 6, true)", "IPv6 prefix"),
    Format {
        rule: "host_and_port",
        check: "is_host_and_port($, true)",
        what: "host (hostname or IP address) and port pair",
        empty: Some("host and port pair"),
    },
    format("ulid", "is_ulid($)", "ULID"),
    format(
        "protobuf_fqn",
        "is_protobuf_fqn($)",
        "fully-qualified Protobuf name",
    ),
    format(
        "protobuf_dot_fqn",
        "is_protobuf_dot_fqn($)",
        "fully-qualified Protobuf name with a leading dot",
    ),
];

pub(super) fn checks(context: &mut Context<'_>, site: &Site<'_>, typed: &DynamicMessage) -> String {
    let (field, place) = (site.field, &site.place);
    lengths(context, field, typed, ["len", "min_len", "max_len"]);
    lengths(
        context,
        field,
        typed,
        ["len_bytes", "min_bytes", "max_bytes"],
    );
    let texts = |name: &str| -> Vec<String> {
        let list = typed.list(name);
        list.iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect()
    };
    let (allowed, forbidden) = (texts("in"), texts("not_in"));
    bounds::sets(
        context,
        site,
        typed.text("const").as_ref(),
        &allowed,
        &forbidden,
    );
    let is_in = |items: &[String]| {
        let items: Vec<String> = items.iter().map(|item| format!("{item:?}")).collect();
        format!("matches!(&{place}[..], {})", items.join(" | "))
    };
    let mut out = String::new();
    for (rule, value) in typed.fields() {
        let name = rule.name();
        let id = format!("string.{name}");
        let number = value.as_u64().and_then(|n| length(place, name, n));
        let simple = number.or_else(|| part(place, name, value.as_str()?));
        if let Some((condition, message)) = simple {
            out += &site.refuse_if(&condition, &id, &message);
            continue;
        }
        out += &match (name, value) {
            ("pattern", Value::String(text)) => {
                let matches = pattern::of_rule(context, field, text, &format!("&{place}"));
                let message = format!("does not match regex pattern `{text}`");
                site.refuse_if(&format!("!{matches}"), &id, &message)
            }
            ("in", _) => {
                let message = format!(
                    "must be in list {}",
                    shown(allowed.iter().map(|item| &**item))
                );
                site.refuse_if(&format!("!{}", is_in(&allowed)), &id, &message)
            }
            ("not_in", _) => {
                let message = format!(
                    "must not be in list {}",
                    shown(forbidden.iter().map(|item| &**item))
                );
                site.refuse_if(&is_in(&forbidden), &id, &message)
            }
            ("well_known_regex", value) => header(context, site, value, typed.flag("strict")),
            ("min_len" | "strict" | "example", _) => String::new(),
            (name, value) => match FORMATS.iter().find(|format| format.rule == name) {
                Some(_) if value.as_bool() == Some(false) => String::new(),
                Some(format) => format.checks(site),
                None => {
                    unknown(context, field, &format!("{}{id}", site.prefix));
                    String::new()
                }
            },
        };
    }
    out
}

/// When the rule `name` of a length is broken, and what is said then. None for a length that every text has.
fn length(place: &str, name: &str, n: u64) -> Option<(String, String)> {
    let count = format!("{place}.chars().count()");
    let condition = match (name, n) {
        ("min_len", 0) => return None,
        ("min_len", 1) => format!("{place}.is_empty()"),
        // A character has one to four bytes, so that most texts are settled without counting.
        ("min_len", n) => format!("{place}.len() < {} && {count} < {n}", n.saturating_mul(4)),
        ("max_len", n) => format!("{place}.len() > {n} && {count} > {n}"),
        ("len", n) => format!("{count} != {n}"),
        ("len_bytes", n) => format!("{place}.len() != {n}"),
        ("min_bytes", n) => format!("{place}.len() < {n}"),
        ("max_bytes", n) => format!("{place}.len() > {n}"),
        _ => return None,
    };
    let relation = match &name[..3] {
        "min" => "at least ",
        "max" => "at most ",
        _ => "",
    };
    let unit = if name.ends_with("bytes") {
        "bytes"
    } else {
        "characters"
    };
    Some((condition, format!("must be {relation}{n} {unit}")))
}

/// When the rule `name` of a text, or of a part of one, is broken, and what is said then.
fn part(place: &str, name: &str, text: &str) -> Option<(String, String)> {
    Some(match name {
        "const" => (
            format!("{place} != {text:?}"),
            format!("must equal `{text}`"),
        ),
        "prefix" => (
            format!("!{place}.starts_with({text:?})"),
            format!("does not have prefix `{text}`"),
        ),
        "suffix" => (
            format!("!{place}.ends_with({text:?})"),
            format!("does not have suffix `{text}`"),
        ),
        "contains" => (
            format!("!{place}.contains({text:?})"),
            format!("does not contain substring `{text}`"),
        ),
        "not_contains" => (
            format!("{place}.contains({text:?})"),
            format!("contains substring `{text}`"),
        ),
        _ => return None,
    })
}

impl Format {
    fn checks(&self, site: &Site<'_>) -> String {
        let id = format!("string.{}", self.rule);
        let check = self.check.replace('$', &format!("&{}", site.place));
        let wrong = site.refuse_if(
            &format!("!{VALIDATE}::formats::{check}"),
            &id,
            &format!("must be a valid {}", self.what),
        );
        match self.empty {
            None => wrong,
            Some(what) => or_empty(site, &id, &id, what, &wrong),
        }
    }
}

/// Refuses an empty text in words of its own, and another one by `wrong`.
fn or_empty(site: &Site<'_>, id: &str, rule_path: &str, what: &str, wrong: &str) -> String {
    let empty = site.refuse_by(
        &format!("{}.is_empty()", site.place),
        &format!("{id}_empty"),
        rule_path,
        &format!("value is empty, which is not a valid {what}"),
    );
    format!("{} else {wrong}", empty.trim_end())
}

/// The checks of `well_known_regex`, strict unless the contract says otherwise.
fn header(
    context: &mut Context<'_>,
    site: &Site<'_>,
    value: &Value,
    strict: Option<bool>,
) -> String {
    let strict = strict.unwrap_or(true);
    let rule = "string.well_known_regex";
    let wrong = |what: &str| {
        site.refuse_by(
            &format!(
                "!{VALIDATE}::formats::is_header_{what}(&{}, {strict})",
                site.place
            ),
            &format!("{rule}.header_{what}"),
            rule,
            &format!("must be a valid HTTP header {what}"),
        )
    };
    match value.as_enum_number() {
        Some(0) => String::new(),
        Some(1) => or_empty(
            site,
            &format!("{rule}.header_name"),
            rule,
            "HTTP header name",
            &wrong("name"),
        ),
        Some(2) => wrong("value"),
        _ => {
            unknown(context, site.field, &format!("{}{rule}", site.prefix));
            String::new()
        }
    }
}
