//! JSON whose fields stay in the order in which they were put there: what people read is ordered by meaning.

use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};
use serde_json::Value;

/// A value of JSON.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// What has no fields.
    Plain(Value),
    /// A list.
    List(Vec<Json>),
    /// Fields, in this order.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// An object with these fields.
    pub fn object<const N: usize>(fields: [(&str, Json); N]) -> Self {
        Self::Object(fields.map(|(name, value)| (name.to_owned(), value)).into())
    }

    /// A list of texts.
    pub fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(
            texts
                .into_iter()
                .map(|text| Self::Plain(Value::String(text.into())))
                .collect(),
        )
    }

    /// Puts a field at the end. Nothing happens to what is no object.
    pub fn put(&mut self, name: impl Into<String>, value: impl Into<Json>) {
        if let Self::Object(fields) = self {
            fields.push((name.into(), value.into()));
        }
    }

    /// As text, indented by two spaces, without a line break at the end.
    pub fn pretty(&self) -> String {
        // Text, numbers and lists of them can always be written.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// As text in one line.
    pub fn compact(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether it is an object without fields.
    pub fn is_empty_object(&self) -> bool {
        matches!(self, Self::Object(fields) if fields.is_empty())
    }
}

impl<T: Into<Value>> From<T> for Json {
    fn from(value: T) -> Self {
        Self::Plain(value.into())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(value) => value.serialize(serializer),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}
