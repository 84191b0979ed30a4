//! Translates expressions of rules, written in CEL, to Rust: at build time, typed against the contract's descriptors.
//!
//! What has no static type, and what cannot be translated faithfully, is refused with its place in the expression.

mod types;

use prost_reflect::{DescriptorPool, DynamicMessage, ExtensionDescriptor, Value};

pub(crate) use types::Type;

/// What an expression can see, and where its code will stand.
pub(crate) struct Scope<'a> {
    /// Where enums and messages are looked up.
    pub(crate) pool: &'a DescriptorPool,
    /// The package into whose module the code is written: types of other modules are named from there.
    pub(crate) package: &'a str,
    /// `this`: its type, and a place expression of it such as `(*self)`, `self.name` or `(*value)`: not of a reference.
    pub(crate) this: (Type, &'a str),
    /// `rule`, in a predefined rule: the extension field, and the value that a contract gave it.
    pub(crate) rule: Option<(&'a ExtensionDescriptor, &'a Value)>,
    /// `rules`, in a predefined rule: the whole message that the extension stands in, such as StringRules.
    pub(crate) rules: Option<&'a DynamicMessage>,
}

/// The Rust of an expression.
#[derive(Debug)]
pub(crate) struct Program {
    /// An expression. It may use `self`, the place of `this`, and `out`, the `Findings` at hand, and borrows none of them
    /// beyond its value, which is owned: `bool`, or `Cow<'static, str>` for a text; within `Result<_, cel::Failure>` if
    /// `fallible`.
    pub(crate) code: String,
    /// What it evaluates to.
    pub(crate) answer: Answer,
    /// Whether its evaluation can fail.
    pub(crate) fallible: bool,
}

/// What an expression evaluates to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// `bool`: whether the rule is kept.
    Bool,
    /// `Cow<'static, str>`: what is wrong; empty if the rule is kept.
    Text,
}

/// Why an expression is not translated.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Where, in bytes from the beginning of the expression.
    pub(crate) offset: usize,
    /// What is wrong and what would be right.
    pub(crate) message: String,
}

/// The Rust of `expression`.
///
/// # Errors
/// It is no CEL, its types do not fit, or it has something that cannot be translated.
pub(crate) fn translate(expression: &str, scope: &Scope<'_>) -> Result<Program, Refusal> {
    let _ = (
        scope.pool,
        scope.package,
        &scope.this,
        scope.rule,
        scope.rules,
    );
    Err(Refusal {
        offset: 0,
        message: format!("{expression}: expressions cannot be translated yet"),
    })
}
