//! Writes `Validate` for a message from its `buf.validate` rules.
//!
//! A rule that this generator does not know stops the build: a rule that stands in the contract is a rule that holds.
//! Rule ids, paths and messages are those of protovalidate.

mod rules;

use std::fmt::Write as _;

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use prost_reflect::{Cardinality, DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};

use crate::error::Problem;
use crate::options::{Fields as _, extension};

const VALIDATE: &str = "::scribemed_rpc::validate";

/// What a generated check looks at.
pub(crate) struct Context<'a> {
    pub(crate) pool: &'a DescriptorPool,
    /// The packages that code is generated for: only their messages implement `Validate`.
    pub(crate) packages: &'a [String],
    pub(crate) problems: Vec<Problem>,
}

impl Context<'_> {
    fn report(&mut self, field: &FieldDescriptor, message: impl Into<String>) {
        let problem = Problem::of(&field.parent_file(), field.full_name(), message);
        self.problems.push(problem);
    }
}

/// The implementation for `message` and the messages within it, to stand in the module of its package.
pub(crate) fn render(context: &mut Context<'_>, message: &MessageDescriptor, out: &mut String) {
    if message.is_map_entry() {
        return;
    }
    let options = message.options();
    if extension(context.pool, &options, "buf.validate.message").is_some() {
        context.problems.push(Problem::of(
            &message.parent_file(),
            message.full_name(),
            "has a message rule (buf.validate.message), which cannot be generated yet; use field rules",
        ));
    }
    let mut checks = String::new();
    for field in message.fields().filter(|field| real_oneof(field).is_none()) {
        render_field(context, &field, &mut checks);
    }
    for oneof in message.oneofs().filter(|oneof| !oneof.is_synthetic()) {
        render_oneof(context, &oneof, &mut checks);
    }
    let out_name = if checks.is_empty() { "_out" } else { "out" };
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "
impl {VALIDATE}::Validate for {} {{
    fn violations(&self, {out_name}: &mut ::std::vec::Vec<{VALIDATE}::Violation>) {{{checks}
    }}
}}
",
        type_path(message)
    );
    for child in message.child_messages() {
        render(context, &child, out);
    }
}

fn real_oneof(field: &FieldDescriptor) -> Option<prost_reflect::OneofDescriptor> {
    field
        .containing_oneof()
        .filter(|oneof| !oneof.is_synthetic())
}

/// The checks of a field outside of a oneof.
fn render_field(context: &mut Context<'_>, field: &FieldDescriptor, out: &mut String) {
    let place = format!("self.{}", ident(field.name()));
    let Some(rules) = rules::Rules::read(context, field) else {
        return;
    };
    let name = field.name();
    if field.is_map() {
        if rules.has_checks() {
            context.report(field, "has rules for a map, which cannot be generated yet");
        }
        return;
    }
    if field.is_list() {
        rules::list(context, field, &rules, &place, out);
        return;
    }
    let optional = field.supports_presence() || field.cardinality() == Cardinality::Required;
    let inner = if optional {
        present(context, field, &rules)
    } else {
        let mut inner = String::new();
        rules::value(
            context,
            field,
            &rules,
            &place,
            &format!("{name:?}"),
            &mut inner,
        );
        inner
    };
    if optional {
        if rules.required {
            let _ = write!(
                out,
                "
        if {place}.is_none() {{
            out.push({VALIDATE}::Violation::new({name:?}, \"required\", \"value is required\"));
        }}"
            );
        }
        if !inner.is_empty() {
            let _ = write!(
                out,
                "\n        if let Some(value) = &{place} {{{inner}\n        }}"
            );
        }
        return;
    }
    let zero = rules::is_zero(field, &place);
    if rules.required {
        let _ = write!(
            out,
            "
        if {zero} {{
            out.push({VALIDATE}::Violation::new({name:?}, \"required\", \"value is required\"));
        }} else {{{inner}
        }}"
        );
    } else if rules.ignore_zero && !inner.is_empty() {
        let _ = write!(out, "\n        if !({zero}) {{{inner}\n        }}");
    } else {
        out.push_str(&inner);
    }
}

/// The checks of a `value` that is there, which may be the zero value all the same.
fn present(context: &mut Context<'_>, field: &FieldDescriptor, rules: &rules::Rules) -> String {
    let path = format!("{:?}", field.name());
    let mut inner = String::new();
    rules::value(context, field, rules, "(*value)", &path, &mut inner);
    if rules.ignore_zero && !inner.is_empty() && !matches!(field.kind(), Kind::Message(_)) {
        let zero = rules::is_zero(field, "(*value)");
        inner = format!("\n            if !({zero}) {{{inner}\n            }}");
    }
    inner
}

fn render_oneof(
    context: &mut Context<'_>,
    oneof: &prost_reflect::OneofDescriptor,
    out: &mut String,
) {
    let place = format!("self.{}", ident(oneof.name()));
    let required = extension(context.pool, &oneof.options(), "buf.validate.oneof")
        .and_then(|rules| rules.flag("required"))
        .unwrap_or(false);
    if required {
        let _ = write!(
            out,
            "
        if {place}.is_none() {{
            out.push({VALIDATE}::Violation::new({:?}, \"required\", \"exactly one field is required in oneof\"));
        }}",
            oneof.name()
        );
    }
    let parent = oneof.parent_message();
    let kind = format!(
        "{}::{}",
        module_path(parent),
        oneof.name().to_upper_camel_case()
    );
    let mut arms = String::new();
    for field in oneof.fields() {
        let Some(rules) = rules::Rules::read(context, &field) else {
            continue;
        };
        let variant = format!("{kind}::{}", field.name().to_upper_camel_case());
        if rules.required {
            // Of all its siblings, this one must be set.
            let _ = write!(
                out,
                "
        if !matches!({place}, Some({variant}(_))) {{
            out.push({VALIDATE}::Violation::new({:?}, \"required\", \"value is required\"));
        }}",
                field.name()
            );
        }
        let inner = present(context, &field, &rules);
        if !inner.is_empty() {
            let _ = write!(
                arms,
                "\n            Some({variant}(value)) => {{{inner}\n            }}"
            );
        }
    }
    if !arms.is_empty() {
        let _ = write!(
            out,
            "\n        match &{place} {{{arms}\n            _ => {{}}\n        }}"
        );
    }
}

/// Whether `Validate` is implemented for the messages of this kind.
fn is_generated(context: &Context<'_>, kind: &Kind) -> bool {
    matches!(kind, Kind::Message(message) if context.packages.iter().any(|package| package == message.package_name()))
}

/// The type as the module of its package names it: `outer::Inner`.
fn type_path(message: &MessageDescriptor) -> String {
    let name = message.name().to_upper_camel_case();
    message.parent_message().map_or(name.clone(), |parent| {
        format!("{}::{name}", module_path(&parent))
    })
}

/// The module that prost makes for what is declared within `message`.
fn module_path(message: &MessageDescriptor) -> String {
    let name = ident(&message.name().to_snake_case());
    message.parent_message().map_or(name.clone(), |parent| {
        format!("{}::{name}", module_path(&parent))
    })
}

/// The name that prost gives a field.
fn ident(name: &str) -> String {
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
        | "true" | "false" | "gen" => {
            format!("r#{snake}")
        }
        keyword if KEYWORDS.contains(&keyword) => format!("r#{snake}"),
        _ => snake,
    }
}
