//! The macros that go through a list or the keys of a map.

use super::expr::{Translator, settled, storable};
use super::lex::refuse;
use super::operators::owning;
use super::parse::{Expr, Node};
use super::types::{Sort, Store, Type};
use super::value::{Hold, Value};
use super::{CEL, Refusal};

/// What a macro goes through.
struct Range {
    /// The code of an iterator over references.
    iter: String,
    item: Type,
    /// The hold of what is borrowed from an item.
    hold: Hold,
    fallible: bool,
}

/// Whether `name` with so many arguments is a macro.
pub(super) fn is_macro(name: &str, arguments: usize) -> bool {
    match name {
        "all" | "exists" | "exists_one" | "filter" => arguments == 2,
        "map" => arguments == 2 || arguments == 3,
        _ => false,
    }
}

impl Translator<'_> {
    pub(super) fn macros(
        &mut self,
        at: usize,
        receiver: &Expr,
        name: &str,
        arguments: &[Expr],
    ) -> Result<Value, Refusal> {
        let range = self.range(at, receiver, name)?;
        let Some((var, bodies)) = arguments.split_first() else {
            return refuse(
                at,
                format!("{name}() lacks a variable: list.{name}(item, condition on item)"),
            );
        };
        let Node::Ident(var) = &var.node else {
            return refuse(
                var.at,
                format!("{name}() begins with the name of a variable: list.{name}(item, ...)"),
            );
        };
        if matches!(var.as_str(), "this" | "now" | "rule" | "rules") {
            return refuse(
                at,
                format!("`{var}` has a meaning of its own; name the variable otherwise"),
            );
        }
        let item = self.fresh("item");
        let mut values = Vec::new();
        for (index, body) in bodies.iter().enumerate() {
            let value =
                self.with_var((var, &item), range.item.clone(), range.hold, |translator| {
                    translator.value(body)
                })?;
            // A condition is needed; what items are mapped to is not.
            let last = name == "map" && index + 1 == bodies.len();
            values.push(if last { value } else { settled(value) });
        }
        let fallible = range.fallible;
        let value = match (name, values.as_slice()) {
            ("map", [value]) => mapped(at, &range, &item, None, value.clone())?,
            ("map", [condition, value]) => {
                mapped(at, &range, &item, Some(condition), value.clone())?
            }
            ("filter", [condition]) => filter(at, &range, &item, condition)?,
            (_, [condition]) => quantified(at, &range, &item, name, condition)?,
            _ => {
                return refuse(
                    at,
                    format!(
                        "{name}() has a variable and a condition: list.{name}(item, condition)"
                    ),
                );
            }
        };
        Ok(Value {
            fallible: value.fallible | fallible,
            ..value
        })
    }

    fn range(&mut self, at: usize, receiver: &Expr, name: &str) -> Result<Range, Refusal> {
        let range = self.settled(receiver)?;
        let (iter, item) = match range.sort.clone() {
            Sort::List(item) if item.sort == Sort::Nothing => {
                return refuse(
                    range.at,
                    format!("`[]` has nothing that {name}() could go through"),
                );
            }
            Sort::List(item) => (format!("{}.iter()", range.borrowed_operand()), *item),
            // The order of a map is none. Where it would show, its keys are sorted.
            Sort::Map(key, _) if matches!(name, "map" | "filter") => (
                format!(
                    "{CEL}::sorted({}.keys()).into_iter()",
                    range.borrowed_operand()
                ),
                *key,
            ),
            Sort::Map(key, _) => (format!("{}.keys()", range.borrowed_operand()), *key),
            other => {
                return refuse(
                    at,
                    format!(
                        "{name}() goes through a list or a map, not a {}",
                        other.name()
                    ),
                );
            }
        };
        Ok(Range {
            iter,
            item,
            hold: range.lent().max(Hold::Plain),
            fallible: range.fallible,
        })
    }
}

fn mapped(
    at: usize,
    range: &Range,
    item: &str,
    condition: Option<&Value>,
    value: Value,
) -> Result<Value, Refusal> {
    let mapped = value.lasting();
    storable(&mapped)?;
    if let Some(condition) = condition {
        is_condition(condition)?;
    }
    let sort = Sort::List(Box::new(mapped.stored()));
    let fallible = mapped.fallible || condition.is_some_and(|condition| condition.fallible);
    let code = match (condition, fallible) {
        (None, false) => format!("{}.map(|{item}| {})", range.iter, mapped.code),
        (Some(condition), false) => {
            format!(
                "{}.filter(|&{item}| {}).map(|{item}| {})",
                range.iter, condition.code, mapped.code
            )
        }
        (condition, true) => return Ok(picked(at, range, item, condition, &mapped.code, sort)),
    };
    Ok(Value::new(at, sort, format!("{code}.collect::<::std::vec::Vec<_>>()")).owned())
}

/// The items that fulfil `condition`, in canonical form; owned where they are only passing.
fn filter(at: usize, range: &Range, item: &str, condition: &Value) -> Result<Value, Refusal> {
    is_condition(condition)?;
    let kind = &range.item;
    let passing = range.hold == Hold::Passing && !kind.sort.is_copy();
    let read = format!(
        "{}{}",
        kind.read_from(item),
        if passing { owning(&kind.sort) } else { "" }
    );
    let sort = Sort::List(Box::new(Type {
        sort: kind.sort.clone(),
        store: if passing {
            Store::Owned
        } else {
            Store::Canonical
        },
    }));
    if condition.fallible {
        return Ok(picked(at, range, item, Some(condition), &read, sort));
    }
    let code = format!(
        "{}.filter(|&{item}| {}).map(|{item}| {read}).collect::<::std::vec::Vec<_>>()",
        range.iter, condition.code
    );
    Ok(Value::new(at, sort, code).owned())
}

/// Those items that fulfil the condition, mapped, where doing so can fail.
fn picked(
    at: usize,
    range: &Range,
    item: &str,
    condition: Option<&Value>,
    mapped: &str,
    sort: Sort,
) -> Value {
    let body = match condition {
        Some(condition) => format!(
            "if {} {{ ::core::option::Option::Some({mapped}) }} else {{ ::core::option::Option::None }}",
            condition.code
        ),
        None => format!("::core::option::Option::Some({mapped})"),
    };
    let code = format!(
        "{CEL}::pick({}, |{item}| ::core::result::Result::Ok({body}))",
        range.iter
    );
    Value::new(at, sort, code).owned().tried()
}

fn quantified(
    at: usize,
    range: &Range,
    item: &str,
    name: &str,
    condition: &Value,
) -> Result<Value, Refusal> {
    is_condition(condition)?;
    let code = &condition.code;
    let iter = &range.iter;
    if condition.fallible {
        let code = format!("{CEL}::{name}({iter}, |{item}| ::core::result::Result::Ok({code}))");
        return Ok(Value::new(at, Sort::Bool, code).tried());
    }
    Ok(match name {
        "all" => Value::new(at, Sort::Bool, format!("{iter}.all(|{item}| {code})")),
        "exists" => Value::new(at, Sort::Bool, format!("{iter}.any(|{item}| {code})")),
        _ => Value::new(
            at,
            Sort::Bool,
            format!("{iter}.filter(|&{item}| {code}).count() == 1"),
        )
        .loose(),
    })
}

fn is_condition(value: &Value) -> Result<(), Refusal> {
    if matches!(value.sort, Sort::Bool | Sort::Nothing) {
        return Ok(());
    }
    refuse(
        value.at,
        format!("a condition is a bool, not a {}", value.sort.name()),
    )
}
