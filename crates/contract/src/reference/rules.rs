//! What values must be like (`buf.validate`), with each rule in words.

mod words;

use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage as _,
    Value,
};
use scribemed_codegen::options::{Fields as _, extension};

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The kind of value that it is for, as protovalidate has it: `string`, `int32`, `repeated`; `cel` for an expression.
    pub kind: String,
    /// Its name: `max_len`.
    pub name: String,
    /// What it compares with.
    pub value: Value,
    /// The whole in words: `at most 200 characters`.
    pub words: String,
}

/// What a value must be like.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rules {
    /// It must be set.
    pub required: bool,
    /// The zero value is accepted, whatever the rules say.
    pub unless_zero: bool,
    /// Each of them must hold.
    pub rules: Vec<Rule>,
    /// For the items of a list, or the values of a map.
    pub items: Option<Box<Rules>>,
    /// For the keys of a map.
    pub keys: Option<Box<Rules>>,
}

impl Rules {
    /// The rule of this name, of whichever kind.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let mut rules = self.rules.iter().filter(|rule| rule.kind != "cel");
        rules.find(|rule| rule.name == name).map(|rule| &rule.value)
    }

    /// All of them in words.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.required {
            words.push("must be set".to_owned());
        }
        words.extend(self.each_in_words());
        if self.unless_zero && !self.rules.is_empty() {
            words.push("or left empty".to_owned());
        }
        let part = |of: &str, rules: &Option<Box<Rules>>| {
            let words = rules
                .as_ref()
                .map(|rules| rules.words())
                .unwrap_or_default();
            (!words.is_empty()).then(|| format!("each {of}: {}", words.join(", ")))
        };
        words.extend(part("key", &self.keys));
        let of = if self.keys.is_some() { "value" } else { "item" };
        words.extend(part(of, &self.items));
        words
    }

    /// A lower bound and an upper one below it: the value must be outside of what lies between.
    fn outside(&self) -> Option<(&Rule, &Rule)> {
        let bound = |names: [&str; 2]| {
            let mut rules = self.rules.iter().filter(|rule| rule.kind != "cel");
            rules.find(|rule| names.contains(&rule.name.as_str()))
        };
        let (low, high) = (bound(["gt", "gte"])?, bound(["lt", "lte"])?);
        (number(&low.value) > number(&high.value)).then_some((low, high))
    }

    /// Each rule in words; one for both bounds of what the value must be outside of.
    fn each_in_words(&self) -> Vec<String> {
        let words = |rule: &Rule| match self.outside() {
            Some((low, high)) if rule == low => Some(format!("{} or {}", low.words, high.words)),
            Some((_, high)) if rule == high => None,
            _ => Some(rule.words.clone()),
        };
        self.rules.iter().filter_map(words).collect()
    }

    /// Whether the zero value breaks none of them. Expressions are taken to accept it.
    pub fn admit_zero(&self) -> bool {
        if self.required {
            return false;
        }
        let admits = |rule: &Rule| match self.outside() {
            Some((low, high)) if rule == low || rule == high => {
                admits_zero(low) || admits_zero(high)
            }
            _ => admits_zero(rule),
        };
        self.unless_zero || self.rules.iter().all(admits)
    }
}

fn admits_zero(rule: &Rule) -> bool {
    let number = |value: &Value| number(value).unwrap_or(0.0);
    match rule.name.as_str() {
        "const" | "prefix" | "suffix" | "contains" => is_zero(&rule.value),
        "in" => rule
            .value
            .as_list()
            .is_some_and(|items| items.iter().any(is_zero)),
        "not_in" => !rule
            .value
            .as_list()
            .is_some_and(|items| items.iter().any(is_zero)),
        "len" | "len_bytes" | "min_len" | "min_bytes" | "min_items" | "min_pairs" | "gte" => {
            number(&rule.value) <= 0.0
        }
        "gt" => number(&rule.value) < 0.0,
        "lt" => number(&rule.value) > 0.0,
        "lte" => number(&rule.value) >= 0.0,
        "pattern" => {
            let pattern = rule
                .value
                .as_str()
                .and_then(|text| regex::Regex::new(text).ok());
            pattern.is_none_or(|pattern| pattern.is_match(""))
        }
        // A format is never that of an empty text, but a reference may be.
        "uri_ref" | "strict" | "example" | "not_contains" | "max_len" | "max_bytes" | "unique"
        | "finite" | "defined_only" | "max_items" | "max_pairs" => true,
        _ => !matches!(rule.kind.as_str(), "string" | "bytes"),
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::Bool(value) => !value,
        Value::EnumNumber(number) => *number == 0,
        Value::Message(_) | Value::List(_) | Value::Map(_) => false,
        Value::I32(_)
        | Value::I64(_)
        | Value::U32(_)
        | Value::U64(_)
        | Value::F32(_)
        | Value::F64(_) => number(value) == Some(0.0),
    }
}

/// The number that a rule compares with, for what need not be exact.
#[allow(
    clippy::cast_precision_loss,
    reason = "its sign and its size matter, not its last digit"
)]
pub(crate) fn number(value: &Value) -> Option<f64> {
    Some(match value {
        Value::I32(value) | Value::EnumNumber(value) => f64::from(*value),
        Value::I64(value) => *value as f64,
        Value::U32(value) => f64::from(*value),
        Value::U64(value) => *value as f64,
        Value::F32(value) => f64::from(*value),
        Value::F64(value) => *value,
        Value::Message(message) => {
            let (seconds, nanos) = message.seconds_and_nanos();
            seconds as f64 + f64::from(nanos) / 1e9
        }
        Value::Bool(_) | Value::String(_) | Value::Bytes(_) | Value::List(_) | Value::Map(_) => {
            return None;
        }
    })
}

/// The rules of a field.
pub(super) fn of_field(pool: &DescriptorPool, field: &FieldDescriptor) -> Rules {
    let Some(message) = extension(pool, &field.options(), "buf.validate.field") else {
        return Rules::default();
    };
    let mut rules = read(&message, &field.kind());
    let says = message.has_field_by_name("ignore");
    rules.unless_zero |= !says && is_in_oneof_rule(field);
    // What has presence and is set has a value, were it the zero value.
    rules.unless_zero &= !field.supports_presence();
    rules
}

/// Whether a oneof rule of its message names the field: it is left alone at its zero value then.
pub(crate) fn is_in_oneof_rule(field: &FieldDescriptor) -> bool {
    let message = field.parent_message();
    let rules = extension(
        field.parent_pool(),
        &message.options(),
        "buf.validate.message",
    );
    let oneofs = rules.map(|rules| rules.list("oneof")).unwrap_or_default();
    oneofs
        .iter()
        .filter_map(Value::as_message)
        .flat_map(|oneof| oneof.list("fields"))
        .any(|name| name.as_str() == Some(field.name()))
}

/// The fields of each rule of a message by which exactly one of them must be set.
pub(super) fn one_of(pool: &DescriptorPool, message: &MessageDescriptor) -> Vec<Vec<String>> {
    let rules = extension(pool, &message.options(), "buf.validate.message");
    let oneofs = rules.map(|rules| rules.list("oneof")).unwrap_or_default();
    oneofs
        .iter()
        .filter_map(Value::as_message)
        .filter(|oneof| oneof.flag("required") == Some(true))
        .map(|oneof| {
            let names = oneof.list("fields");
            names
                .iter()
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect()
        })
        .collect()
}

/// What must hold for a message as a whole, in words.
pub(super) fn of_message(pool: &DescriptorPool, message: &MessageDescriptor) -> Vec<String> {
    let Some(rules) = extension(pool, &message.options(), "buf.validate.message") else {
        return Vec::new();
    };
    let mut words: Vec<String> = expressions(&rules)
        .into_iter()
        .map(|rule| rule.words)
        .collect();
    for oneof in rules.list("oneof") {
        let Some(oneof) = oneof.as_message() else {
            continue;
        };
        let fields = oneof.list("fields");
        let fields = super::text::list(&fields);
        let count = if oneof.flag("required").unwrap_or(false) {
            "exactly one"
        } else {
            "at most one"
        };
        words.push(format!("{count} of {fields} is set"));
    }
    words
}

fn read(message: &DynamicMessage, kind: &Kind) -> Rules {
    let mut rules = Rules {
        required: message.flag("required").unwrap_or(false),
        unless_zero: message.enumerator("ignore") == Some(IF_ZERO),
        rules: expressions(message),
        ..Rules::default()
    };
    if message.enumerator("ignore") == Some(ALWAYS) {
        return Rules::default();
    }
    let of_type = message
        .descriptor()
        .oneofs()
        .find(|oneof| oneof.name() == "type");
    let typed = of_type
        .into_iter()
        .flat_map(|oneof| oneof.fields().collect::<Vec<_>>());
    for field in typed.filter(|field| message.has_field(field)) {
        if let Value::Message(inner) = message.get_field(&field).into_owned() {
            read_typed(field.name(), &inner, kind, &mut rules);
        }
    }
    rules
}

const IF_ZERO: i32 = 1;
const ALWAYS: i32 = 3;

/// The rules for one kind of value.
fn read_typed(kind: &str, message: &DynamicMessage, of: &Kind, rules: &mut Rules) {
    for (field, value) in message.fields() {
        let nested = || {
            value
                .as_message()
                .map(|inner| Box::new(read(inner, &item_kind(of, field.name()))))
        };
        match field.name() {
            "items" | "values" => rules.items = nested(),
            "keys" => rules.keys = nested(),
            name => {
                let words = words::words(kind, name, value, of);
                if !words.is_empty() {
                    rules.rules.push(Rule {
                        kind: kind.to_owned(),
                        name: name.to_owned(),
                        value: value.clone(),
                        words,
                    });
                }
            }
        }
    }
    // What others have defined on top (predefined rules).
    for (extension, value) in message.extensions() {
        rules.rules.push(Rule {
            kind: "cel".to_owned(),
            name: extension.full_name().to_owned(),
            value: value.clone(),
            words: format!("{}: {}", extension.full_name(), super::text::value(value)),
        });
    }
}

/// The kind of what a rule of lists and maps is about.
fn item_kind(of: &Kind, part: &str) -> Kind {
    let entry = of.as_message().filter(|message| message.is_map_entry());
    match entry {
        Some(entry) if part == "keys" => entry.map_entry_key_field().kind(),
        Some(entry) => entry.map_entry_value_field().kind(),
        None => of.clone(),
    }
}

/// Rules that are written in CEL: their message where they have one, else the expression.
fn expressions(message: &DynamicMessage) -> Vec<Rule> {
    let rule = |name: String, expression: String, words: String| Rule {
        kind: "cel".to_owned(),
        name,
        words: if words.is_empty() {
            format!("`{expression}`")
        } else {
            words
        },
        value: Value::String(expression),
    };
    let short = message.list("cel_expression");
    let short = short
        .iter()
        .filter_map(|value| Some(value.as_str()?.to_owned()));
    let long = message.list("cel");
    let long = long.iter().filter_map(|value| {
        let inner = value.as_message()?;
        Some(rule(
            inner.text("id").unwrap_or_default(),
            inner.text("expression").unwrap_or_default(),
            inner.text("message").unwrap_or_default(),
        ))
    });
    short
        .map(|expression| rule(String::new(), expression, String::new()))
        .chain(long)
        .collect()
}
