//! The checks of one value, by its type.

use prost_reflect::{FieldDescriptor, Kind};

use super::rules::Rules;
use super::site::Site;
use super::{Context, any, boolean, bytes, cel, enumeration, mask, number, text, time};
use crate::cel::Type;
use crate::options::kind_name;

/// The scalar that a value holds: itself, or what is within one of the well-known wrappers, which prost takes off.
pub(super) fn scalar(kind: &Kind) -> Option<Kind> {
    let Kind::Message(message) = kind else {
        return Some(kind.clone());
    };
    Some(match message.full_name() {
        "google.protobuf.DoubleValue" => Kind::Double,
        "google.protobuf.FloatValue" => Kind::Float,
        "google.protobuf.Int64Value" => Kind::Int64,
        "google.protobuf.UInt64Value" => Kind::Uint64,
        "google.protobuf.Int32Value" => Kind::Int32,
        "google.protobuf.UInt32Value" => Kind::Uint32,
        "google.protobuf.BoolValue" => Kind::Bool,
        "google.protobuf.StringValue" => Kind::String,
        "google.protobuf.BytesValue" => Kind::Bytes,
        _ => return None,
    })
}

/// The name of the rules for a value of the field's type, if there are any, and the name of that type.
pub(super) fn names(field: &FieldDescriptor) -> (Option<&'static str>, String) {
    let kind = field.kind();
    let message = kind
        .as_message()
        .map(|message| message.full_name().to_owned());
    let of = message.unwrap_or_else(|| kind_name(&kind).to_owned());
    let rules = match scalar(&kind) {
        Some(kind) => Some(kind_name(&kind)),
        None => match of.as_str() {
            "google.protobuf.Any" => Some("any"),
            "google.protobuf.Duration" => Some("duration"),
            "google.protobuf.Timestamp" => Some("timestamp"),
            "google.protobuf.FieldMask" => Some("field_mask"),
            _ => None,
        },
    };
    (rules, of)
}

/// An expression that tells whether `place` holds the zero value of its type.
pub(super) fn is_zero(kind: &Kind, place: &str) -> String {
    match scalar(kind) {
        None => format!("{place} == ::core::default::Default::default()"),
        Some(Kind::String | Kind::Bytes) => format!("{place}.is_empty()"),
        Some(Kind::Bool) => format!("!{place}"),
        // Negative zero is not the default.
        Some(Kind::Double | Kind::Float) => format!("{place}.to_bits() == 0"),
        Some(Kind::Enum(kind)) => format!("{place} == {}", kind.default_value().number()),
        Some(_) => format!("{place} == 0"),
    }
}

/// The checks of the value of a field that is neither list nor map.
pub(super) fn checks(
    context: &mut Context<'_>,
    site: &Site<'_>,
    rules: &Rules,
    of: &Type,
) -> String {
    of_kind(context, site, &site.field.kind(), rules, of)
}

/// The checks of a value of this kind, `of` its type for expressions: its rules, then those of its message.
pub(super) fn of_kind(
    context: &mut Context<'_>,
    site: &Site<'_>,
    kind: &Kind,
    rules: &Rules,
    of: &Type,
) -> String {
    let mut out = cel::checks(context, site, &rules.expressions, of);
    if let Some((name, typed)) = &rules.typed {
        super::rules::known(
            context,
            site.field,
            typed,
            &format!("{}{name}.", site.prefix),
        );
        out += &match (name.as_str(), scalar(kind)) {
            ("string", _) => text::checks(context, site, typed),
            ("bytes", _) => bytes::checks(context, site, typed),
            ("bool", _) => boolean::checks(context, site, typed),
            ("enum", Some(Kind::Enum(kind))) => enumeration::checks(context, site, &kind, typed),
            ("any", _) => any::checks(context, site, typed),
            ("duration" | "timestamp", _) => time::checks(context, site, name, typed),
            ("field_mask", _) => mask::checks(context, site, typed),
            (number, _) => number::checks(context, site, number, typed),
        };
        out += &cel::predefined(context, site, (name, typed), of);
    }
    if let Kind::Message(message) = kind
        && context.is_generated(message)
    {
        out += &format!("out.nested(|| ({}).into(), &{});\n", site.path, site.place);
    }
    out
}
