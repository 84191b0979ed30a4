//! Regular expressions: RE2's syntax, as Rust's `regex` understands it.

use super::Refusal;
use super::lex::refuse;
use super::types::Sort;
use super::value::Value;
use crate::validator::pattern;

/// `text.matches(pattern)`: whether the text contains a match. The pattern is compiled once.
pub(super) fn matches(at: usize, text: &Value, pattern: &Value) -> Result<Value, Refusal> {
    let Some(known) = pattern.known_text() else {
        return refuse(
            pattern.at,
            "a pattern is written out, or is the value of a rule: it is checked and compiled when the contract is",
        );
    };
    match pattern::matches(known, &text.borrowed()) {
        Ok(code) => Ok(Value::new(at, Sort::Bool, code).loose()),
        Err(error) => refuse(
            pattern.at,
            format!("this is no regular expression, {error}"),
        ),
    }
}
