//! Reading options as dynamic messages, by name: prost's own descriptor types drop extensions.

use std::time::Duration;

use prost_reflect::{DescriptorPool, DynamicMessage, Kind, ReflectMessage as _, Value};

/// The extension `name` of `options`, if it is set.
pub fn extension(
    pool: &DescriptorPool,
    options: &DynamicMessage,
    name: &str,
) -> Option<DynamicMessage> {
    let extension = pool.get_extension_by_name(name)?;
    if !options.has_extension(&extension) {
        return None;
    }
    options.get_extension(&extension).as_message().cloned()
}

/// Typed reading of a message's fields. Each is `None`, or empty, where the field is not set.
pub trait Fields {
    /// The value of a field.
    fn value(&self, name: &str) -> Option<Value>;

    /// A message.
    fn message(&self, name: &str) -> Option<DynamicMessage> {
        self.value(name)?.as_message().cloned()
    }

    /// A string.
    fn text(&self, name: &str) -> Option<String> {
        self.value(name)?.as_str().map(str::to_owned)
    }

    /// A bool.
    fn flag(&self, name: &str) -> Option<bool> {
        self.value(name)?.as_bool()
    }

    /// A whole number of any type that is not negative.
    fn number(&self, name: &str) -> Option<u64> {
        let value = self.value(name)?;
        let signed = || {
            let small = value.as_i32().or_else(|| value.as_enum_number());
            small.map(i64::from).or_else(|| value.as_i64())
        };
        let unsigned = value.as_u32().map(u64::from).or_else(|| value.as_u64());
        unsigned.or_else(|| u64::try_from(signed()?).ok())
    }

    /// The number of an enum's value, which need not be one that the enum knows.
    fn enumerator(&self, name: &str) -> Option<i32> {
        self.value(name)?.as_enum_number()
    }

    /// A float.
    fn float(&self, name: &str) -> Option<f32> {
        self.value(name)?.as_f32()
    }

    /// The items of a repeated field.
    fn list(&self, name: &str) -> Vec<Value> {
        self.value(name)
            .and_then(|value| value.as_list().map(<[Value]>::to_vec))
            .unwrap_or_default()
    }

    /// What a google.protobuf.Duration or Timestamp holds.
    fn seconds_and_nanos(&self) -> (i64, i32) {
        let seconds = self.value("seconds").and_then(|value| value.as_i64());
        let nanos = self.value("nanos").and_then(|value| value.as_i32());
        (seconds.unwrap_or(0), nanos.unwrap_or(0))
    }

    /// A google.protobuf.Duration; `Err` if it is negative.
    fn duration(&self, name: &str) -> Option<Result<Duration, String>> {
        let message = self.message(name)?;
        let (seconds, nanos) = message.seconds_and_nanos();
        Some(match (u64::try_from(seconds), u32::try_from(nanos)) {
            (Ok(seconds), Ok(nanos)) if nanos < 1_000_000_000 => Ok(Duration::new(seconds, nanos)),
            _ => Err(format!(
                "{name} is negative or out of range; give seconds >= 0 and nanos 0 to 999999999"
            )),
        })
    }
}

impl Fields for DynamicMessage {
    fn value(&self, name: &str) -> Option<Value> {
        let field = self.descriptor().get_field_by_name(name)?;
        self.has_field(&field)
            .then(|| self.get_field(&field).into_owned())
    }
}

/// The word for a kind of field, as contracts have it: `uint32`; `message` and `enum` for those.
pub fn kind_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Double => "double",
        Kind::Float => "float",
        Kind::Int32 => "int32",
        Kind::Int64 => "int64",
        Kind::Uint32 => "uint32",
        Kind::Uint64 => "uint64",
        Kind::Sint32 => "sint32",
        Kind::Sint64 => "sint64",
        Kind::Fixed32 => "fixed32",
        Kind::Fixed64 => "fixed64",
        Kind::Sfixed32 => "sfixed32",
        Kind::Sfixed64 => "sfixed64",
        Kind::Bool => "bool",
        Kind::String => "string",
        Kind::Bytes => "bytes",
        Kind::Enum(_) => "enum",
        Kind::Message(_) => "message",
    }
}
