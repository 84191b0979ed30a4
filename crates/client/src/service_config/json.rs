//! JSON with the place of each value, read strictly: no field twice, none that is not known.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::error::Error;

/// A JSON value. Unlike `serde_json::Value` it refuses a field that is there twice, of which one would win silently.
#[derive(Debug)]
pub(super) enum Node {
    Null,
    Flag(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Object(BTreeMap<String, Node>),
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    pub(super) node: &'a Node,
    path: String,
}

/// The fields of an object, all of them known.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    place: Place<'a>,
    fields: &'a BTreeMap<String, Node>,
}

/// The most of a text that an error shows, in characters.
const SHOWN: usize = 40;

impl Node {
    pub(super) fn parse(json: &str) -> Result<Self, Error> {
        serde_json::from_str(json).map_err(|error| Error::no_json(&error))
    }
}

impl<'a> Place<'a> {
    pub(super) fn root(node: &'a Node) -> Self {
        Self {
            node,
            path: String::new(),
        }
    }

    /// The error that this value `is`, `has` or `names` something wrong.
    pub(super) fn error(&self, problem: impl Into<String>) -> Error {
        Error::at(&self.path, problem)
    }

    /// The error that a field of this object is or has something wrong.
    pub(super) fn field_error(&self, field: &str, problem: impl Into<String>) -> Error {
        Error::at(&self.below(field), problem)
    }

    /// The error that this value is not what it must be.
    pub(super) fn must_be(&self, right: &str) -> Error {
        self.error(format!("is {}; it must be {right}", self.node))
    }

    /// The fields of an object that may have these.
    pub(super) fn object(&self, known: &[&str]) -> Result<Fields<'a>, Error> {
        let Node::Object(fields) = self.node else {
            return Err(self.must_be("an object, as {}"));
        };
        if let Some(field) = fields.keys().find(|field| !known.contains(&field.as_str())) {
            let meant = known.iter().find(|known| plain(known) == plain(field));
            let right = match (meant, known.is_empty()) {
                (Some(meant), _) => format!("it is called {meant}"),
                (None, true) => "there are no fields here".to_owned(),
                (None, false) => format!("the fields here are {}", known.join(", ")),
            };
            return Err(Error::at(
                &self.below(field),
                format!("is not known; {right}"),
            ));
        }
        Ok(Fields {
            place: self.clone(),
            fields,
        })
    }

    /// The one field of an object that has exactly one, whatever its name.
    pub(super) fn only_field(&self, example: &str) -> Result<(&'a str, Self), Error> {
        let Node::Object(fields) = self.node else {
            return Err(self.must_be(&format!("an object with one field, as {example}")));
        };
        let mut fields = fields.iter();
        match (fields.next(), fields.next()) {
            (Some((name, node)), None) => Ok((name, self.child(name, node))),
            _ => Err(self.error(format!("has not one field; write it as {example}"))),
        }
    }

    pub(super) fn list(&self) -> Result<Vec<Self>, Error> {
        let Node::List(items) = self.node else {
            return Err(self.must_be("a list, as [..]"));
        };
        let item = |(index, node)| Self {
            node,
            path: format!("{}[{index}]", self.path),
        };
        Ok(items.iter().enumerate().map(item).collect())
    }

    pub(super) fn text(&self, example: &str) -> Result<&'a str, Error> {
        let Node::Text(text) = self.node else {
            return Err(self.must_be(&format!("a text, as {example:?}")));
        };
        Ok(text)
    }

    pub(super) fn flag(&self) -> Result<bool, Error> {
        let Node::Flag(flag) = self.node else {
            return Err(self.must_be("true or false"));
        };
        Ok(*flag)
    }

    fn child(&self, name: &str, node: &'a Node) -> Self {
        Self {
            node,
            path: self.below(name),
        }
    }

    fn below(&self, field: &str) -> String {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if field.is_empty() || field.len() > SHOWN || !field.chars().all(word) {
            format!("{}[{}]", self.path, shown(field))
        } else if self.path.is_empty() {
            field.to_owned()
        } else {
            format!("{}.{field}", self.path)
        }
    }
}

impl<'a> Fields<'a> {
    pub(super) fn get(&self, name: &str) -> Option<Place<'a>> {
        let node = self.fields.get(name)?;
        Some(self.place.child(name, node))
    }

    pub(super) fn require(&self, name: &str, example: &str) -> Result<Place<'a>, Error> {
        self.get(name).ok_or_else(|| {
            Error::at(
                &self.place.below(name),
                format!("is missing; write {example}"),
            )
        })
    }
}

/// As an error names it: its value if that is short, else its kind.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Flag(flag) => flag.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(&shown(text)),
            Self::List(_) => f.write_str("a list"),
            Self::Object(_) => f.write_str("an object"),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::Flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Node, E> {
        let number = Number::from_f64(number).ok_or_else(|| E::custom("a number is not finite"))?;
        Ok(Node::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some(name) = entries.next_key::<String>()? {
            if fields.contains_key(&name) {
                let twice = format!("the field {} is there twice", shown(&name));
                return Err(A::Error::custom(twice));
            }
            fields.insert(name, entries.next_value()?);
        }
        Ok(Node::Object(fields))
    }
}

/// The text in quotes, cut where it is long.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}..", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// A field's name without what people mix up.
fn plain(name: &str) -> String {
    name.replace(['_', '-'], "").to_ascii_lowercase()
}
