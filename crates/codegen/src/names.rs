//! The names that prost gives what a contract declares.

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use prost_reflect::{FieldDescriptor, MessageDescriptor, OneofDescriptor};

/// The type as the module of its package names it: `outer::Inner`.
pub(crate) fn type_path(message: &MessageDescriptor) -> String {
    let name = camel(message.name());
    message.parent_message().map_or(name.clone(), |parent| {
        format!("{}::{name}", module_path(&parent))
    })
}

/// The module that prost makes for what is declared within `message`.
pub(crate) fn module_path(message: &MessageDescriptor) -> String {
    let name = ident(&message.name().to_snake_case());
    message.parent_message().map_or(name.clone(), |parent| {
        format!("{}::{name}", module_path(&parent))
    })
}

/// The variant of a member of a oneof: `outer::Choice::Text`.
pub(crate) fn variant(oneof: &OneofDescriptor, field: &FieldDescriptor) -> String {
    let kind = camel(oneof.name());
    let module = module_path(oneof.parent_message());
    format!("{module}::{kind}::{}", camel(field.name()))
}

/// The name of a type or variant.
fn camel(name: &str) -> String {
    match name.to_upper_camel_case().as_str() {
        "Self" => "Self_".to_owned(),
        name => name.to_owned(),
    }
}

/// The name of a field or module.
pub(crate) fn ident(name: &str) -> String {
    const KEYWORDS: [&str; 36] = [
        "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do",
        "dyn", "else", "enum", "final", "fn", "for", "if", "impl", "in", "let", "loop", "macro",
        "match", "mod", "move", "override", "priv", "pub", "ref", "return", "static", "struct",
        "trait", "type", "use", "where",
    ];
    let snake = name.to_snake_case();
    match snake.as_str() {
        "self" | "super" | "crate" | "extern" => format!("{snake}_"),
        "while" | "yield" | "try" | "typeof" | "unsafe" | "unsized" | "virtual" | "mut"
        | "true" | "false" | "gen" => format!("r#{snake}"),
        keyword if KEYWORDS.contains(&keyword) => format!("r#{snake}"),
        _ => snake,
    }
}
