//! The types of values as expressions see them.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

/// The type of a value as expressions see it, and how generated Rust holds it.
#[derive(Debug, Clone)]
pub(crate) struct Type;

impl Type {
    /// A whole field that is set: its list, its map, or its value (of a wrapper, the value within).
    pub(crate) fn of_field(_field: &FieldDescriptor) -> Self {
        Self
    }
    /// An item of a repeated field.
    pub(crate) fn of_item(_field: &FieldDescriptor) -> Self {
        Self
    }
    /// A key of a map field.
    pub(crate) fn of_key(_field: &FieldDescriptor) -> Self {
        Self
    }
    /// A value of a map field.
    pub(crate) fn of_value(_field: &FieldDescriptor) -> Self {
        Self
    }
    /// A message.
    pub(crate) fn of_message(_message: &MessageDescriptor) -> Self {
        let _ = Kind::Bool;
        Self
    }
}
