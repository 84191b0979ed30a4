//! The messages that protobuf's JSON mapping gives a form of their own.

use crate::json::Json;

/// The schema of a well-known message; `None` for every other.
pub(super) fn schema(full_name: &str) -> Option<Json> {
    let name = full_name.strip_prefix("google.protobuf.")?;
    let of = |kind: &str| Json::object([("type", kind.into())]);
    let formatted =
        |kind: &str, format: &str| Json::object([("type", kind.into()), ("format", format.into())]);
    let text =
        |pattern: &str| Json::object([("type", "string".into()), ("pattern", pattern.into())]);
    Some(match name {
        "Timestamp" => formatted("string", "date-time"),
        // Seconds, with up to nine decimals.
        "Duration" => text(r"^-?[0-9]+(\.[0-9]{1,9})?s$"),
        "FieldMask" | "StringValue" => of("string"),
        "Struct" | "Empty" => of("object"),
        "Any" => Json::object([
            ("type", "object".into()),
            ("properties", Json::object([("@type", of("string"))])),
            ("required", Json::texts(["@type"])),
        ]),
        "ListValue" => Json::object([
            ("type", "array".into()),
            ("items", Json::Object(Vec::new())),
        ]),
        "Value" => Json::Object(Vec::new()),
        "BoolValue" => of("boolean"),
        "BytesValue" => Json::object([
            ("type", "string".into()),
            ("contentEncoding", "base64".into()),
        ]),
        "DoubleValue" => formatted("number", "double"),
        "FloatValue" => formatted("number", "float"),
        "Int32Value" => formatted("integer", "int32"),
        "UInt32Value" => formatted("integer", "uint32"),
        "Int64Value" => text("^-?[0-9]+$"),
        "UInt64Value" => text("^[0-9]+$"),
        _ => return None,
    })
}
