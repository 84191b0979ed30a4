//! The rules of numbers.

use prost_reflect::{DynamicMessage, Value};

use super::Context;
use super::bounds::{self, Number, Operand, Sets, shown};
use super::rules::unknown;
use super::site::Site;

/// The checks of `typed`, the rules named `family`: `sint64`.
pub(super) fn checks(
    context: &mut Context<'_>,
    site: &Site<'_>,
    family: &str,
    typed: &DynamicMessage,
) -> String {
    let place = &site.place;
    let Sets {
        constant,
        allowed,
        forbidden,
    } = Sets::read(context, site, typed, operand);
    let mut out = String::new();
    for (rule, value) in typed.fields() {
        let id = format!("{family}.{}", rule.name());
        match (rule.name(), &constant) {
            ("const", Some(constant)) => {
                let condition = format!("{place} != {}", constant.literal);
                out += &site.refuse_if(&condition, &id, &format!("must equal {}", constant.shown));
            }
            ("in", _) => {
                let message = format!(
                    "must be in list {}",
                    shown(allowed.iter().map(|item| &*item.shown))
                );
                out += &site.refuse_if(&format!("!{}", is_in(site, &allowed)), &id, &message);
            }
            ("not_in", _) => {
                let message = format!(
                    "must not be in list {}",
                    shown(forbidden.iter().map(|item| &*item.shown))
                );
                out += &site.refuse_if(&is_in(site, &forbidden), &id, &message);
            }
            ("finite", _) => {
                if value.as_bool() == Some(true) {
                    out += &site.refuse_if(&format!("!{place}.is_finite()"), &id, "must be finite");
                }
            }
            ("lt" | "lte" | "gt" | "gte", _) => {
                if operand(value).is_some_and(|bound| bound.literal.contains("NAN")) {
                    context.report(
                        site.field,
                        format!("has {id} = nan, with which nothing compares; give a number"),
                    );
                }
            }
            ("example", _) => {}
            (other, _) => unknown(
                context,
                site.field,
                &format!("{}{family}.{other}", site.prefix),
            ),
        }
    }
    out + &bounds::checks(context, site, place, (family, typed), operand)
}

fn is_in(site: &Site<'_>, items: &[Operand]) -> String {
    let literals: Vec<&str> = items.iter().map(|item| &*item.literal).collect();
    if items
        .iter()
        .any(|item| matches!(item.number, Number::Float(_)))
    {
        format!("[{}].contains(&{})", literals.join(", "), site.place)
    } else {
        format!("matches!({}, {})", site.bare(), literals.join(" | "))
    }
}

fn operand(value: &Value) -> Option<Operand> {
    let signed = value
        .as_i64()
        .or_else(|| value.as_i32().map(i64::from))
        .map(i128::from);
    let unsigned = value
        .as_u64()
        .or_else(|| value.as_u32().map(u64::from))
        .map(i128::from);
    if let Some(number) = signed.or(unsigned) {
        return Some(Operand {
            literal: number.to_string(),
            shown: number.to_string(),
            number: Number::Whole(number),
        });
    }
    let (number, literal) = match (value.as_f32(), value.as_f64()) {
        (Some(number), _) => (
            number.into(),
            literal(number.into(), "f32", format!("{number:?}")),
        ),
        (None, number) => (number?, literal(number?, "f64", format!("{:?}", number?))),
    };
    Some(Operand {
        literal,
        shown: decimal(number),
        number: Number::Float(number),
    })
}

/// As Rust writes the number: `finite`, if it is.
fn literal(number: f64, kind: &str, finite: String) -> String {
    if number.is_nan() {
        format!("::core::primitive::{kind}::NAN")
    } else if number == f64::INFINITY {
        format!("::core::primitive::{kind}::INFINITY")
    } else if number == f64::NEG_INFINITY {
        format!("::core::primitive::{kind}::NEG_INFINITY")
    } else {
        finite
    }
}

/// As CEL writes a double: without an exponent.
fn decimal(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned()
    } else {
        number.to_string()
    }
}
