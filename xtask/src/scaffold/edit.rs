//! Edits of text that people have written: lists of lines, blocks of YAML, blocks of Rust and Protobuf.
//!
//! Each finds its place by what must be there whatever else changes, and says so when it is not. Comments and order of all
//! that was there stay as they were.

use anyhow::{Context as _, Result, ensure};

/// Puts `line` into the first run of lines for which `is_member` holds, which is in order and stays so.
///
/// # Errors
/// There is no such line, or `line` is there already.
pub(super) fn into_sorted_run(
    text: &str,
    is_member: impl Fn(&str) -> bool,
    line: &str,
) -> Result<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let start = lines
        .iter()
        .position(|line| is_member(line))
        .with_context(|| format!("there is no list for the line `{line}`"))?;
    let length = lines[start..]
        .iter()
        .take_while(|line| is_member(line))
        .count();
    let run = &lines[start..start + length];
    ensure!(!run.contains(&line), "the line `{line}` is there already");
    let at = run
        .iter()
        .position(|member| *member > line)
        .unwrap_or(length);
    lines.insert(start + at, line);
    Ok(lines.join("\n") + "\n")
}

/// Puts `addition` before the first line that begins with `anchor`.
///
/// # Errors
/// There is no such line.
pub(super) fn before_line(text: &str, anchor: &str, addition: &str) -> Result<String> {
    let at = line_start(text, anchor)?;
    Ok(format!("{}{addition}{}", &text[..at], &text[at..]))
}

/// Where the first line that begins with `anchor` begins.
fn line_start(text: &str, anchor: &str) -> Result<usize> {
    if text.starts_with(anchor) {
        return Ok(0);
    }
    let at = text
        .find(&format!("\n{anchor}"))
        .with_context(|| format!("there is no line that begins with `{anchor}`"))?;
    Ok(at + 1)
}

/// Puts `item` at the end of the list in brackets that follows `start`.
///
/// # Errors
/// There is no such list.
pub(super) fn into_brackets(text: &str, start: &str, item: &str) -> Result<String> {
    let missing = || format!("there is no list `{start}...]`");
    let from = text.find(start).with_context(missing)? + start.len();
    let to = from + text[from..].find(']').with_context(missing)?;
    let items = text[from..to].trim_end();
    let comma = if items.trim().is_empty() || items.ends_with(',') {
        ""
    } else {
        ", "
    };
    Ok(format!(
        "{}{items}{comma}{item}{}",
        &text[..from],
        &text[to..]
    ))
}

/// Puts `addition` at the end of the block that begins with the first line that starts with `start` and ends with the
/// next line that is `}`.
///
/// # Errors
/// There is no such block.
pub(super) fn into_block(text: &str, start: &str, addition: &str) -> Result<String> {
    let from = line_start(text, start)?;
    let end = text[from..]
        .find("\n}\n")
        .with_context(|| format!("the block `{start}` does not end with a line `}}`"))?;
    let at = from + end + 1;
    Ok(format!("{}{addition}{}", &text[..at], &text[at..]))
}

/// Puts `addition`, lines of the right indentation, at the end of the mapping or sequence under these keys.
///
/// # Errors
/// The keys are not there.
pub(super) fn into_yaml(text: &str, keys: &[&str], addition: &str) -> Result<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (mut from, mut to) = (0, lines.len());
    for (depth, key) in keys.iter().enumerate() {
        let head = format!("{}{key}:", "  ".repeat(depth));
        let at = (from..to)
            .find(|&line| lines[line].trim_end() == head)
            .with_context(|| format!("there is no key {}", keys[..=depth].join(".")))?;
        from = at + 1;
        // Up to the next line that is no deeper than the key; items of a sequence may be as deep as their key.
        let deeper = |line: &str| {
            line.trim().is_empty() || line.trim_start().starts_with('#') || indent(line) > depth * 2
        };
        to = (from..to).find(|&line| !deeper(lines[line])).unwrap_or(to);
    }
    // Comments and empty lines at the end belong to what follows.
    let content = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let end = (from..to)
        .rev()
        .find(|&line| content(lines[line]))
        .map_or(from, |line| line + 1);
    Ok(lines[..end].concat() + addition + &lines[end..].concat())
}

/// Puts `addition`, a whole entry, before the entry under these keys and the comment above it.
///
/// # Errors
/// The keys are not there.
pub(super) fn before_yaml(text: &str, key: &str, addition: &str) -> Result<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut at = lines
        .iter()
        .position(|line| line.trim_end() == key)
        .with_context(|| format!("there is no key `{}`", key.trim()))?;
    while at > 0 && lines[at - 1].trim_start().starts_with('#') {
        at -= 1;
    }
    Ok(lines[..at].concat() + addition + &lines[at..].concat())
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_line_finds_its_place_in_a_list() {
        let text = "# x\na-b = 1\na-d = 1\n\na-a = 1\n";
        let member = |line: &str| line.starts_with("a-");
        let check = |line, expect: &str| {
            assert_eq!(into_sorted_run(text, member, line).unwrap(), expect);
        };
        check("a-a = 2", "# x\na-a = 2\na-b = 1\na-d = 1\n\na-a = 1\n");
        check("a-c = 1", "# x\na-b = 1\na-c = 1\na-d = 1\n\na-a = 1\n");
        check("a-e = 1", "# x\na-b = 1\na-d = 1\na-e = 1\n\na-a = 1\n");
        assert!(into_sorted_run(text, member, "a-b = 1").is_err());
        assert!(into_sorted_run(text, |_| false, "z").is_err());
    }

    #[test]
    fn an_item_ends_a_list_in_brackets() {
        let check = |text, expect: &str| {
            assert_eq!(into_brackets(text, "x: &[", "d").unwrap(), expect);
        };
        check("x: &[]", "x: &[d]");
        check("x: &[a]", "x: &[a, d]");
        check("x: &[\n  a,\n]", "x: &[\n  a,d]");
        assert!(into_brackets("y: &[]", "x: &[", "d").is_err());
    }

    #[test]
    fn yaml_keeps_its_comments_where_they_are() {
        let text = "top:\n  one:\n    list:\n      - a\n\n  # of two\n  two:\n    x: 1\nend:\n";
        let expect =
            "top:\n  one:\n    list:\n      - a\n      - b\n\n  # of two\n  two:\n    x: 1\nend:\n";
        let keys = ["top", "one", "list"];
        assert_eq!(into_yaml(text, &keys, "      - b\n").unwrap(), expect);
        let expect =
            "top:\n  one:\n    list:\n      - a\n\n  new:\n\n  # of two\n  two:\n    x: 1\nend:\n";
        assert_eq!(before_yaml(text, "  two:", "  new:\n\n").unwrap(), expect);
        assert_eq!(
            into_yaml(text, &["end"], "  z:\n").unwrap(),
            format!("{text}  z:\n")
        );
        let missing = into_yaml(text, &["top", "three"], "").unwrap_err();
        assert_eq!(missing.to_string(), "there is no key top.three");
    }

    #[test]
    fn a_block_ends_with_its_brace() {
        let text = "x {\n  y {\n  }\n}\n\nz {\n}\n";
        let expect = "x {\n  y {\n  }\n  n\n}\n\nz {\n}\n";
        assert_eq!(into_block(text, "x {", "  n\n").unwrap(), expect);
        assert!(into_block(text, "y {", "  n\n").is_err());
    }
}
