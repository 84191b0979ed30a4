//! The checks of numbers.

use prost_reflect::{DynamicMessage, FieldDescriptor, Value};

use super::{check, unknown};
use crate::validator::Context;

/// Bounds. Only one lower and one upper bound can stand in a contract: each pair is a oneof.
pub(super) fn check_bounds(
    context: &mut Context<'_>,
    field: &FieldDescriptor,
    kind: &str,
    typed: &DynamicMessage,
    place: &str,
    path: &str,
    out: &mut String,
) {
    let mut bounds = Vec::new();
    for (rule, value) in typed.fields() {
        match (rule.name(), literal(value)) {
            (name @ ("lt" | "lte" | "gt" | "gte"), Some(bound)) => {
                bounds.push((name.to_owned(), bound));
            }
            (other, _) => unknown(context, field, &format!("{kind}.{other}")),
        }
    }
    let words = |name: &str| match name {
        "lt" => ("<", "less than"),
        "lte" => ("<=", "less than or equal to"),
        "gt" => (">", "greater than"),
        _ => (">=", "greater than or equal to"),
    };
    bounds.sort_by_key(|(name, _)| !name.starts_with('g'));
    match bounds.as_slice() {
        [] => {}
        [(name, bound)] => {
            let (operator, text) = words(name);
            check(
                out,
                &format!("!({place} {operator} {bound})"),
                path,
                &format!("{kind}.{name}"),
                &format!("must be {text} {bound}"),
            );
        }
        [(low, low_bound), (high, high_bound), ..] => {
            let ((low_op, low_text), (high_op, high_text)) = (words(low), words(high));
            let both_include = low.ends_with('e') && high.ends_with('e');
            let contradicts = match (low_bound.parse::<f64>(), high_bound.parse::<f64>()) {
                // Equal bounds leave one value when both include it, and none otherwise.
                (Ok(low), Ok(high)) => low > high || (low >= high && !both_include),
                _ => false,
            };
            if contradicts {
                context.report(
                    field,
                    format!("contradicts itself: no value is {low_text} {low_bound} and {high_text} {high_bound}"),
                );
            }
            check(
                out,
                &format!("!({place} {low_op} {low_bound} && {place} {high_op} {high_bound})"),
                path,
                &format!("{kind}.{low}_{high}"),
                &format!("must be {low_text} {low_bound} and {high_text} {high_bound}"),
            );
        }
    }
}

/// As Rust writes the number: one with a fraction keeps its point.
fn literal(value: &Value) -> Option<String> {
    let whole = || {
        let signed = value.as_i64().or_else(|| value.as_i32().map(i64::from));
        let unsigned = value.as_u64().or_else(|| value.as_u32().map(u64::from));
        signed
            .map(|n| n.to_string())
            .or_else(|| unsigned.map(|n| n.to_string()))
    };
    let single = value.as_f32().map(|n| format!("{n:?}"));
    single
        .or_else(|| value.as_f64().map(|n| format!("{n:?}")))
        .or_else(whole)
}
