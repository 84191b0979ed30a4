//! Relative links in Markdown lead somewhere.

use std::path::Path;

use super::Finding;
use super::files::File;

pub(super) fn check(root: &Path, files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| {
        file.name()
            .rsplit_once('.')
            .is_some_and(|(_, ending)| ending == "md")
    }) {
        let folder = root
            .join(&file.path)
            .parent()
            .map_or_else(|| root.to_owned(), Path::to_owned);
        for (number, target) in links(&file.text) {
            let path = target.split(['#', '?']).next().unwrap_or_default();
            let relative =
                !path.is_empty() && !path.starts_with("mailto:") && !path.contains("://");
            if relative && !folder.join(path).exists() {
                let what = format!("the link `{target}` leads nowhere");
                findings.push(Finding::new(
                    &file.path,
                    number,
                    what,
                    "a path relative to this file that exists",
                ));
            }
        }
    }
    findings
}

/// The targets of `[text](target)` and `[text]: target` outside code, with their lines.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    let mut in_code = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
            continue;
        }
        if in_code {
            continue;
        }
        // After an odd number of backticks one is inside inline code.
        let mut from = 0;
        while let Some(found) = line[from..].find("](") {
            let start = from + found + 2;
            from = start;
            let quoted = line[..start].matches('`').count() % 2 == 1;
            if let (false, Some(end)) = (quoted, line[start..].find(')')) {
                links.extend(first_word(&line[start..start + end]).map(|target| (number, target)));
            }
        }
        if let Some((_, target)) = line
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("]: "))
        {
            links.extend(first_word(target).map(|target| (number, target)));
        }
    }
    links
}

/// A target may be followed by a title, and may stand in angle brackets.
fn first_word(target: &str) -> Option<&str> {
    target
        .split_whitespace()
        .next()
        .map(|word| word.trim_start_matches('<').trim_end_matches('>'))
}
