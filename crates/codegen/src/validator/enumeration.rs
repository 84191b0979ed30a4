//! The rules of enums.

use std::collections::BTreeSet;

use prost_reflect::{DynamicMessage, EnumDescriptor};

use super::Context;
use super::bounds::{self, shown};
use super::rules::unknown;
use super::site::Site;
use crate::options::Fields as _;

pub(super) fn checks(
    context: &mut Context<'_>,
    site: &Site<'_>,
    kind: &EnumDescriptor,
    typed: &DynamicMessage,
) -> String {
    let list = |name: &str| -> Vec<i32> {
        typed
            .list(name)
            .iter()
            .filter_map(prost_reflect::Value::as_i32)
            .collect()
    };
    let (allowed, forbidden) = (list("in"), list("not_in"));
    let constant = typed.value("const").and_then(|value| value.as_i32());
    bounds::sets(context, site, constant.as_ref(), &allowed, &forbidden);
    let is_in = |numbers: &[i32]| {
        let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        let message = shown(numbers.iter().map(|number| &**number));
        (
            format!("matches!({}, {})", site.bare(), numbers.join(" | ")),
            message,
        )
    };
    let mut out = String::new();
    for (rule, value) in typed.fields() {
        match (rule.name(), constant) {
            ("const", Some(number)) => {
                let condition = format!("{} != {number}", site.place);
                out += &site.refuse_if(&condition, "enum.const", &format!("must equal {number}"));
            }
            ("defined_only", _) if value.as_bool() == Some(true) => {
                // As a set: two names may stand for one number.
                let known: BTreeSet<i32> = kind.values().map(|value| value.number()).collect();
                let (condition, _) = is_in(&known.into_iter().collect::<Vec<_>>());
                let message = "value must be one of the defined enum values";
                out += &site.refuse_if(&format!("!{condition}"), "enum.defined_only", message);
            }
            ("in", _) => {
                let (condition, list) = is_in(&allowed);
                out += &site.refuse_if(
                    &format!("!{condition}"),
                    "enum.in",
                    &format!("must be in list {list}"),
                );
            }
            ("not_in", _) => {
                let (condition, list) = is_in(&forbidden);
                out += &site.refuse_if(
                    &condition,
                    "enum.not_in",
                    &format!("must not be in list {list}"),
                );
            }
            ("defined_only" | "example", _) => {}
            (other, _) => unknown(context, site.field, &format!("{}enum.{other}", site.prefix)),
        }
    }
    out
}
