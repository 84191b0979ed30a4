//! Translates expressions of rules, written in CEL, to Rust: at build time, typed against the contract's descriptors.
//!
//! What has no static type, and what cannot be translated faithfully, is refused with its place in the expression. The model
//! is protovalidate on cel-go: what that refuses is refused, and what that evaluates evaluates to the same.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a function knows the types that it is of, and every other one is refused"
)]

mod calls;
mod constants;
mod convert;
mod expr;
mod fields;
mod format;
mod lex;
mod macros;
mod operators;
mod parse;
mod pattern;
mod strings;
mod time;
mod types;
mod value;

use prost_reflect::{DescriptorPool, DynamicMessage, ExtensionDescriptor, Value};

pub(crate) use types::Type;

/// What generated code calls: `crates/rpc/src/validate/cel.rs`.
const CEL: &str = "::scribemed_rpc::validate::cel";

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
    let parsed = parse::parse(expression)?;
    let mut translator = expr::Translator::new(scope);
    let value = translator.settled(&parsed)?;
    let (answer, kind, code) = match value.sort {
        types::Sort::Bool | types::Sort::Nothing => (Answer::Bool, "bool", value.code.clone()),
        types::Sort::Text => (
            Answer::Text,
            "::std::borrow::Cow<'static, str>",
            match value.hold {
                value::Hold::Static => format!("::std::borrow::Cow::Borrowed({})", value.code),
                _ => format!(
                    "::std::borrow::Cow::Owned({})",
                    value.clone().into_owned().code
                ),
            },
        ),
        other => {
            return lex::refuse(
                parsed.at,
                format!(
                    "this is of type {}; a rule evaluates to a bool, true if it is kept, or to a string, empty if it is kept",
                    other.name()
                ),
            );
        }
    };
    // The time is asked for before anything of the message is borrowed.
    let now = if translator.uses_now {
        "let now = out.now(); "
    } else {
        ""
    };
    let (kind, code) = if value.fallible {
        let kind = format!("::core::result::Result<{kind}, {CEL}::Failure>");
        let code = format!("(|| -> {kind} {{ ::core::result::Result::Ok({code}) }})()");
        (kind, code)
    } else {
        (kind.to_owned(), code)
    };
    // What is plain to see is not worth a warning in what nobody wrote.
    let lints = "#[allow(unused, unused_comparisons, nonstandard_style, reason = \"translated from an expression\")]";
    Ok(Program {
        code: format!("{{ {now}{lints} let answer: {kind} = {code}; answer }}"),
        answer,
        fallible: value.fallible,
    })
}

#[cfg(test)]
mod tests;
