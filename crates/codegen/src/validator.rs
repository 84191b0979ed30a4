//! Writes `Validate` for a message from its `buf.validate` rules.
//!
//! A rule that stands in the contract is a rule that holds: one that this generator does not know, or that cannot hold, stops
//! the build. Rule ids, paths and messages are those of protovalidate. A message is read by [`message`], a field by
//! [`field`]; what is checked of a value of each type is written by the file of its family.

mod any;
mod boolean;
mod bounds;
mod bytes;
mod cel;
mod enumeration;
mod field;
mod mask;
mod message;
mod number;
pub(crate) mod pattern;
mod rules;
mod site;
mod text;
mod time;
mod value;

use prost_reflect::{DescriptorPool, FieldDescriptor, FileDescriptor, MessageDescriptor};

use crate::error::Problem;
use crate::names::type_path;

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
        self.report_at(&field.parent_file(), field.full_name(), message);
    }

    fn report_at(&mut self, file: &FileDescriptor, element: &str, message: impl Into<String>) {
        self.problems.push(Problem::of(file, element, message));
    }

    /// Whether `Validate` is implemented for this message.
    fn is_generated(&self, message: &MessageDescriptor) -> bool {
        self.packages
            .iter()
            .any(|package| package == message.package_name())
    }
}

/// The implementation for `message` and the messages within it, to stand in the module of its package.
pub(crate) fn render(context: &mut Context<'_>, message: &MessageDescriptor, out: &mut String) {
    if message.is_map_entry() {
        return;
    }
    let checks = message::checks(context, message);
    let findings = if checks.is_empty() { "_out" } else { "out" };
    let name = type_path(message);
    *out += &format!(
        "
#[allow(clippy::all, clippy::pedantic, unused_parens, unused_comparisons, unused_variables, reason = \"generated\")]
impl {VALIDATE}::Validate for {name} {{
    fn violations(&self, {findings}: &mut {VALIDATE}::Findings) {{
        {checks}
    }}
}}
"
    );
    for child in message.child_messages() {
        render(context, &child, out);
    }
}
