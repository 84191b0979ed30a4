//! Operators: logic, equality, order, arithmetic and the choice between two.

mod arithmetic;
mod choice;
mod equality;

use super::expr::{Translator, entry};
use super::lex::refuse;
use super::parse::Expr;
use super::types::{Sort, Type};
use super::value::{Hold, Known, Value};
use super::{CEL, Refusal};
use arithmetic::arithmetic;
use choice::alike;
use equality::{comparable, equality, order};

impl Translator<'_> {
    pub(super) fn unary(
        &mut self,
        at: usize,
        sign: &str,
        operand: &Expr,
    ) -> Result<Value, Refusal> {
        let operand = self.settled(operand)?;
        let value = match (sign, &operand.sort) {
            (_, Sort::Nothing) => return Ok(operand),
            ("!", Sort::Bool) => {
                Value::new(at, Sort::Bool, format!("!{}", operand.operand())).loose()
            }
            ("-", Sort::Double) => {
                Value::new(at, Sort::Double, format!("-{}", operand.operand())).loose()
            }
            ("-", Sort::Int) => {
                Value::new(at, Sort::Int, format!("{CEL}::negative({})", operand.code)).tried()
            }
            ("!", other) => {
                return refuse(
                    at,
                    format!(
                        "`!` is of a bool, not of a {}; compare it with what it should not be",
                        other.name()
                    ),
                );
            }
            (_, other) => {
                return refuse(
                    at,
                    format!("`-` is of an int or a double, not of a {}", other.name()),
                );
            }
        };
        let known = match &operand.known {
            Some(Known::Double(double)) if sign == "-" => Some(Known::Double(-double)),
            _ => None,
        };
        Ok(match known {
            Some(known) => Value::known(at, Sort::Double, known),
            None => value.of(&[&operand]),
        })
    }

    pub(super) fn binary(
        &mut self,
        at: usize,
        sign: &'static str,
        left: &Expr,
        right: &Expr,
    ) -> Result<Value, Refusal> {
        match sign {
            "&&" | "||" => {
                let left = self.settled(left)?;
                let right = self.settled(right)?;
                logic(at, sign, &left, &right)
            }
            // Wrappers that are null can be compared, so these operands are not settled.
            "==" | "!=" => {
                let left = self.value(left)?;
                let right = self.value(right)?;
                equality(at, sign, &left, &right)
            }
            "in" => self.contained(at, left, right),
            _ => {
                let left = self.settled(left)?;
                let right = self.settled(right)?;
                if left.sort == Sort::Nothing {
                    return Ok(left);
                }
                if right.sort == Sort::Nothing {
                    return Ok(right);
                }
                match sign {
                    "<" | "<=" | ">" | ">=" => order(at, sign, &left, &right),
                    _ => arithmetic(at, sign, left, right),
                }
            }
        }
    }

    pub(super) fn choice(
        &mut self,
        at: usize,
        condition: &Expr,
        yes: &Expr,
        no: &Expr,
    ) -> Result<Value, Refusal> {
        let condition = self.settled(condition)?;
        if !matches!(condition.sort, Sort::Bool | Sort::Nothing) {
            return refuse(
                condition.at,
                format!(
                    "what stands before `?` is a bool, not a {}",
                    condition.sort.name()
                ),
            );
        }
        let (yes, no) = (self.value(yes)?, self.value(no)?);
        let others = [&condition, &yes, &no].map(Clone::clone);
        let (yes, no) = alike(at, yes, no)?;
        let sort = if yes.sort == Sort::Nothing {
            no.sort.clone()
        } else {
            yes.sort.clone()
        };
        let (yes, no) = if yes.hold.max(no.hold) >= Hold::Passing {
            (yes.into_owned(), no.into_owned())
        } else {
            (yes, no)
        };
        let hold = yes.hold.max(no.hold);
        let code = format!(
            "if {} {{ {} }} else {{ {} }}",
            condition.code, yes.code, no.code
        );
        Ok(Value::new(at, sort, code)
            .loose()
            .holding(hold)
            .of(&[&others[0], &others[1], &others[2]]))
    }

    /// `left in right`.
    fn contained(&mut self, at: usize, left: &Expr, right: &Expr) -> Result<Value, Refusal> {
        let item = self.value(left)?;
        let range = self.settled(right)?;
        let both = [&item, &range];
        let (sort, wrapped) = match &item.sort {
            // Null is in no list.
            Sort::Nullable(inner) => ((**inner).clone(), true),
            other => (other.clone(), false),
        };
        match &range.sort {
            Sort::List(kind) if kind.sort == Sort::Nothing => {
                Ok(Value::known(at, Sort::Bool, Known::Bool(false)))
            }
            Sort::List(kind) if kind.sort.fits(&sort) => {
                comparable(item.at, &sort)?;
                let name = self.fresh("item");
                let mut read = kind.read_from(&name);
                if wrapped {
                    read = format!("::core::option::Option::Some({read})");
                }
                let code = format!(
                    "{CEL}::contains({}.iter().map(|{name}| {read}), {})",
                    range.borrowed_operand(),
                    item.borrowed()
                );
                Ok(Value::new(at, Sort::Bool, code).of(&both))
            }
            Sort::Map(..) if wrapped => refuse(
                item.at,
                "a wrapper may be null, which is no key; convert it: has(this.w) && string(this.w) in this.map",
            ),
            Sort::Map(key, _) => {
                let found = entry(at, &range, key, &item)?;
                Ok(Value::new(at, Sort::Bool, format!("{found}.is_some()")).of(&both))
            }
            Sort::List(kind) => refuse(
                at,
                format!(
                    "a {} is never in a list of {}",
                    sort.name(),
                    kind.sort.name()
                ),
            ),
            other => refuse(
                at,
                format!(
                    "`in` looks into a list or a map, not into a {}",
                    other.name()
                ),
            ),
        }
    }
}

fn logic(at: usize, sign: &str, left: &Value, right: &Value) -> Result<Value, Refusal> {
    for side in [left, right] {
        if !matches!(side.sort, Sort::Bool | Sort::Nothing) {
            return refuse(
                side.at,
                format!("`{sign}` is of bools, not of a {}", side.sort.name()),
            );
        }
    }
    if !left.fallible {
        let code = format!("{} {sign} {}", left.operand(), right.operand());
        return Ok(Value::new(at, Sort::Bool, code).loose().of(&[left, right]));
    }
    // What fails on one side does not matter if the other side decides.
    let name = if sign == "&&" { "and" } else { "or" };
    let lazy = |side: &Value| format!("|| ::core::result::Result::Ok({})", side.code);
    let code = format!("{CEL}::{name}({}, {})", lazy(left), lazy(right));
    Ok(Value::new(at, Sort::Bool, code).tried())
}

fn is_number(sort: &Sort) -> bool {
    matches!(sort, Sort::Int | Sort::Uint | Sort::Double)
}

/// The list as a `Vec` of canonical items, or of owned ones where they do not last; `kind` is its type if it is `[]`.
pub(super) fn items(list: Value, kind: Option<&Type>) -> Value {
    let Sort::List(item) = list.sort.clone() else {
        return list;
    };
    if item.sort == Sort::Nothing {
        let sort = kind.map_or(list.sort.clone(), |kind| Sort::List(Box::new(kind.clone())));
        return Value {
            code: "::std::vec::Vec::new()".to_owned(),
            sort,
            loose: false,
            hold: Hold::Owned,
            ..list
        };
    }
    let code = format!(
        "{}.iter().map(|item| {}{}).collect::<::std::vec::Vec<_>>()",
        list.borrowed_operand(),
        item.read_from("item"),
        owning(&item.sort)
    );
    let kind = Value::new(list.at, item.sort.clone(), "").owned().stored();
    Value {
        code,
        sort: Sort::List(Box::new(kind)),
        loose: false,
        hold: Hold::Owned,
        ..list
    }
}

/// The call that makes an owned value of a canonical one.
pub(super) fn owning(sort: &Sort) -> &'static str {
    match sort {
        Sort::Text => ".to_owned()",
        Sort::Bytes => ".to_vec()",
        Sort::Message(_) => ".clone()",
        _ => "",
    }
}
