//! Regular expressions: RE2's syntax, as Rust's `regex` understands it.

use super::Refusal;
use super::lex::refuse;
use super::types::Sort;
use super::value::Value;

/// `text.matches(pattern)`: whether the text contains a match. The pattern is compiled once.
pub(super) fn matches(at: usize, text: &Value, pattern: &Value) -> Result<Value, Refusal> {
    let Some(known) = pattern.known_text() else {
        return refuse(
            pattern.at,
            "a pattern is written out, or is the value of a rule: it is checked and compiled when the contract is",
        );
    };
    let rust = crate::validator::pattern::translate(known);
    if let Err(error) = regex::Regex::new(&rust) {
        // The last of several lines says what is wrong; the others draw it.
        let error = error.to_string();
        let error = error.lines().last().unwrap_or_default();
        return refuse(
            pattern.at,
            format!("{known:?} is no regular expression: {error}"),
        );
    }
    let code = format!(
        "{{ static PATTERN: ::scribemed_rpc::validate::Pattern = ::scribemed_rpc::validate::Pattern::new(|| \
         ::scribemed_rpc::validate::Pattern::compile({rust:?})); PATTERN.is_match({}) }}",
        text.borrowed()
    );
    Ok(Value::new(at, Sort::Bool, code).loose())
}
