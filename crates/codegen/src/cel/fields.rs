//! Fields of messages: their values, and whether they are there.

use prost_reflect::{
    Cardinality, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage as _,
};

use super::expr::{Translator, entry, typed};
use super::lex::refuse;
use super::parse::{Expr, Node};
use super::types::{Sort, Store, Type, wrapped};
use super::value::{Hold, Known, Value};
use super::{CEL, Refusal, constants};
use crate::names;

/// How a message holds a field.
enum Slot {
    /// As its value, which is there always.
    Bare,
    Optional,
    /// As a variant of a oneof: the oneof's field and the variant's path.
    Variant(String, String),
}

impl Translator<'_> {
    /// The value of a field, or of a map's entry.
    pub(super) fn select(
        &mut self,
        at: usize,
        operand: &Expr,
        name: &str,
    ) -> Result<Value, Refusal> {
        let operand = self.settled(operand)?;
        match operand.sort.clone() {
            Sort::Message(message) => match message.get_field_by_name(name) {
                Some(field) => self.field(at, &operand, &field),
                // Of what was made dynamic, a field is looked for when the rule is evaluated, in vain.
                None if operand.dynamic => {
                    let code = format!("::core::result::Result::Err({CEL}::Failure::NoSuchField)");
                    Ok(Value::new(at, Sort::Nothing, code).tried())
                }
                None => refuse(at, no_field(&message, name)),
            },
            Sort::Rules(rules) => match rules_field(&rules, name) {
                Some(field) => constants::select(at, &rules, &field),
                None => refuse(at, no_field(&rules.descriptor(), name)),
            },
            Sort::Map(key, value) => {
                let index = Value::known(at, Sort::Text, Known::Text(name.to_owned()));
                let found = entry(at, &operand, &key, &index)?;
                let place = format!("(*{found}.ok_or({CEL}::Failure::NoSuchKey)?)");
                let value = typed(at, &value, &place, operand.lent())?;
                Ok(Value {
                    fallible: true,
                    ..value
                })
            }
            other => refuse(
                at,
                format!("a {} has no fields; messages have", other.name()),
            ),
        }
    }

    /// `has(operand.name)`.
    pub(super) fn has(&mut self, at: usize, argument: &Expr) -> Result<Value, Refusal> {
        let Node::Select(operand, name) = &argument.node else {
            return refuse(argument.at, "has() asks for a field: has(this.name)");
        };
        let operand = self.settled(operand)?;
        match operand.sort.clone() {
            Sort::Message(message) => match message.get_field_by_name(name) {
                Some(field) => Ok(self.presence(at, &operand, &field).of(&[&operand])),
                None => refuse(argument.at, no_field(&message, name)),
            },
            Sort::Rules(rules) => match rules_field(&rules, name) {
                Some(field) => Ok(Value::known(
                    at,
                    Sort::Bool,
                    Known::Bool(rules.has_field(&field)),
                )),
                None => refuse(argument.at, no_field(&rules.descriptor(), name)),
            },
            Sort::Map(key, _) => {
                let index = Value::known(at, Sort::Text, Known::Text(name.clone()));
                let found = entry(at, &operand, &key, &index)?;
                Ok(Value::new(at, Sort::Bool, format!("{found}.is_some()")).of(&[&operand]))
            }
            other => refuse(
                argument.at,
                format!("a {} has no fields; messages have", other.name()),
            ),
        }
    }

    fn field(
        &mut self,
        at: usize,
        operand: &Value,
        field: &FieldDescriptor,
    ) -> Result<Value, Refusal> {
        let kind = Type::of_field(field);
        let message = operand.fields_of();
        let place = format!("{message}.{}", names::ident(field.name()));
        let hold = operand.lent();
        if let Some(inner) = wrapper(field) {
            return Ok(self.wrapper(at, operand, field, &inner).of(&[operand]));
        }
        let value = match self.slot(field) {
            Slot::Bare => return Ok(typed(at, &kind, &place, hold)?.of(&[operand])),
            _ if matches!(kind.sort, Sort::Dynamic(_)) => return typed(at, &kind, &place, hold),
            Slot::Optional => self.optional(at, &kind, field, &place)?,
            Slot::Variant(oneof, variant) => {
                let item = self.fresh("value");
                let read = typed(at, &kind, &format!("(*{item})"), hold)?;
                let unset = self.unset(at, &kind, field)?;
                // A boxed message is read through its box.
                let code = format!(
                    "(match &{message}.{oneof} {{ ::core::option::Option::Some({variant}({item})) => {}, _ => {unset} }})",
                    read.code
                );
                Value::new(at, kind.sort.clone(), code)
            }
        };
        let hold = if kind.sort.is_copy() {
            Hold::Plain
        } else {
            hold.max(Hold::Plain)
        };
        Ok(value.holding(hold).of(&[operand]))
    }

    /// A wrapper: `Option` of the canonical form of its value.
    fn wrapper(
        &mut self,
        at: usize,
        operand: &Value,
        field: &FieldDescriptor,
        inner: &Type,
    ) -> Value {
        let item = self.fresh("value");
        let read = inner.read_from(&item);
        let message = operand.fields_of();
        let code = match self.slot(field) {
            Slot::Variant(oneof, variant) => format!(
                "(match &{message}.{oneof} {{ ::core::option::Option::Some({variant}({item})) => \
                 ::core::option::Option::Some({read}), _ => ::core::option::Option::None }})"
            ),
            Slot::Bare | Slot::Optional => {
                format!(
                    "{message}.{}.as_ref().map(|{item}| {read})",
                    names::ident(field.name())
                )
            }
        };
        Value::new(at, Sort::Nullable(Box::new(inner.sort.clone())), code)
            .holding(operand.lent().max(Hold::Plain))
    }

    fn optional(
        &mut self,
        at: usize,
        kind: &Type,
        field: &FieldDescriptor,
        place: &str,
    ) -> Result<Value, Refusal> {
        let unset = self.unset(at, kind, field)?;
        let code = match (&kind.sort, kind.store) {
            (Sort::Message(_), Store::Boxed) => {
                format!("{place}.as_deref().unwrap_or_else(|| {unset})")
            }
            (Sort::Message(_), _) => format!("{place}.as_ref().unwrap_or_else(|| {unset})"),
            (Sort::Text | Sort::Bytes, _) => format!("{place}.as_deref().unwrap_or({unset})"),
            (_, Store::Canonical) => format!("{place}.unwrap_or({unset})"),
            _ => {
                let item = self.fresh("value");
                format!(
                    "{place}.as_ref().map_or({unset}, |{item}| {})",
                    kind.read_from(&item)
                )
            }
        };
        Ok(Value::new(at, kind.sort.clone(), code))
    }

    /// The code of what a field that is not set is read as, in canonical form.
    fn unset(&self, at: usize, kind: &Type, field: &FieldDescriptor) -> Result<String, Refusal> {
        Ok(match &kind.sort {
            Sort::Message(message) => {
                let path = names::message_path(message, self.scope.package);
                format!(
                    "{{ static UNSET: ::std::sync::LazyLock<{path}> = \
                     ::std::sync::LazyLock::new(::core::default::Default::default); &*UNSET }}"
                )
            }
            Sort::Timestamp | Sort::Duration => "0i128".to_owned(),
            _ => constants::default(at, field)?.code,
        })
    }

    fn slot(&self, field: &FieldDescriptor) -> Slot {
        let oneof = field
            .containing_oneof()
            .filter(|oneof| !oneof.is_synthetic());
        if let Some(oneof) = oneof {
            let variant = names::variant_path(&oneof, field, self.scope.package);
            return Slot::Variant(names::ident(oneof.name()), variant);
        }
        if !field.is_list()
            && !field.is_map()
            && field.cardinality() != Cardinality::Required
            && field.supports_presence()
        {
            return Slot::Optional;
        }
        Slot::Bare
    }

    /// Whether a field is there.
    fn presence(&self, at: usize, operand: &Value, field: &FieldDescriptor) -> Value {
        let message = operand.fields_of();
        let place = format!("{message}.{}", names::ident(field.name()));
        let (code, loose) = match self.slot(field) {
            Slot::Variant(oneof, variant) => (
                format!(
                    "::core::matches!(&{message}.{oneof}, ::core::option::Option::Some({variant}(_)))"
                ),
                false,
            ),
            Slot::Optional => (format!("{place}.is_some()"), false),
            Slot::Bare if field.cardinality() == Cardinality::Required => {
                ("true".to_owned(), false)
            }
            Slot::Bare if field.is_list() || field.is_map() => {
                (format!("!{place}.is_empty()"), true)
            }
            Slot::Bare => match field.kind() {
                Kind::Bool => (place, false),
                Kind::String | Kind::Bytes => (format!("!{place}.is_empty()"), true),
                // A negative zero is sent, and so is there.
                Kind::Float | Kind::Double => (format!("{place}.to_bits() != 0"), true),
                _ => (format!("{place} != 0"), true),
            },
        };
        Value {
            loose,
            ..Value::new(at, Sort::Bool, code)
        }
    }
}

/// The type of the value within, if the field holds one wrapper.
fn wrapper(field: &FieldDescriptor) -> Option<Type> {
    match field.kind() {
        Kind::Message(message)
            if !field.is_list() && !field.is_map() && wrapped(&message).is_some() =>
        {
            Some(Type::of_field(field))
        }
        _ => None,
    }
}

/// The field `name` of a message of rules.
fn rules_field(rules: &DynamicMessage, name: &str) -> Option<FieldDescriptor> {
    rules.descriptor().get_field_by_name(name)
}

fn no_field(message: &MessageDescriptor, name: &str) -> String {
    let names: Vec<String> = message
        .fields()
        .map(|field| field.name().to_owned())
        .collect();
    if names.is_empty() {
        format!("{} has no field `{name}`; it has none", message.full_name())
    } else {
        format!(
            "{} has no field `{name}`; it has {}",
            message.full_name(),
            names.join(", ")
        )
    }
}
