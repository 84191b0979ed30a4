//! The types of values as expressions see them, and how generated Rust holds and reads them.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};

/// The type of a value as expressions see it, and how generated Rust holds it in a place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Type {
    pub(super) sort: Sort,
    pub(super) store: Store,
}

/// A type of the expression language.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sort {
    Bool,
    /// Enums, too.
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    Null,
    /// Nanoseconds since the epoch, `i128`.
    Timestamp,
    /// Nanoseconds, `i128`.
    Duration,
    Message(MessageDescriptor),
    /// Of wrappers: null, or a value.
    Nullable(Box<Sort>),
    List(Box<Type>),
    Map(Box<Type>, Box<Type>),
    /// A message that is known at build time: the rules.
    Rules(DynamicMessage),
    /// What `type()` gives: the name of a type.
    Type(String),
    /// The items of `[]`, and what comes of an evaluation that fails: they fit to anything.
    Nothing,
    /// What has a type only when it runs, and why it is out of reach.
    Dynamic(&'static str),
}

/// How a place holds a value. Beside its place a value is always as [`Store::Canonical`] has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Store {
    /// `bool`, `i64`, `u64`, `f64`, `i128`, `&str`, `&[u8]`, `&T`, `&[T]`, `&HashMap<K, V>`, `Option<..>` of these.
    Canonical,
    /// `i32`, `u32`, `f32`.
    Narrow,
    /// `String`, `Vec<u8>` or `Bytes`, `T`, `Vec<T>`, `HashMap<K, V>`.
    Owned,
    /// `Box<T>`.
    Boxed,
    /// `prost_types::Timestamp` or `Duration`.
    Moment,
}

impl Type {
    /// A whole field that is set: its list, its map, or its value (of a wrapper, the value within).
    pub(crate) fn of_field(field: &FieldDescriptor) -> Self {
        if field.is_map() {
            return Self {
                sort: Sort::Map(
                    Box::new(Self::of_key(field)),
                    Box::new(Self::of_value(field)),
                ),
                store: Store::Owned,
            };
        }
        if field.is_list() {
            return Self {
                sort: Sort::List(Box::new(Self::of_item(field))),
                store: Store::Owned,
            };
        }
        let mut kind = Self::of_item(field);
        if matches!(kind.sort, Sort::Message(_)) && crate::names::is_boxed(field) {
            kind.store = Store::Boxed;
        }
        kind
    }

    /// An item of a repeated field.
    pub(crate) fn of_item(field: &FieldDescriptor) -> Self {
        Self::of_kind(&field.kind())
    }

    /// A key of a map field.
    pub(crate) fn of_key(field: &FieldDescriptor) -> Self {
        match field.kind() {
            Kind::Message(entry) => Self::of_kind(&entry.map_entry_key_field().kind()),
            other => Self::of_kind(&other),
        }
    }

    /// A value of a map field.
    pub(crate) fn of_value(field: &FieldDescriptor) -> Self {
        match field.kind() {
            Kind::Message(entry) => Self::of_kind(&entry.map_entry_value_field().kind()),
            other => Self::of_kind(&other),
        }
    }

    /// A message.
    pub(crate) fn of_message(message: &MessageDescriptor) -> Self {
        Self::of_kind(&Kind::Message(message.clone()))
    }

    pub(super) fn canonical(sort: Sort) -> Self {
        Self {
            sort,
            store: Store::Canonical,
        }
    }

    pub(super) fn of_kind(kind: &Kind) -> Self {
        let (sort, store) = match kind {
            Kind::Bool => (Sort::Bool, Store::Canonical),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Enum(_) => {
                (Sort::Int, Store::Narrow)
            }
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => (Sort::Int, Store::Canonical),
            Kind::Uint32 | Kind::Fixed32 => (Sort::Uint, Store::Narrow),
            Kind::Uint64 | Kind::Fixed64 => (Sort::Uint, Store::Canonical),
            Kind::Float => (Sort::Double, Store::Narrow),
            Kind::Double => (Sort::Double, Store::Canonical),
            Kind::String => (Sort::Text, Store::Owned),
            Kind::Bytes => (Sort::Bytes, Store::Owned),
            Kind::Message(message) => return Self::of_well_known(message),
        };
        Self { sort, store }
    }

    fn of_well_known(message: &MessageDescriptor) -> Self {
        let (sort, store) = match message.full_name() {
            "google.protobuf.Timestamp" => (Sort::Timestamp, Store::Moment),
            "google.protobuf.Duration" => (Sort::Duration, Store::Moment),
            "google.protobuf.Any" => (
                Sort::Dynamic(
                    "what is in a google.protobuf.Any is known only when it is read; use the `any` rules",
                ),
                Store::Owned,
            ),
            "google.protobuf.Struct" | "google.protobuf.Value" | "google.protobuf.ListValue" => (
                Sort::Dynamic(
                    "JSON values have no type at build time; give the field a message of its own",
                ),
                Store::Owned,
            ),
            _ => match wrapped(message) {
                Some(kind) => return Self::of_kind(&kind),
                None => (Sort::Message(message.clone()), Store::Owned),
            },
        };
        Self { sort, store }
    }

    /// Reads the value in `place`, a place expression.
    pub(super) fn read(&self, place: &str) -> String {
        // Methods and fields look through a reference by themselves.
        let bare = place
            .strip_prefix("(*")
            .and_then(|inner| inner.strip_suffix(')'))
            .filter(|inner| is_name(inner));
        let through = bare.unwrap_or(place);
        match (&self.sort, self.store) {
            (Sort::Int, Store::Narrow) => format!("i64::from({})", unparenthesized(place)),
            (Sort::Uint, Store::Narrow) => format!("u64::from({})", unparenthesized(place)),
            (Sort::Double, Store::Narrow) => format!("f64::from({})", unparenthesized(place)),
            (Sort::Timestamp | Sort::Duration, Store::Moment) => {
                format!("{}::moment({through}.seconds, {through}.nanos)", super::CEL)
            }
            (Sort::Text, Store::Owned) => format!("{through}.as_str()"),
            (Sort::Bytes, Store::Owned) => format!("&{through}[..]"),
            (Sort::List(_), Store::Owned) => format!("{through}.as_slice()"),
            (Sort::Message(_), Store::Boxed) => format!("&*{place}"),
            (_, Store::Owned) => bare.map_or_else(|| format!("&{place}"), str::to_owned),
            _ => place.to_owned(),
        }
    }

    /// Reads the value that the name `reference` refers to.
    pub(super) fn read_from(&self, reference: &str) -> String {
        self.read(&format!("(*{reference})"))
    }

    /// Whether [`Type::read`] gives an expression that wants parentheses as an operand.
    pub(super) fn reads_loosely(&self) -> bool {
        matches!(
            (&self.sort, self.store),
            (Sort::Bytes, Store::Owned) | (Sort::Message(_), Store::Boxed)
        )
    }
}

/// Whether `text` is one word of Rust.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn unparenthesized(place: &str) -> &str {
    place
        .strip_prefix('(')
        .and_then(|inner| inner.strip_suffix(')'))
        .filter(|inner| inner.strip_prefix('*').is_some_and(is_name))
        .unwrap_or(place)
}

/// The kind of the value that a wrapper of google/protobuf/wrappers.proto holds, if `message` is one.
pub(super) fn wrapped(message: &MessageDescriptor) -> Option<Kind> {
    let name = message.full_name().strip_prefix("google.protobuf.")?;
    matches!(
        name,
        "BoolValue"
            | "BytesValue"
            | "DoubleValue"
            | "FloatValue"
            | "Int32Value"
            | "Int64Value"
            | "StringValue"
            | "UInt32Value"
            | "UInt64Value"
    )
    .then(|| message.get_field_by_name("value"))
    .flatten()
    .map(|field| field.kind())
}

impl Sort {
    /// As cel-spec names it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Bool => "bool".to_owned(),
            Self::Int => "int".to_owned(),
            Self::Uint => "uint".to_owned(),
            Self::Double => "double".to_owned(),
            Self::Text => "string".to_owned(),
            Self::Bytes => "bytes".to_owned(),
            Self::Null => "null".to_owned(),
            Self::Timestamp => "timestamp".to_owned(),
            Self::Duration => "duration".to_owned(),
            Self::Message(message) => message.full_name().to_owned(),
            Self::Rules(message) => prost_reflect::ReflectMessage::descriptor(message)
                .full_name()
                .to_owned(),
            Self::Nullable(inner) => format!("wrapper({})", inner.name()),
            Self::List(item) => format!("list({})", item.sort.name()),
            Self::Map(key, value) => format!("map({}, {})", key.sort.name(), value.sort.name()),
            Self::Type(_) => "type".to_owned(),
            Self::Nothing => "nothing".to_owned(),
            Self::Dynamic(_) => "dyn".to_owned(),
        }
    }

    /// The name that `type()` gives it.
    pub(super) fn type_name(&self) -> String {
        match self {
            Self::Null => "null_type".to_owned(),
            Self::Timestamp => "google.protobuf.Timestamp".to_owned(),
            Self::Duration => "google.protobuf.Duration".to_owned(),
            Self::List(_) => "list".to_owned(),
            Self::Map(..) => "map".to_owned(),
            other => other.name(),
        }
    }

    /// Whether values of both are of one type, however they are held.
    pub(super) fn fits(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, _) | (_, Self::Nothing) | (Self::Type(_), Self::Type(_)) => true,
            (Self::List(a), Self::List(b)) => a.sort.fits(&b.sort),
            (Self::Map(a, b), Self::Map(c, d)) => a.sort.fits(&c.sort) && b.sort.fits(&d.sort),
            (Self::Nullable(a), Self::Nullable(b)) => a.fits(b),
            _ => self == other,
        }
    }

    /// Whether it is held by value and copied.
    pub(super) fn is_copy(&self) -> bool {
        match self {
            Self::Bool
            | Self::Int
            | Self::Uint
            | Self::Double
            | Self::Null
            | Self::Timestamp
            | Self::Duration
            | Self::Type(_)
            | Self::Nothing => true,
            Self::Nullable(inner) => inner.is_copy(),
            Self::Text
            | Self::Bytes
            | Self::Message(_)
            | Self::Rules(_)
            | Self::List(_)
            | Self::Map(..)
            | Self::Dynamic(_) => false,
        }
    }
}
