//! How prost names what it makes of a contract (prost-build's `ident.rs` and `context.rs`).

use std::collections::HashSet;

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor};

/// What a name becomes where Rust has a word of its own there.
fn sanitized(name: String) -> String {
    const RAW: [&str; 47] = [
        "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do",
        "dyn", "else", "enum", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
        "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
        "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
        "virtual", "where", "while", "yield",
    ];
    match name.as_str() {
        "_" | "super" | "self" | "Self" | "extern" | "crate" => format!("{name}_"),
        word if RAW.contains(&word) => format!("r#{name}"),
        word if word.starts_with(|first: char| first.is_numeric()) => format!("_{name}"),
        _ => name,
    }
}

/// The name of a field or module.
pub(crate) fn ident(name: &str) -> String {
    sanitized(name.to_snake_case())
}

/// The name of a type or variant.
fn camel(name: &str) -> String {
    sanitized(name.to_upper_camel_case())
}

/// The path of a message's type from the module of `package`.
pub(crate) fn message_path(message: &MessageDescriptor, package: &str) -> String {
    if message.full_name() == "google.protobuf.Empty" {
        return "()".to_owned();
    }
    path(message.full_name(), &camel(message.name()), package)
}

/// The type as the module of its package names it: `outer::Inner`.
pub(crate) fn type_path(message: &MessageDescriptor) -> String {
    message_path(message, message.package_name())
}

/// The variant of a member of a oneof as the module of its package names it: `outer::Choice::Text`.
pub(crate) fn variant(oneof: &OneofDescriptor, field: &FieldDescriptor) -> String {
    variant_path(oneof, field, oneof.parent_message().package_name())
}

/// The path of the variant of a member of a oneof from the module of `package`.
pub(crate) fn variant_path(
    oneof: &OneofDescriptor,
    field: &FieldDescriptor,
    package: &str,
) -> String {
    format!("{}::{}", oneof_path(oneof, package), camel(field.name()))
}

/// The path of a oneof's type from the module of `package`.
fn oneof_path(oneof: &OneofDescriptor, package: &str) -> String {
    let parent = oneof.parent_message();
    let mut name = camel(oneof.name());
    let taken = parent
        .child_messages()
        .map(|message| camel(message.name()))
        .chain(parent.child_enums().map(|kind| camel(kind.name())))
        .any(|other| other == name);
    if taken {
        name.push_str("OneOf");
    }
    path(
        &format!("{}.{}", parent.full_name(), oneof.name()),
        &name,
        package,
    )
}

/// The path of `name`, the type of what is called `full_name`, from the module of `package`.
fn path(full_name: &str, name: &str, package: &str) -> String {
    let mut there: Vec<&str> = full_name.split('.').collect();
    there.pop();
    if there.starts_with(&["google", "protobuf"]) {
        let within = there.iter().skip(2).map(|part| ident(part));
        let parts: Vec<String> = ["::prost_types".to_owned()]
            .into_iter()
            .chain(within)
            .collect();
        return format!("{}::{name}", parts.join("::"));
    }
    let here: Vec<&str> = package.split('.').filter(|part| !part.is_empty()).collect();
    let shared = here
        .iter()
        .zip(&there)
        .take_while(|(here, there)| here == there)
        .count();
    let up = here.iter().skip(shared).map(|_| "super".to_owned());
    let down = there.iter().skip(shared).map(|part| ident(part));
    up.chain(down)
        .chain([name.to_owned()])
        .collect::<Vec<_>>()
        .join("::")
}

/// Whether prost puts the message of this field into a `Box`: its type leads back to where the field stands, by fields that
/// hold one message.
pub(crate) fn is_boxed(field: &FieldDescriptor) -> bool {
    let Kind::Message(start) = field.kind() else {
        return false;
    };
    if field.is_list() || field.is_map() {
        return false;
    }
    let mut seen = HashSet::new();
    let mut open = vec![start];
    while let Some(message) = open.pop() {
        if message == *field.parent_message() {
            return true;
        }
        if !seen.insert(message.full_name().to_owned()) {
            continue;
        }
        for next in message
            .fields()
            .filter(|next| !next.is_list() && !next.is_map() && !next.is_group())
        {
            if let Kind::Message(next) = next.kind() {
                open.push(next);
            }
        }
    }
    false
}
