//! Names, literals, indices, and which part of this module translates what.

use prost_reflect::Value as Constant;

use super::lex::refuse;
use super::parse::{Expr, Node};
use super::types::{Sort, Store, Type};
use super::value::{Hold, Known, Value};
use super::{CEL, Refusal, Scope, constants};

/// A translation on its way.
pub(super) struct Translator<'a> {
    pub(super) scope: &'a Scope<'a>,
    /// What macros have bound, the innermost last.
    vars: Vec<Var>,
    count: usize,
    /// Whether the code uses `now`.
    pub(super) uses_now: bool,
}

struct Var {
    name: String,
    kind: Type,
    /// The Rust name of a reference to it.
    code: String,
    hold: Hold,
}

impl<'a> Translator<'a> {
    pub(super) fn new(scope: &'a Scope<'a>) -> Self {
        Self {
            scope,
            vars: Vec::new(),
            count: 0,
            uses_now: false,
        }
    }

    /// The Rust of `expr`.
    pub(super) fn value(&mut self, expr: &Expr) -> Result<Value, Refusal> {
        let at = expr.at;
        let known = |sort, known| Ok(Value::known(at, sort, known));
        match &expr.node {
            Node::Null => Ok(Value::new(at, Sort::Null, "()").holding(Hold::Static)),
            Node::Bool(value) => known(Sort::Bool, Known::Bool(*value)),
            Node::Int(value) => known(Sort::Int, Known::Int(*value)),
            Node::Uint(value) => known(Sort::Uint, Known::Uint(*value)),
            Node::Double(value) => known(Sort::Double, Known::Double(*value)),
            Node::Text(value) => known(Sort::Text, Known::Text(value.clone())),
            Node::Bytes(value) => known(Sort::Bytes, Known::Bytes(value.clone())),
            Node::Ident(name) => self.named(at, name),
            Node::Select(operand, field) => match self.qualified(expr) {
                Some(value) => Ok(value),
                None => self.select(at, operand, field),
            },
            Node::Index(operand, index) => self.index(at, operand, index),
            Node::Call(receiver, name, arguments) => {
                self.call(at, receiver.as_deref(), name, arguments)
            }
            Node::List(items) => self.list(at, items),
            Node::Map(_) => refuse(
                at,
                "maps cannot be written into a rule; compare with each case, or use a list and `in`",
            ),
            Node::Unary(sign, operand) => self.unary(at, sign, operand),
            Node::Binary(sign, left, right) => self.binary(at, sign, left, right),
            Node::Choice(condition, yes, no) => self.choice(at, condition, yes, no),
        }
    }

    /// The Rust of `expr`, which is needed: that a wrapper is null is a failure.
    pub(super) fn settled(&mut self, expr: &Expr) -> Result<Value, Refusal> {
        Ok(settled(self.value(expr)?))
    }

    /// A name for something of the translator's own.
    pub(super) fn fresh(&mut self, what: &str) -> String {
        self.count += 1;
        format!("{what}{}", self.count)
    }

    /// Translates `body` with `name` bound to what the Rust name `code` refers to.
    pub(super) fn with_var<T>(
        &mut self,
        (name, code): (&str, &str),
        kind: Type,
        hold: Hold,
        body: impl FnOnce(&mut Self) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.vars.push(Var {
            name: name.to_owned(),
            kind,
            code: code.to_owned(),
            hold,
        });
        let translated = body(self);
        self.vars.pop();
        translated
    }

    fn named(&mut self, at: usize, name: &str) -> Result<Value, Refusal> {
        if let Some(var) = self.vars.iter().rev().find(|var| var.name == name) {
            return typed(at, &var.kind, &format!("(*{})", var.code), var.hold);
        }
        match name {
            "this" => {
                let (kind, place) = &self.scope.this;
                return typed(at, kind, place, Hold::Plain);
            }
            "now" => {
                self.uses_now = true;
                return Ok(Value::new(at, Sort::Timestamp, "now"));
            }
            "rule" => {
                if let Some((field, value)) = self.scope.rule {
                    return constants::of_field(at, &field.kind(), value);
                }
            }
            "rules" => {
                if let Some(rules) = self.scope.rules {
                    return constants::of_value(at, &Constant::Message(rules.clone()));
                }
            }
            "bool" | "int" | "uint" | "double" | "string" | "bytes" | "list" | "map"
            | "null_type" | "type" => {
                return Ok(Value::new(at, Sort::Type(name.to_owned()), "()").holding(Hold::Static));
            }
            _ => {}
        }
        let message = match name {
            "rule" | "rules" => {
                format!(
                    "`{name}` is there in predefined rules only, which stand on extensions of rules"
                )
            }
            _ => format!(
                "there is no `{name}` here; `this` is what the rule stands on: `this.{name}` is its field"
            ),
        };
        refuse(at, message)
    }

    /// A value of an enum or the name of a message, by its full name.
    fn qualified(&self, expr: &Expr) -> Option<Value> {
        let mut parts = Vec::new();
        let mut at = expr;
        let root = loop {
            match &at.node {
                Node::Select(inner, name) => {
                    parts.push(name.as_str());
                    at = inner;
                }
                Node::Ident(name) => break name,
                _ => return None,
            }
        };
        if matches!(root.as_str(), "this" | "now" | "rule" | "rules")
            || self.vars.iter().any(|var| var.name == *root)
        {
            return None;
        }
        parts.push(root);
        parts.reverse();
        let full = parts.join(".");
        if self.scope.pool.get_message_by_name(&full).is_some() {
            return Some(Value::new(at.at, Sort::Type(full), "()").holding(Hold::Static));
        }
        let value = parts.pop()?;
        let kind = self.scope.pool.get_enum_by_name(&parts.join("."))?;
        let value = kind.get_value_by_name(value)?;
        Some(Value::known(
            at.at,
            Sort::Int,
            Known::Int(i64::from(value.number())),
        ))
    }

    fn list(&mut self, at: usize, items: &[Expr]) -> Result<Value, Refusal> {
        let mut values = Vec::new();
        for item in items {
            let value = self.value(item)?.lasting();
            storable(&value)?;
            values.push(value);
        }
        let Some(first) = values.first() else {
            let nothing = Type::canonical(Sort::Nothing);
            return Ok(Value::new(at, Sort::List(Box::new(nothing)), "&[]")
                .loose()
                .holding(Hold::Static));
        };
        if let Some(other) = values.iter().find(|value| !value.sort.fits(&first.sort)) {
            return refuse(
                other.at,
                format!(
                    "this item is of type {} and the first one of type {}; a list is of one type",
                    other.sort.name(),
                    first.sort.name()
                ),
            );
        }
        let hold = values
            .iter()
            .map(|value| value.hold)
            .max()
            .unwrap_or(Hold::Static);
        if hold == Hold::Owned {
            values = values.into_iter().map(Value::into_owned).collect();
        }
        let others: Vec<&Value> = values.iter().collect();
        let codes: Vec<&str> = values.iter().map(|value| value.code.as_str()).collect();
        let codes = codes.join(", ");
        let sort = Sort::List(Box::new(
            values
                .first()
                .map_or_else(|| Type::canonical(Sort::Nothing), Value::stored),
        ));
        let list = if hold == Hold::Static {
            Value::new(at, sort, format!("&[{codes}][..]"))
                .loose()
                .holding(hold)
        } else {
            Value::new(at, sort, format!("[{codes}]")).owned()
        };
        Ok(list.of(&others))
    }

    fn index(&mut self, at: usize, operand: &Expr, index: &Expr) -> Result<Value, Refusal> {
        let operand = self.settled(operand)?;
        match operand.sort.clone() {
            Sort::List(item) => {
                let index = self.settled(index)?;
                if index.sort != Sort::Int {
                    return refuse(
                        index.at,
                        format!("a list is indexed by an int, not a {}", index.sort.name()),
                    );
                }
                let code = format!("{CEL}::at({}, {})?", operand.borrowed(), index.code);
                let value = typed(at, &item, &format!("(*{code})"), operand.lent())?;
                Ok(Value {
                    fallible: true,
                    ..value
                })
            }
            Sort::Map(key, value) => {
                let index = self.settled(index)?;
                let found = entry(at, &operand, &key, &index)?;
                let code = format!("{found}.ok_or({CEL}::Failure::NoSuchKey)?");
                let value = typed(at, &value, &format!("(*{code})"), operand.lent())?;
                Ok(Value {
                    fallible: true,
                    ..value
                })
            }
            other => refuse(
                at,
                format!("a {} has no items; lists and maps have", other.name()),
            ),
        }
    }
}

/// The code of an `Option` of a reference to the value that the map `operand` has for `key`.
pub(super) fn entry(
    at: usize,
    operand: &Value,
    kind: &Type,
    key: &Value,
) -> Result<String, Refusal> {
    if key.sort != kind.sort {
        return refuse(
            key.at.max(at),
            format!(
                "the keys of this map are of type {}, not {}",
                kind.sort.name(),
                key.sort.name()
            ),
        );
    }
    let map = operand.borrowed_operand();
    Ok(match (&kind.sort, kind.store) {
        (Sort::Int, Store::Narrow) => {
            format!("{CEL}::narrow::<i64, i32, _>({map}, {})", key.code)
        }
        (Sort::Uint, Store::Narrow) => {
            format!("{CEL}::narrow::<u64, u32, _>({map}, {})", key.code)
        }
        (Sort::Text, _) => format!("{map}.get({})", key.borrowed()),
        _ => format!("{map}.get(&{})", key.operand()),
    })
}

/// Refuses what lists do not hold.
pub(super) fn storable(value: &Value) -> Result<(), Refusal> {
    match value.sort {
        Sort::Nullable(_) => refuse(
            value.at,
            "a list cannot hold a wrapper, which may be null; convert it: has(this.w) ? int(this.w) : 0",
        ),
        Sort::List(_) | Sort::Map(..) | Sort::Rules(_) | Sort::Null | Sort::Type(_) => refuse(
            value.at,
            format!(
                "a list cannot hold a {}; it holds scalars, times and messages",
                value.sort.name()
            ),
        ),
        _ => Ok(()),
    }
}

/// The value within a wrapper; that it is null is a failure.
pub(super) fn settled(value: Value) -> Value {
    let Sort::Nullable(inner) = value.sort.clone() else {
        return value;
    };
    let code = format!("{}.ok_or({CEL}::Failure::Null)", value.operand());
    let value = Value {
        code,
        loose: false,
        sort: *inner,
        ..value
    };
    value.tried()
}

/// What `place` holds; refused if it has no type at build time.
pub(super) fn typed(at: usize, kind: &Type, place: &str, hold: Hold) -> Result<Value, Refusal> {
    if let Sort::Dynamic(why) = kind.sort {
        return refuse(at, why);
    }
    let value = Value {
        hold: if kind.sort.is_copy() {
            Hold::Plain
        } else {
            hold.max(Hold::Plain)
        },
        ..Value::new(at, kind.sort.clone(), kind.read(place))
    };
    let loose = kind.reads_loosely() || value.code.starts_with('&');
    Ok(Value { loose, ..value })
}
