//! Regular expressions of rules: RE2's, as protovalidate reads them, in the words of the `regex` crate.

use prost_reflect::FieldDescriptor;

use super::{Context, VALIDATE};

/// An expression that tells whether `text`, one of type `&str`, contains a match of `pattern`, which is compiled once, on first
/// use.
///
/// # Errors
/// It is no regular expression; why, in words.
pub(crate) fn matches(pattern: &str, text: &str) -> Result<String, String> {
    let rust = translate(pattern);
    if let Err(error) = regex::Regex::new(&rust) {
        // The last of several lines says what is wrong; the others draw it.
        let error = error.to_string();
        let error = error.lines().last().unwrap_or_default();
        return Err(format!("{pattern:?}: {error}"));
    }
    Ok(format!(
        "{{
            static PATTERN: {VALIDATE}::Pattern = {VALIDATE}::Pattern::new(|| {VALIDATE}::Pattern::compile({rust:?}));
            PATTERN.is_match({text})
        }}"
    ))
}

/// The same, where a pattern that is none is reported and matches everything.
pub(super) fn of_rule(
    context: &mut Context<'_>,
    field: &FieldDescriptor,
    pattern: &str,
    text: &str,
) -> String {
    matches(pattern, text).unwrap_or_else(|error| {
        context.report(
            field,
            format!("has a pattern that is no regular expression, {error}"),
        );
        "true".to_owned()
    })
}

/// RE2's classes are of ASCII where those of `regex` are of Unicode, and within brackets some characters that RE2 takes as
/// they are have a meaning in `regex`.
fn translate(pattern: &str) -> String {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let escaped = chars.next();
                match (escaped, in_class) {
                    (Some('d'), false) => out += "[0-9]",
                    (Some('d'), true) => out += "0-9",
                    (Some('w'), false) => out += "[0-9A-Za-z_]",
                    (Some('w'), true) => out += "0-9A-Za-z_",
                    (Some('s'), false) => out += r"[\t\n\x0C\r ]",
                    (Some('s'), true) => out += r"\t\n\x0C\r ",
                    // A class within a class is the union of both.
                    (Some('D'), _) => out += "[^0-9]",
                    (Some('W'), _) => out += "[^0-9A-Za-z_]",
                    (Some('S'), _) => out += r"[^\t\n\x0C\r ]",
                    (Some('b'), false) => out += r"(?-u:\b)",
                    (Some('B'), false) => out += r"(?-u:\B)",
                    (Some(other), _) => out.extend(['\\', other]),
                    (None, _) => out.push('\\'),
                }
            }
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                // A bracket that comes first stands for itself.
                if chars.next_if_eq(&']').is_some() {
                    out += r"\]";
                }
            }
            '[' if chars.peek() == Some(&':') => {
                out.push('[');
                for c in chars.by_ref() {
                    out.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            '[' | '&' | '~' if in_class => out.extend(['\\', c]),
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '-' if in_class => {
                out.push('-');
                // The end of a range that ends with a dash, and no difference of two classes.
                if chars.next_if_eq(&'-').is_some() {
                    out += r"\-";
                }
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn means_what_re2_means() {
        for (pattern, good, bad) in [
            (r"^\d+$", "019", "٣"),
            (r"^[\d-]+$", "0-9", "٣"),
            (r"^\w+$", "a_1", "é"),
            (r"^[^\W]+$", "a_1", "é"),
            (r"^\s$", " ", "\u{a0}"),
            (r"^[a[b]+$", "a[b", "a]"),
            (r"^[]a]+$", "]a", "b"),
            (r"^[&&~]+$", "&~", "a"),
            (r"^[+--]+$", "+,-", "a"),
            (r"^[[:alpha:]-]+$", "a-", "1"),
            (r"^\[x\]$", "[x]", "x"),
            (r"^.$", "é", "ab"),
        ] {
            let regex = regex::Regex::new(&translate(pattern)).unwrap();
            assert!(regex.is_match(good), "{pattern} takes {good}");
            assert!(!regex.is_match(bad), "{pattern} does not take {bad}");
        }
    }
}
