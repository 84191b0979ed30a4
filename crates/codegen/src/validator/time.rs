//! The rules of google.protobuf.Duration and google.protobuf.Timestamp.

use prost_reflect::{DynamicMessage, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::bounds::{self, Number, Operand, Sets, shown};
use super::rules::unknown;
use super::site::Site;
use super::{Context, VALIDATE};
use crate::options::Fields;

const NANOS: i128 = 1_000_000_000;

/// The checks of `typed`, the rules named `family`: `duration` or `timestamp`.
pub(super) fn checks(
    context: &mut Context<'_>,
    site: &Site<'_>,
    family: &str,
    typed: &DynamicMessage,
) -> String {
    let operand = |value: &Value| operand(family, value);
    let Sets {
        constant,
        allowed,
        forbidden,
    } = Sets::read(context, site, typed, operand);
    let is_in = |items: &[Operand]| {
        let literals: Vec<&str> = items.iter().map(|item| &*item.literal).collect();
        let shown = shown(items.iter().map(|item| &*item.shown));
        (format!("matches!(time, {})", literals.join(" | ")), shown)
    };
    let mut out = String::new();
    for (rule, value) in typed.fields() {
        let id = format!("{family}.{}", rule.name());
        let flag = value.as_bool() == Some(true);
        out += &match (rule.name(), &constant) {
            ("const", Some(constant)) => {
                let condition = format!("time != {}", constant.literal);
                site.refuse_if(&condition, &id, &format!("must equal {}", constant.shown))
            }
            ("in", _) => {
                let (condition, list) = is_in(&allowed);
                site.refuse_if(
                    &format!("!{condition}"),
                    &id,
                    &format!("must be in list {list}"),
                )
            }
            ("not_in", _) => {
                let (condition, list) = is_in(&forbidden);
                site.refuse_if(&condition, &id, &format!("must not be in list {list}"))
            }
            ("lt_now", _) if flag => {
                site.refuse_if("time > out.now()", &id, "must be less than now")
            }
            ("gt_now", _) if flag => {
                site.refuse_if("time < out.now()", &id, "must be greater than now")
            }
            ("within", _) => {
                let (seconds, nanos) = value.as_message().map_or((0, 0), Fields::seconds_and_nanos);
                let span = whole(seconds, nanos);
                site.refuse_if(
                    // A span below zero leaves no time at all, as protovalidate has it.
                    &format!(
                        "{{ let now = out.now(); time < now - {span} || time > now + {span} }}"
                    ),
                    &id,
                    &format!("must be within {} of now", seconds_shown(span)),
                )
            }
            ("lt" | "lte" | "gt" | "gte" | "lt_now" | "gt_now" | "example", _) => String::new(),
            (other, _) => {
                unknown(
                    context,
                    site.field,
                    &format!("{}{family}.{other}", site.prefix),
                );
                String::new()
            }
        };
    }
    out += &bounds::checks(context, site, "time", (family, typed), operand);
    if out.is_empty() {
        return out;
    }
    let place = &site.place;
    format!("{{\nlet time = {VALIDATE}::nanoseconds({place}.seconds, {place}.nanos);\n{out}}}\n")
}

fn whole(seconds: i64, nanos: i32) -> i128 {
    i128::from(seconds) * NANOS + i128::from(nanos)
}

fn operand(family: &str, value: &Value) -> Option<Operand> {
    let (seconds, nanos) = value.as_message()?.seconds_and_nanos();
    let number = whole(seconds, nanos);
    let shown = if family == "duration" {
        seconds_shown(number)
    } else {
        OffsetDateTime::from_unix_timestamp_nanos(number)
            .ok()
            .and_then(|time| time.format(&Rfc3339).ok())
            .unwrap_or_else(|| number.to_string())
    };
    Some(Operand {
        literal: format!("{number}_i128"),
        shown,
        number: Number::Whole(number),
    })
}

/// As CEL writes a duration: in seconds, `1.5s`.
fn seconds_shown(nanos: i128) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let (seconds, rest) = (
        nanos.unsigned_abs() / 1_000_000_000,
        nanos.unsigned_abs() % 1_000_000_000,
    );
    let digits = format!("{rest:09}");
    let fraction = digits.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{seconds}{point}{fraction}s")
}
