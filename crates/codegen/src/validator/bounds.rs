//! Values that have an order, and the bounds of them.

use prost_reflect::{DynamicMessage, Value};

use super::Context;
use super::rules::contradicts;
use super::site::Site;
use crate::options::Fields as _;

/// A value of a rule.
#[derive(Clone)]
pub(super) struct Operand {
    /// As Rust writes it.
    pub(super) literal: String,
    /// As messages show it.
    pub(super) shown: String,
    /// As it is compared.
    pub(super) number: Number,
}

#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub(super) enum Number {
    Whole(i128),
    Float(f64),
}

/// Checks of `gt`, `gte`, `lt` and `lte` in `typed`, the rules named `family`: at most one lower bound and one upper bound, as
/// each pair is a oneof. A lower bound above the upper one means that the value must be outside of what is between.
/// `place` is an expression that compares with the literals.
pub(super) fn checks(
    context: &mut Context<'_>,
    site: &Site<'_>,
    place: &str,
    (family, typed): (&str, &DynamicMessage),
    operand: impl Fn(&Value) -> Option<Operand>,
) -> String {
    let bound = |names: [&'static str; 2]| {
        names
            .into_iter()
            .find_map(|name| Some((name, operand(&typed.value(name)?)?)))
    };
    match (bound(["gt", "gte"]), bound(["lt", "lte"])) {
        (None, None) => String::new(),
        (Some(one), None) | (None, Some(one)) => {
            let (name, bound) = one;
            let (operator, words) = words(name);
            site.refuse_if(
                &format!("!({place} {operator} {})", bound.literal),
                &format!("{family}.{name}"),
                &format!("must be {words} {}", bound.shown),
            )
        }
        (Some((low, low_bound)), Some((high, high_bound))) => {
            let ((low_op, low_words), (high_op, high_words)) = (words(low), words(high));
            let (low_shown, high_shown) = (&low_bound.shown, &high_bound.shown);
            let within = high_bound.number >= low_bound.number;
            if low_bound.number == high_bound.number && (low, high) != ("gte", "lte") {
                let what =
                    format!("no value is {low_words} {low_shown} and {high_words} {high_shown}");
                contradicts(context, site.field, what);
            }
            let (operator, conjunction, exclusive) = if within {
                ("&&", "and", "")
            } else {
                ("||", "or", "_exclusive")
            };
            site.refuse_by(
                &format!(
                    "!({place} {low_op} {} {operator} {place} {high_op} {})",
                    low_bound.literal, high_bound.literal
                ),
                &format!("{family}.{low}_{high}{exclusive}"),
                &format!("{family}.{low}"),
                &format!("must be {low_words} {low_shown} {conjunction} {high_words} {high_shown}"),
            )
        }
    }
}

fn words(name: &str) -> (&'static str, &'static str) {
    match name {
        "lt" => ("<", "less than"),
        "lte" => ("<=", "less than or equal to"),
        "gt" => (">", "greater than"),
        _ => (">=", "greater than or equal to"),
    }
}

/// `const`, `in` and `not_in` of rules.
pub(super) struct Sets {
    pub(super) constant: Option<Operand>,
    pub(super) allowed: Vec<Operand>,
    pub(super) forbidden: Vec<Operand>,
}

impl Sets {
    /// Those of `typed`; reports what contradicts itself.
    pub(super) fn read(
        context: &mut Context<'_>,
        site: &Site<'_>,
        typed: &DynamicMessage,
        operand: impl Fn(&Value) -> Option<Operand>,
    ) -> Self {
        let list = |name: &str| -> Vec<Operand> {
            let list = typed.list(name);
            list.iter().filter_map(&operand).collect()
        };
        let all = Self {
            constant: typed.value("const").as_ref().and_then(&operand),
            allowed: list("in"),
            forbidden: list("not_in"),
        };
        let numbers =
            |items: &[Operand]| -> Vec<Number> { items.iter().map(|item| item.number).collect() };
        sets(
            context,
            site,
            all.constant.as_ref().map(|constant| &constant.number),
            &numbers(&all.allowed),
            &numbers(&all.forbidden),
        );
        all
    }
}

/// The items of a list, as messages show them.
pub(super) fn shown<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let items: Vec<&str> = items.into_iter().collect();
    format!("[{}]", items.join(", "))
}

/// Reports `in` and `not_in` that leave nothing, and a `const` that they exclude.
pub(super) fn sets<T: PartialEq>(
    context: &mut Context<'_>,
    site: &Site<'_>,
    constant: Option<&T>,
    allowed: &[T],
    forbidden: &[T],
) {
    if !allowed.is_empty() && allowed.iter().all(|item| forbidden.contains(item)) {
        contradicts(
            context,
            site.field,
            "all that is in `in` is in `not_in`, too",
        );
    }
    if let Some(constant) = constant
        && (forbidden.contains(constant) || (!allowed.is_empty() && !allowed.contains(constant)))
    {
        contradicts(
            context,
            site.field,
            "`in` or `not_in` forbids the value of `const`",
        );
    }
}
