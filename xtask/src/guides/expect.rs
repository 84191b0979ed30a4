//! Whether a command said what the guide shows.

use anyhow::{Result, bail};

/// Compares line by line: `...` in a line stands for any text, a line `...` for any lines. White space counts as one space,
/// and not at all at the ends of lines and of the whole.
///
/// # Errors
/// They differ; shows both.
pub(super) fn check(expected: &str, said: &str) -> Result<()> {
    let (expect, found) = (lines(expected), lines(said));
    if matches(&expect, &found) {
        return Ok(());
    }
    bail!("it should say\n{expected}\nand said\n{said}")
}

fn lines(text: &str) -> Vec<String> {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    text.trim().lines().map(words).collect()
}

fn matches(expect: &[String], found: &[String]) -> bool {
    match (expect.split_first(), found.split_first()) {
        (None, None) => true,
        (Some((line, rest)), _) if line == "..." => {
            (0..=found.len()).any(|skipped| matches(rest, &found[skipped..]))
        }
        (Some((line, rest)), Some((is, others))) => line_matches(line, is) && matches(rest, others),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn line_matches(expect: &str, found: &str) -> bool {
    let Some((start, mut rest)) = expect.split_once("...") else {
        return expect == found;
    };
    let Some(mut found) = found.strip_prefix(start) else {
        return false;
    };
    while let Some((part, after)) = rest.split_once("...") {
        let Some(at) = found.find(part) else {
            return false;
        };
        found = &found[at + part.len()..];
        rest = after;
    }
    found.ends_with(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_compared_line_by_line() {
        let check = |expected, said, expect| {
            assert_eq!(check(expected, said).is_ok(), expect, "{expected} {said}");
        };
        check("a\nb", "a\nb\n", true);
        check("a\nb", "a", false);
        check("a", "a\nb", false);
        check("a  b", "a\t b ", true);
        check("a\n...\nd", "a\nb\nc\nd", true);
        check("...\nd", "d", true);
        check("a\n...", "a\nb", true);
        check("a\n...\nd", "a\nb", false);
        check("id: ...", "id: 42", true);
        check("id: ..., ... end", "id: 4, 5 end", true);
        check("id: ... end", "id: 4", false);
        check("", "", true);
        check("", "x", false);
    }
}
