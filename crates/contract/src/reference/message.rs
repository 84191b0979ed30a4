//! Messages and enums.

use prost_reflect::prost_types::{FieldOptions, MessageOptions};
use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor};
use scribemed_codegen::options::{Fields as _, extension, kind_name};

use super::comment::{Comment, Comments};
use super::package::Package;
use super::rules::{self, Rules};

/// A message.
#[derive(Debug)]
pub struct Message {
    /// Within its package: `Note`, `Rules.Section`.
    pub name: String,
    /// `scribemed.documentation.v2.Note`.
    pub full_name: String,
    /// What it is.
    pub comment: Comment,
    /// Whether it has `option deprecated`.
    pub deprecated: bool,
    /// In the order of the contract.
    pub fields: Vec<Field>,
    /// The choices between fields.
    pub oneofs: Vec<Oneof>,
    /// What must hold for it as a whole, in words.
    pub rules: Vec<String>,
    /// The fields of each rule by which exactly one of them must be set.
    pub one_of: Vec<Vec<String>>,
}

/// A choice: at most one of its fields is set.
#[derive(Debug)]
pub struct Oneof {
    /// Its name.
    pub name: String,
    /// What it is.
    pub comment: Comment,
    /// Its fields.
    pub fields: Vec<String>,
    /// Whether one of them must be set.
    pub required: bool,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldType {
    /// A type of protobuf's own: `string`.
    Scalar(&'static str),
    /// A message of this full name.
    Message(String),
    /// An enum of this full name.
    Enum(String),
}

/// How many of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// One.
    One(FieldType),
    /// Any number.
    List(FieldType),
    /// One for each key, of this type.
    Map(&'static str, FieldType),
}

/// Whether it can be told from its zero value that a field is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Not set is the same as zero.
    Implicit,
    /// Not set is something of its own.
    Explicit,
}

/// A field.
#[derive(Debug)]
pub struct Field {
    /// `note_id`.
    pub name: String,
    /// `noteId`.
    pub json_name: String,
    /// Its number.
    pub number: u32,
    /// What it is.
    pub comment: Comment,
    /// What it holds.
    pub shape: Shape,
    /// Whether not set is something of its own.
    pub presence: Presence,
    /// The choice that it belongs to.
    pub oneof: Option<String>,
    /// `google.api.field_behavior`, as words: `REQUIRED`.
    pub behavior: Vec<&'static str>,
    /// Whether it has `deprecated = true`.
    pub deprecated: bool,
    /// What its value must be like.
    pub rules: Rules,
}

impl Field {
    /// Whether a message without it is refused, or is not meant.
    pub fn is_required(&self) -> bool {
        self.behavior.contains(&"REQUIRED")
            || self.rules.required
            || (self.oneof.is_none()
                && self.presence == Presence::Implicit
                && !self.rules.admit_zero())
    }

    /// The type of one value.
    pub fn holds(&self) -> &FieldType {
        match &self.shape {
            Shape::One(kind) | Shape::List(kind) | Shape::Map(_, kind) => kind,
        }
    }

    /// The type as the contract has it: `repeated string`.
    pub fn type_words(&self) -> String {
        let name = |kind: &FieldType| match kind {
            FieldType::Scalar(name) => (*name).to_owned(),
            FieldType::Message(name) | FieldType::Enum(name) => name.clone(),
        };
        match &self.shape {
            Shape::One(kind) => name(kind),
            Shape::List(kind) => format!("repeated {}", name(kind)),
            Shape::Map(key, kind) => format!("map<{key}, {}>", name(kind)),
        }
    }
}

/// An enum.
#[derive(Debug)]
pub struct Enum {
    /// Within its package.
    pub name: String,
    /// `scribemed.documentation.v2.NoteState`.
    pub full_name: String,
    /// What it is.
    pub comment: Comment,
    /// In the order of the contract.
    pub values: Vec<EnumValue>,
}

/// A value of an enum.
#[derive(Debug)]
pub struct EnumValue {
    /// `NOTE_STATE_DRAFT`.
    pub name: String,
    /// Its number.
    pub number: i32,
    /// What it means.
    pub comment: Comment,
}

/// Adds the message and those that stand in it.
pub(super) fn read(
    pool: &prost_reflect::DescriptorPool,
    message: &MessageDescriptor,
    comments: &Comments,
    package: &mut Package,
) {
    let options = message.descriptor_proto().options.as_ref();
    package.messages.push(Message {
        name: within(message.full_name(), message.package_name()),
        full_name: message.full_name().to_owned(),
        comment: comments.at(message.path()),
        deprecated: options.is_some_and(MessageOptions::deprecated),
        fields: message
            .fields()
            .map(|field| read_field(pool, &field, comments))
            .collect(),
        oneofs: message
            .oneofs()
            .filter(|oneof| !oneof.is_synthetic())
            .map(|oneof| read_oneof(pool, &oneof, comments))
            .collect(),
        rules: rules::of_message(pool, message),
        one_of: rules::one_of(pool, message),
    });
    for child in message
        .child_messages()
        .filter(|child| !child.is_map_entry())
    {
        read(pool, &child, comments, package);
    }
    for child in message.child_enums() {
        package.enums.push(read_enum(&child, comments));
    }
}

fn read_oneof(
    pool: &prost_reflect::DescriptorPool,
    oneof: &OneofDescriptor,
    comments: &Comments,
) -> Oneof {
    let rules = extension(pool, &oneof.options(), "buf.validate.oneof");
    Oneof {
        name: oneof.name().to_owned(),
        comment: comments.at(oneof.path()),
        fields: oneof
            .fields()
            .map(|field| field.name().to_owned())
            .collect(),
        required: rules
            .and_then(|rules| rules.flag("required"))
            .unwrap_or(false),
    }
}

fn read_field(
    pool: &prost_reflect::DescriptorPool,
    field: &FieldDescriptor,
    comments: &Comments,
) -> Field {
    let kind = field.kind();
    let shape = if let (true, Kind::Message(entry)) = (field.is_map(), &kind) {
        Shape::Map(
            kind_name(&entry.map_entry_key_field().kind()),
            field_type(&entry.map_entry_value_field().kind()),
        )
    } else if field.is_list() {
        Shape::List(field_type(&kind))
    } else {
        Shape::One(field_type(&kind))
    };
    let oneof = field
        .containing_oneof()
        .filter(|oneof| !oneof.is_synthetic());
    let deprecated = field.field_descriptor_proto().options.as_ref();
    Field {
        name: field.name().to_owned(),
        json_name: field.json_name().to_owned(),
        number: field.number(),
        comment: comments.at(field.path()),
        shape,
        presence: if field.supports_presence() {
            Presence::Explicit
        } else {
            Presence::Implicit
        },
        oneof: oneof.map(|oneof| oneof.name().to_owned()),
        behavior: behavior(pool, field),
        deprecated: deprecated.is_some_and(FieldOptions::deprecated),
        rules: rules::of_field(pool, field),
    }
}

pub(super) fn read_enum(found: &EnumDescriptor, comments: &Comments) -> Enum {
    Enum {
        name: within(found.full_name(), found.package_name()),
        full_name: found.full_name().to_owned(),
        comment: comments.at(found.path()),
        values: found
            .values()
            .map(|value| EnumValue {
                name: value.name().to_owned(),
                number: value.number(),
                comment: comments.at(value.path()),
            })
            .collect(),
    }
}

fn within(full_name: &str, package: &str) -> String {
    let name = full_name.strip_prefix(package).unwrap_or(full_name);
    name.trim_start_matches('.').to_owned()
}

/// `google.api.field_behavior`.
fn behavior(pool: &prost_reflect::DescriptorPool, field: &FieldDescriptor) -> Vec<&'static str> {
    let names = [
        "OPTIONAL",
        "REQUIRED",
        "OUTPUT_ONLY",
        "INPUT_ONLY",
        "IMMUTABLE",
        "UNORDERED_LIST",
        "NON_EMPTY_DEFAULT",
        "IDENTIFIER",
    ];
    let Some(found) = pool.get_extension_by_name("google.api.field_behavior") else {
        return Vec::new();
    };
    let options = field.options();
    let value = options.get_extension(&found);
    let numbers = value.as_list().unwrap_or_default().iter();
    let numbers = numbers.filter_map(|value| usize::try_from(value.as_enum_number()?).ok());
    numbers
        .filter_map(|number| names.get(number.checked_sub(1)?).copied())
        .collect()
}

fn field_type(kind: &Kind) -> FieldType {
    if let Kind::Message(message) = kind {
        FieldType::Message(message.full_name().to_owned())
    } else if let Kind::Enum(found) = kind {
        FieldType::Enum(found.full_name().to_owned())
    } else {
        FieldType::Scalar(kind_name(kind))
    }
}
