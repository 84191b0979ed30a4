//! Checking a message against the rules of its contract.

use std::fmt;
use std::sync::LazyLock;

use regex::Regex;

/// A message whose rules (`buf.validate`) can be checked. Implemented by code generation for every message.
pub trait Validate {
    /// Appends what is wrong to `out`; nothing is appended, and nothing allocated, for a valid message. The items of a list are
    /// left alone once [`enough`] is known.
    fn violations(&self, out: &mut Vec<Violation>);

    /// Whether the message keeps all rules.
    ///
    /// # Errors
    /// Every rule that is broken, in the order of the fields.
    fn validate(&self) -> Result<(), Vec<Violation>> {
        let mut out = Vec::new();
        self.violations(&mut out);
        if out.is_empty() { Ok(()) } else { Err(out) }
    }
}

impl<T: Validate> Validate for Box<T> {
    fn violations(&self, out: &mut Vec<Violation>) {
        T::violations(self, out);
    }
}

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field, as protovalidate writes it: `sections[2].text`.
    pub field: String,
    /// The id of the rule: `string.uuid`.
    pub rule: &'static str,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Violation {
    /// A broken rule.
    pub fn new(field: impl Into<String>, rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            rule,
            message: message.into(),
        }
    }

    /// For a BadRequest: the message and, in brackets, the rule.
    pub fn description(&self) -> String {
        format!("{} [{}]", self.message, self.rule)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// Appends the violations of `inner`, a field of the message at hand, with `prefix` before their paths.
pub fn nested(out: &mut Vec<Violation>, prefix: impl FnOnce() -> String, inner: &impl Validate) {
    let before = out.len();
    inner.violations(out);
    if out.len() > before {
        let prefix = prefix();
        for violation in &mut out[before..] {
            violation.field = format!("{prefix}.{}", violation.field);
        }
    }
}

/// Whether so much is known to be wrong that looking on would only cost memory: a list can hold millions of invalid items.
pub fn enough(out: &[Violation]) -> bool {
    out.len() >= 100
}

/// Whether `text` has the form of a UUID: 8-4-4-4-12 hexadecimal digits.
pub fn is_uuid(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

/// A regular expression of a rule, compiled on first use. Code generation has compiled it before, so it is valid.
#[derive(Debug)]
pub struct Pattern {
    regex: LazyLock<Option<Regex>>,
}

impl Pattern {
    /// The pattern that `compile` makes.
    pub const fn new(compile: fn() -> Option<Regex>) -> Self {
        Self {
            regex: LazyLock::new(compile),
        }
    }

    /// Compiles `pattern`.
    pub fn compile(pattern: &str) -> Option<Regex> {
        Regex::new(pattern).ok()
    }

    /// Whether `text` contains a match. A pattern that does not compile matches nothing.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex
            .as_ref()
            .is_some_and(|regex| regex.is_match(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_uuid() {
        for (text, expect) in [
            ("0198c0de-0000-7000-8000-000000000001", true),
            ("0198C0DE-0000-7000-8000-00000000000F", true),
            ("0198c0de00007000800000000000000f", false),
            ("0198c0de-0000-7000-8000-00000000000g", false),
            ("{0198c0de-0000-7000-8000-00000000001}", false),
            ("", false),
        ] {
            assert_eq!(is_uuid(text), expect, "{text}");
        }
    }
}
