//! Operators: logic, equality, order, arithmetic and the choice between two.

use super::expr::Translator;
use super::lex::refuse;
use super::parse::Expr;
use super::types::{Sort, Type};
use super::value::{Hold, Known, Value};
use super::{CEL, Refusal};

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
            ("-", Sort::Duration) => Value::new(
                at,
                Sort::Duration,
                format!("{CEL}::span(-{})", operand.operand()),
            )
            .tried(),
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
                    format!(
                        "`-` is of an int, a double or a duration, not of a {}",
                        other.name()
                    ),
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
        let item = self.settled(left)?;
        let range = self.settled(right)?;
        let both = [&item, &range];
        match &range.sort {
            Sort::List(kind) if kind.sort == Sort::Nothing => {
                Ok(Value::known(at, Sort::Bool, Known::Bool(false)))
            }
            Sort::List(kind) if kind.sort.fits(&item.sort) => {
                comparable(item.at, &item.sort)?;
                let name = self.fresh("item");
                let code = format!(
                    "{CEL}::contains({}.iter().map(|{name}| {}), {})",
                    range.borrowed_operand(),
                    kind.read_from(&name),
                    item.borrowed()
                );
                Ok(Value::new(at, Sort::Bool, code).of(&both))
            }
            Sort::Map(key, _) => {
                let found = self.entry(at, &range, key, &item)?;
                Ok(Value::new(at, Sort::Bool, format!("{found}.is_some()")).of(&both))
            }
            Sort::List(kind) => refuse(
                at,
                format!(
                    "a {} is never in a list of {}",
                    item.sort.name(),
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

fn equality(at: usize, sign: &str, left: &Value, right: &Value) -> Result<Value, Refusal> {
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
            left.operand(),
            right.borrowed()
        )),
        (other, Sort::Nullable(inner)) if **inner == *other => answer(format!(
            "::core::option::Option::Some({}) {sign} {}",
            left.borrowed(),
            right.operand()
        )),
        (Sort::Nullable(_), Sort::Nullable(_)) if left.sort == right.sort => {
            answer(format!("{} {sign} {}", left.operand(), right.operand()))
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
        (Sort::Map(..), Sort::Map(..)) if left.sort == right.sort => answer(format!(
            "{} {sign} {}",
            left.borrowed_operand(),
            right.borrowed_operand()
        )),
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
fn comparable(at: usize, sort: &Sort) -> Result<(), Refusal> {
    match sort {
        Sort::List(_) | Sort::Map(..) | Sort::Nullable(_) | Sort::Rules(_) => refuse(
            at,
            format!("a {} cannot be compared in a rule", sort.name()),
        ),
        _ => Ok(()),
    }
}

fn is_number(sort: &Sort) -> bool {
    matches!(sort, Sort::Int | Sort::Uint | Sort::Double)
}

fn order(at: usize, sign: &str, left: &Value, right: &Value) -> Result<Value, Refusal> {
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

fn arithmetic(at: usize, sign: &str, left: Value, right: Value) -> Result<Value, Refusal> {
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

/// Both branches of a choice, as Rust of one type.
fn alike(at: usize, yes: Value, no: Value) -> Result<(Value, Value), Refusal> {
    let settle = |value: Value| {
        let code = format!("::core::option::Option::Some({})", value.borrowed());
        let hold = value.lent();
        let sort = Sort::Nullable(Box::new(value.sort.clone()));
        Value {
            code,
            sort,
            loose: false,
            hold,
            ..value
        }
    };
    let null = |value: Value, sort: &Sort| Value {
        code: "::core::option::Option::None".to_owned(),
        sort: sort.clone(),
        ..value
    };
    let fits = yes.sort.fits(&no.sort);
    match (yes.sort.clone(), no.sort.clone()) {
        (Sort::Nothing, _) | (_, Sort::Nothing) => Ok((yes, no)),
        (Sort::Nullable(inner), other) if *inner == other && yes.sort != other => {
            Ok((yes, settle(no)))
        }
        (other, Sort::Nullable(inner)) if *inner == other && no.sort != other => {
            Ok((settle(yes), no))
        }
        (Sort::Nullable(_), Sort::Null) => {
            let sort = yes.sort.clone();
            Ok((yes, null(no, &sort)))
        }
        (Sort::Null, Sort::Nullable(_)) => {
            let sort = no.sort.clone();
            Ok((null(yes, &sort), no))
        }
        (Sort::List(a), Sort::List(b))
            if fits && (a != b || yes.hold.max(no.hold) == Hold::Owned) =>
        {
            let kind = if a.sort == Sort::Nothing { &b } else { &a };
            let sort = Type::canonical(kind.sort.clone());
            Ok((items(yes, Some(&sort)), items(no, Some(&sort))))
        }
        (Sort::Rules(_) | Sort::Type(_), _) | (_, Sort::Rules(_) | Sort::Type(_)) => refuse(
            at,
            "what `?` chooses between is known when it is evaluated; choose between values",
        ),
        _ if fits => Ok((yes, no)),
        (a, b) => refuse(
            at,
            format!(
                "what `?` chooses between is of one type, not a {} and a {}",
                a.name(),
                b.name()
            ),
        ),
    }
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
