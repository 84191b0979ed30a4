//! What is equal, and what comes before what.

use crate::cel::lex::refuse;
use crate::cel::types::{Sort, Type};
use crate::cel::value::{Known, Value};
use crate::cel::{CEL, Refusal};

use super::is_number;

pub(super) fn equality(
    at: usize,
    sign: &str,
    left: &Value,
    right: &Value,
) -> Result<Value, Refusal> {
    let answer = |code: String| Ok(Value::new(at, Sort::Bool, code).loose().of(&[left, right]));
    let not = if sign == "==" { "" } else { "!" };
    match (&left.sort, &right.sort) {
        (Sort::Nothing, _) => Ok(left.clone()),
        (_, Sort::Nothing) => Ok(right.clone()),
        (Sort::Null, Sort::Null) => Ok(Value::known(at, Sort::Bool, Known::Bool(sign == "=="))),
        (Sort::Nullable(_), Sort::Null) => answer(format!("{not}{}.is_none()", left.operand())),
        (Sort::Null, Sort::Nullable(_)) => answer(format!("{not}{}.is_none()", right.operand())),
        // A message that is not set reads as one with nothing in it, which is not null.
        (Sort::Message(_) | Sort::Timestamp | Sort::Duration | Sort::Rules(_), Sort::Null)
        | (Sort::Null, Sort::Message(_) | Sort::Timestamp | Sort::Duration | Sort::Rules(_)) => {
            refuse(
                at,
                "a message is never null, also where it is not set; has(this.field) tells whether it is",
            )
        }
        (Sort::Nullable(inner), other) if **inner == *other => answer(format!(
            "{} {sign} ::core::option::Option::Some({})",
            left.borrowed_operand(),
            right.borrowed()
        )),
        (other, Sort::Nullable(inner)) if **inner == *other => answer(format!(
            "::core::option::Option::Some({}) {sign} {}",
            left.borrowed(),
            right.borrowed_operand()
        )),
        (Sort::Nullable(_), Sort::Nullable(_)) | (Sort::Map(..), Sort::Map(..))
            if left.sort == right.sort =>
        {
            answer(format!(
                "{} {sign} {}",
                left.borrowed_operand(),
                right.borrowed_operand()
            ))
        }
        (Sort::Type(a), Sort::Type(b)) => Ok(Value::known(
            at,
            Sort::Bool,
            Known::Bool((a == b) == (sign == "==")),
        )),
        (Sort::List(a), Sort::List(b)) if a.sort == Sort::Nothing && b.sort == Sort::Nothing => {
            Ok(Value::known(at, Sort::Bool, Known::Bool(sign == "==")))
        }
        (Sort::List(_), Sort::List(b)) if b.sort == Sort::Nothing => {
            answer(format!("{not}{}.is_empty()", left.borrowed_operand()))
        }
        (Sort::List(a), Sort::List(_)) if a.sort == Sort::Nothing => {
            answer(format!("{not}{}.is_empty()", right.borrowed_operand()))
        }
        (Sort::List(a), Sort::List(b)) if a.sort.fits(&b.sort) => {
            comparable(at, &a.sort)?;
            let items = |value: &Value, kind: &Type| {
                format!(
                    "{}.iter().map(|item| {})",
                    value.borrowed_operand(),
                    kind.read_from("item")
                )
            };
            answer(format!("{not}{}.eq({})", items(left, a), items(right, b)))
        }
        (a, b) if a == b => {
            comparable(at, a)?;
            answer(format!(
                "{} {sign} {}",
                left.borrowed_operand(),
                right.borrowed_operand()
            ))
        }
        (a, b) => refuse(
            at,
            format!(
                "a {} and a {} are never equal{}",
                a.name(),
                b.name(),
                if is_number(a) && is_number(b) {
                    "; convert one of them with int(), uint() or double()"
                } else {
                    ""
                }
            ),
        ),
    }
}

/// Refuses what Rust does not compare as CEL does.
pub(super) fn comparable(at: usize, sort: &Sort) -> Result<(), Refusal> {
    match sort {
        Sort::List(_) | Sort::Map(..) | Sort::Nullable(_) | Sort::Rules(_) => refuse(
            at,
            format!("a {} cannot be compared in a rule", sort.name()),
        ),
        _ => Ok(()),
    }
}

pub(super) fn order(at: usize, sign: &str, left: &Value, right: &Value) -> Result<Value, Refusal> {
    let (a, b) = (&left.sort, &right.sort);
    let code = match (a, b) {
        (Sort::Int, Sort::Uint) | (Sort::Uint, Sort::Int) => {
            format!(
                "i128::from({}) {sign} i128::from({})",
                left.code, right.code
            )
        }
        // The greater is the one that the other is less than.
        (Sort::Double, Sort::Int | Sort::Uint) | (Sort::Int | Sort::Uint, Sort::Double) => {
            let mirrored = match sign {
                "<" => ">",
                "<=" => ">=",
                ">" => "<",
                _ => "<=",
            };
            let (whole, double, sign) = if *a == Sort::Double {
                (right, left, mirrored)
            } else {
                (left, right, sign)
            };
            let is = match sign {
                "<" => "is_lt",
                "<=" => "is_le",
                ">" => "is_gt",
                _ => "is_ge",
            };
            let order = "::core::cmp::Ordering";
            let code = format!(
                "{CEL}::order(i128::from({}), {}).is_some_and({order}::{is})",
                whole.code, double.code
            );
            return Ok(Value::new(at, Sort::Bool, code).of(&[left, right]));
        }
        (
            Sort::Int
            | Sort::Uint
            | Sort::Double
            | Sort::Text
            | Sort::Bytes
            | Sort::Bool
            | Sort::Timestamp
            | Sort::Duration,
            _,
        ) if a == b => format!(
            "{} {sign} {}",
            left.borrowed_operand(),
            right.borrowed_operand()
        ),
        _ => {
            return refuse(
                at,
                format!("a {} and a {} have no order", a.name(), b.name()),
            );
        }
    };
    Ok(Value::new(at, Sort::Bool, code).loose().of(&[left, right]))
}
