//! The rules of bytes.

use prost_reflect::{DynamicMessage, Value};

use super::bounds::{self, shown};
use super::rules::{lengths, unknown};
use super::site::Site;
use super::{Context, pattern};
use crate::options::Fields as _;

pub(super) fn checks(context: &mut Context<'_>, site: &Site<'_>, typed: &DynamicMessage) -> String {
    let (field, place) = (site.field, &site.place);
    lengths(context, field, typed, ["len", "min_len", "max_len"]);
    let list = |name: &str| -> Vec<Vec<u8>> {
        let list = typed.list(name);
        list.iter()
            .filter_map(|item| item.as_bytes().map(|item| item.to_vec()))
            .collect()
    };
    let (allowed, forbidden) = (list("in"), list("not_in"));
    let constant = typed
        .value("const")
        .and_then(|value| value.as_bytes().map(|value| value.to_vec()));
    bounds::sets(context, site, constant.as_ref(), &allowed, &forbidden);
    let mut out = String::new();
    for (rule, value) in typed.fields() {
        let name = rule.name();
        let id = format!("bytes.{name}");
        let mut refuse =
            |condition: String, message: String| out += &site.refuse_if(&condition, &id, &message);
        match (name, value) {
            ("const", Value::Bytes(bytes)) => {
                refuse(
                    format!("{place}[..] != *{}", literal(bytes)),
                    format!("must be {}", hex(bytes)),
                );
            }
            ("len", Value::U64(n)) => {
                refuse(
                    format!("{place}.len() != {n}"),
                    format!("must be {n} bytes"),
                );
            }
            ("min_len", Value::U64(n)) => {
                refuse(
                    format!("{place}.len() < {n}"),
                    format!("must be at least {n} bytes"),
                );
            }
            ("max_len", Value::U64(n)) => {
                refuse(
                    format!("{place}.len() > {n}"),
                    format!("must be at most {n} bytes"),
                );
            }
            ("pattern", Value::String(text)) => {
                let text = text.clone();
                let matches = pattern::of_rule(context, field, &text, "text");
                let message = format!("must match regex pattern `{text}`");
                let wrong = site.refuse_if(&format!("!{matches}"), &id, &message);
                let failed = site.violation(
                    &id,
                    &id,
                    "\"must be valid UTF-8 to be matched with a pattern\"",
                );
                out += &format!(
                    "match ::core::str::from_utf8(&{place}) {{
                        Ok(text) => {{ {wrong} }}
                        Err(_) => out.push({failed}.failed()),
                    }}\n"
                );
            }
            ("prefix", Value::Bytes(bytes)) => refuse(
                format!("!{place}.starts_with({})", literal(bytes)),
                format!("does not have prefix {}", hex(bytes)),
            ),
            ("suffix", Value::Bytes(bytes)) => refuse(
                format!("!{place}.ends_with({})", literal(bytes)),
                format!("does not have suffix {}", hex(bytes)),
            ),
            ("contains", Value::Bytes(bytes)) if !bytes.is_empty() => refuse(
                format!(
                    "!{place}.windows({}).any(|window| window == {})",
                    bytes.len(),
                    literal(bytes)
                ),
                format!("does not contain {}", hex(bytes)),
            ),
            ("in", _) => refuse(
                format!("!{}", is_in(place, &allowed)),
                format!("must be in list {}", texts(&allowed)),
            ),
            ("not_in", _) => refuse(
                is_in(place, &forbidden),
                format!("must not be in list {}", texts(&forbidden)),
            ),
            ("ip" | "ipv4" | "ipv6" | "uuid", value) => {
                if value.as_bool() == Some(true) {
                    out += &form(site, name, &id);
                }
            }
            ("contains" | "example", _) => {}
            _ => unknown(context, field, &format!("{}{id}", site.prefix)),
        }
    }
    out
}

/// The checks of a form that is known by its length.
fn form(site: &Site<'_>, name: &str, id: &str) -> String {
    let (what, lengths) = match name {
        "ip" => ("IP address", "4 | 16"),
        "ipv4" => ("IPv4 address", "4"),
        "ipv6" => ("IPv6 address", "16"),
        _ => ("UUID", "16"),
    };
    let place = &site.place;
    let empty = site.refuse_by(
        &format!("{place}.is_empty()"),
        &format!("{id}_empty"),
        id,
        &format!("value is empty, which is not a valid {what}"),
    );
    let wrong = site.refuse_if(
        &format!("!matches!({place}.len(), {lengths})"),
        id,
        &format!("must be a valid {what}"),
    );
    format!("{} else {wrong}", empty.trim_end())
}

fn is_in(place: &str, items: &[Vec<u8>]) -> String {
    let items: Vec<String> = items.iter().map(|item| literal(item)).collect();
    format!("matches!(&{place}[..], {})", items.join(" | "))
}

/// As Rust writes them: a reference to an array.
fn literal(bytes: &[u8]) -> String {
    format!("b\"{}\"", bytes.escape_ascii())
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    digits.collect::<Vec<_>>().concat()
}

/// As CEL shows a list of bytes: each as text.
fn texts(items: &[Vec<u8>]) -> String {
    let items: Vec<_> = items
        .iter()
        .map(|item| String::from_utf8_lossy(item))
        .collect();
    shown(items.iter().map(|item| &**item))
}
