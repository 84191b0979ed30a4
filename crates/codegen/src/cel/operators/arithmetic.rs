//! Arithmetic, of numbers, times, texts and lists.

use crate::cel::lex::refuse;
use crate::cel::types::Sort;
use crate::cel::value::{Known, Value};
use crate::cel::{CEL, Refusal};

use super::{is_number, items};

pub(super) fn arithmetic(
    at: usize,
    sign: &str,
    left: Value,
    right: Value,
) -> Result<Value, Refusal> {
    let (a, b) = (left.sort.clone(), right.sort.clone());
    let both = [left.clone(), right.clone()];
    let value = match (&a, sign, &b) {
        (Sort::Int | Sort::Uint, _, _) if a == b => whole(at, sign, &left, &right),
        (Sort::Double, "+" | "-" | "*" | "/", Sort::Double) => Value::new(
            at,
            a,
            format!("{} {sign} {}", left.operand(), right.operand()),
        )
        .loose(),
        (Sort::Text, "+", Sort::Text) => match (left.known_text(), right.known_text()) {
            (Some(left), Some(right)) => {
                Value::known(at, Sort::Text, Known::Text(format!("{left}{right}")))
            }
            _ => Value::new(
                at,
                a,
                format!("[{}, {}].concat()", left.borrowed(), right.borrowed()),
            )
            .owned(),
        },
        (Sort::Bytes, "+", Sort::Bytes) => Value::new(
            at,
            a,
            format!("[{}, {}].concat()", left.borrowed(), right.borrowed()),
        )
        .owned(),
        (Sort::List(x), "+", Sort::List(y)) if x.sort.fits(&y.sort) => {
            let (left, right) = (items(left, None), items(right, None));
            let kind = if let Sort::List(kind) = &left.sort
                && kind.sort != Sort::Nothing
            {
                &left.sort
            } else {
                &right.sort
            };
            Value::new(
                at,
                kind.clone(),
                format!("{CEL}::joined({}, {})", left.code, right.code),
            )
            .owned()
        }
        (Sort::Timestamp, "-", Sort::Timestamp) | (Sort::Duration, "+" | "-", Sort::Duration) => {
            let code = format!("{CEL}::span({} {sign} {})", left.operand(), right.operand());
            Value::new(at, Sort::Duration, code).tried()
        }
        (Sort::Timestamp, "+" | "-", Sort::Duration) | (Sort::Duration, "+", Sort::Timestamp) => {
            let code = format!(
                "{CEL}::instant({} {sign} {})",
                left.operand(),
                right.operand()
            );
            Value::new(at, Sort::Timestamp, code).tried()
        }
        _ => {
            let hint = if is_number(&a) && is_number(&b) && a != b {
                "; convert one of them with int(), uint() or double()"
            } else {
                ""
            };
            return refuse(
                at,
                format!("there is no {} {sign} {}{hint}", a.name(), b.name()),
            );
        }
    };
    Ok(value.of(&[&both[0], &both[1]]))
}

/// Of two whole numbers of one type.
fn whole(at: usize, sign: &str, left: &Value, right: &Value) -> Value {
    let name = match sign {
        "+" => "add",
        "-" => "subtract",
        "*" => "multiply",
        "/" => "divide",
        _ => "remainder",
    };
    // Neither zero nor minus one: what is divided by them does not fail.
    let divides = match right.known {
        Some(Known::Int(value)) => value != 0 && value != -1,
        Some(Known::Uint(value)) => value != 0,
        _ => false,
    };
    if divides && matches!(sign, "/" | "%") {
        let code = format!("{} {sign} {}", left.operand(), right.operand());
        return Value::new(at, left.sort.clone(), code).loose();
    }
    let code = format!("{CEL}::{name}({}, {})", left.code, right.code);
    Value::new(at, left.sort.clone(), code).tried()
}
