//! Paths of fields and rules: from text to elements.

use prost_reflect::{
    DescriptorPool, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor,
};
use prost_types::FieldDescriptorProto;

use crate::cases::packages::buf::validate::FieldPathElement;
use crate::cases::packages::buf::validate::field_path_element::Subscript;

/// The elements of a path from `root`: `a.b["key"].c[1].[an.extension]`. `None` if `root` has no such path.
pub(crate) fn elements(
    pool: &DescriptorPool,
    root: &MessageDescriptor,
    text: &str,
) -> Option<Vec<FieldPathElement>> {
    let mut elements = Vec::new();
    let mut message = Some(root.clone());
    let mut rest = text;
    loop {
        let (name, after) = name(rest)?;
        let (subscript, after) = subscript(after)?;
        let (element, next) = element(pool, &message?, name, subscript)?;
        elements.push(element);
        message = next;
        if after.is_empty() {
            return Some(elements);
        }
        rest = after.strip_prefix('.')?;
    }
}

/// A name, in brackets if it is that of an extension, and what follows it.
fn name(text: &str) -> Option<(&str, &str)> {
    let end = if text.starts_with('[') {
        text.find(']')? + 1
    } else {
        text.find(['.', '[']).unwrap_or(text.len())
    };
    text.split_at_checked(end)
}

/// A subscript without its brackets, if there is one, and what follows it.
fn subscript(text: &str) -> Option<(Option<&str>, &str)> {
    let Some(inner) = text.strip_prefix('[') else {
        return Some((None, text));
    };
    let end = if let Some(quoted) = inner.strip_prefix('"') {
        let mut escaped = false;
        let close = quoted.find(|c: char| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        })?;
        close + 2
    } else {
        inner.find(']')?
    };
    let (subscript, after) = inner.split_at_checked(end)?;
    Some((Some(subscript), after.strip_prefix(']')?))
}

/// The element for a field, extension or oneof of `message`, and the message that the path goes on in.
fn element(
    pool: &DescriptorPool,
    message: &MessageDescriptor,
    name: &str,
    subscript: Option<&str>,
) -> Option<(FieldPathElement, Option<MessageDescriptor>)> {
    if let Some(extension) = name.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
        let extension = pool.get_extension_by_name(extension)?;
        return of_extension(&extension, subscript);
    }
    if let Some(field) = message.get_field_by_name(name) {
        return of_field(&field, subscript);
    }
    message.oneofs().find(|oneof| oneof.name() == name)?;
    let element = FieldPathElement {
        field_name: Some(name.to_owned()),
        ..FieldPathElement::default()
    };
    // The fields of a oneof are those of its message.
    Some((element, Some(message.clone())))
}

fn of_field(
    field: &FieldDescriptor,
    subscript: Option<&str>,
) -> Option<(FieldPathElement, Option<MessageDescriptor>)> {
    let mut element = plain(field.field_descriptor_proto(), field.name().to_owned());
    let mut kind = field.kind();
    if let Some(text) = subscript {
        if let Kind::Message(entry) = &kind
            && field.is_map()
        {
            let (key, value) = (entry.map_entry_key_field(), entry.map_entry_value_field());
            element.key_type = Some(wire_type(key.field_descriptor_proto()));
            element.value_type = Some(wire_type(value.field_descriptor_proto()));
            element.subscript = Some(map_key(&key.kind(), text)?);
            kind = value.kind();
        } else {
            element.subscript = Some(Subscript::Index(text.parse().ok()?));
        }
    }
    Some((element, kind.as_message().cloned()))
}

fn of_extension(
    extension: &ExtensionDescriptor,
    subscript: Option<&str>,
) -> Option<(FieldPathElement, Option<MessageDescriptor>)> {
    let name = format!("[{}]", extension.full_name());
    let mut element = plain(extension.field_descriptor_proto(), name);
    if let Some(index) = subscript {
        element.subscript = Some(Subscript::Index(index.parse().ok()?));
    }
    Some((element, extension.kind().as_message().cloned()))
}

fn plain(field: &FieldDescriptorProto, name: String) -> FieldPathElement {
    FieldPathElement {
        field_number: Some(field.number()),
        field_name: Some(name),
        field_type: Some(wire_type(field)),
        ..FieldPathElement::default()
    }
}

fn wire_type(field: &FieldDescriptorProto) -> i32 {
    field.r#type().into()
}

#[allow(clippy::wildcard_enum_match_arm, reason = "protobuf has no other keys")]
fn map_key(kind: &Kind, text: &str) -> Option<Subscript> {
    Some(match kind {
        Kind::Bool => Subscript::BoolKey(text.parse().ok()?),
        Kind::String => Subscript::StringKey(unquoted(text)?),
        Kind::Uint32 | Kind::Uint64 | Kind::Fixed32 | Kind::Fixed64 => {
            Subscript::UintKey(text.parse().ok()?)
        }
        Kind::Int32
        | Kind::Int64
        | Kind::Sint32
        | Kind::Sint64
        | Kind::Sfixed32
        | Kind::Sfixed64 => Subscript::IntKey(text.parse().ok()?),
        _ => return None,
    })
}

/// What a quoted key says: `\"`, `\\`, `\n`, `\r`, `\t` and `\u00XX` are escapes.
fn unquoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        out.push(match chars.next()? {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let digits: String = chars.by_ref().take(4).collect();
                char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
            }
            same => same,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use prost_types::field_descriptor_proto::Type;

    use super::*;
    use crate::sample;

    /// A path's elements as protovalidate's suite prints them, shortened: number, name, types, subscript.
    fn written(path: &str) -> Option<Vec<String>> {
        let pool = sample::pool();
        let root = pool.get_message_by_name("sample.Root").unwrap();
        let written = |element: FieldPathElement| {
            let name = |kind: Option<i32>| Type::try_from(kind.unwrap()).unwrap();
            let mut out = element.field_name.clone().unwrap();
            if let Some(number) = element.field_number {
                out += &format!(" {number} {:?}", name(element.field_type));
            }
            if element.key_type.is_some() {
                out += &format!(
                    " {:?}->{:?}",
                    name(element.key_type),
                    name(element.value_type)
                );
            }
            if let Some(subscript) = element.subscript {
                out += &format!(" {subscript:?}");
            }
            out
        };
        let elements = elements(&pool, &root, path)?;
        Some(elements.into_iter().map(written).collect())
    }

    #[test]
    fn a_path_is_taken_apart() {
        for (path, expect) in [
            ("text", &["text 1 String"][..]),
            ("leaves", &["leaves 2 Message"]),
            (
                "leaves[3].text",
                &["leaves 2 Message Index(3)", "text 1 String"],
            ),
            (
                r#"by_name["a].b\"\\\u0001"].text"#,
                &[
                    "by_name 3 Message String->Message StringKey(\"a].b\\\"\\\\\\u{1}\")",
                    "text 1 String",
                ],
            ),
            (
                "by_number[-7]",
                &["by_number 4 Message Sint64->Bool IntKey(-7)"],
            ),
            ("by_size[7]", &["by_size 5 Message Uint32->Bool UintKey(7)"]),
            (
                "by_truth[true]",
                &["by_truth 6 Message Bool->Bool BoolKey(true)"],
            ),
            ("choice", &["choice"]),
            ("circle.text", &["circle 7 Message", "text 1 String"]),
            ("knot.inner", &["knot 9 Group", "inner 1 Int32"]),
            (
                "[sample.more].text",
                &["[sample.more] 100 Message", "text 1 String"],
            ),
            ("[sample.many][1]", &["[sample.many] 101 Int32 Index(1)"]),
        ] {
            let expect: Vec<String> = expect.iter().map(ToString::to_string).collect();
            assert_eq!(written(path), Some(expect), "{path}");
        }
    }

    #[test]
    fn a_path_that_leads_nowhere_is_none() {
        for path in [
            "",
            "other",
            "text.more",
            "leaves[x]",
            "leaves[0]text",
            "by_name[a]",
            "by_number[1",
            "by_name[\"a",
            "[sample.less]",
            "text.",
            "by_truth[1]",
        ] {
            assert_eq!(written(path), None, "{path}");
        }
    }
}
