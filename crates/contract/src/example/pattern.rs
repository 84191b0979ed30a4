//! A short text that matches a pattern.

use regex_syntax::hir::{Class, Hir, HirKind};

/// A text that the pattern (RE2) matches, of some length near `wanted` where the pattern leaves a choice; `None` where none
/// is found.
pub(super) fn matching(pattern: &str, wanted: usize) -> Option<String> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let regex = regex::Regex::new(pattern).ok()?;
    // What repeats may do so as often as there is room for.
    [1, wanted.min(64), 2, 3]
        .into_iter()
        .map(|times| {
            let mut text = String::new();
            write(&hir, times, &mut text);
            text
        })
        .find(|text| regex.is_match(text) && !text.is_empty())
}

fn write(hir: &Hir, times: usize, out: &mut String) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => out.extend(member(class)),
        HirKind::Repetition(repetition) => {
            let least = usize::try_from(repetition.min).unwrap_or(0);
            let most = repetition.max.and_then(|max| usize::try_from(max).ok());
            for _ in 0..times.max(least).min(most.unwrap_or(usize::MAX)) {
                write(&repetition.sub, times, out);
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, times, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| write(part, times, out)),
        HirKind::Alternation(ways) => {
            if let Some(way) = ways.first() {
                write(way, times, out);
            }
        }
    }
}

/// A letter, else a digit, else what comes first.
fn member(class: &Class) -> Option<char> {
    let holds = |wanted: char| match class {
        Class::Unicode(class) => class
            .ranges()
            .iter()
            .any(|range| (range.start()..=range.end()).contains(&wanted)),
        Class::Bytes(class) => u8::try_from(wanted).is_ok_and(|wanted| {
            class
                .ranges()
                .iter()
                .any(|range| (range.start()..=range.end()).contains(&wanted))
        }),
    };
    let first = match class {
        Class::Unicode(class) => class
            .ranges()
            .first()
            .map(regex_syntax::hir::ClassUnicodeRange::start),
        Class::Bytes(class) => class
            .ranges()
            .first()
            .map(|range| char::from(range.start())),
    };
    ['a', 'A', '1', '0', '-', '_']
        .into_iter()
        .find(|wanted| holds(*wanted))
        .or(first)
}
