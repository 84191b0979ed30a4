//! Whether one set of values lies within another.

use std::collections::BTreeSet;

use super::format;
use super::model::{
    Accepted, BYTES, CHARACTERS, CONTAINS, COUNT, FORMAT, Limit, Limits, ONE_OF, PATTERN, PREFIX,
    SUFFIX, VALUE, takes,
};
use super::ranges::Ranges;
use super::verdict::Verdict;

/// Whether `outer` accepts all that `inner` does.
pub(super) fn includes(outer: &Accepted, inner: &Accepted) -> Verdict {
    let limits = closed(&inner.limits);
    inner
        .absent
        .implies(outer.absent)
        .and(inner.zero.implies(outer.zero))
        .and(within(&limits, &outer.limits))
}

/// Whether what keeps to `inner` keeps to `outer`.
fn within(inner: &Limits, outer: &Limits) -> Verdict {
    if let Some(Limit::OneOf(texts)) = inner.get(ONE_OF) {
        // Few enough to try each.
        let tried = texts.iter().filter(|text| !text.is_empty());
        let tried = tried.filter(|text| takes(inner, text) != Verdict::No);
        return Verdict::all(tried.map(|text| agreed(inner, outer, text)));
    }
    Verdict::all(outer.iter().map(|(key, limit)| implied(inner, key, limit)))
}

/// Whether `outer` takes a text that `inner` takes. What both ask for in the same words needs no answer.
fn agreed(inner: &Limits, outer: &Limits, text: &[u8]) -> Verdict {
    let new = outer
        .iter()
        .filter(|(key, limit)| !inner.get(*key).is_some_and(|known| same(known, limit)));
    takes(
        &new.map(|(key, limit)| (key.clone(), limit.clone()))
            .collect(),
        text,
    )
}

fn same(one: &Limit, other: &Limit) -> bool {
    if let (Limit::Format(a, _), Limit::Format(b, _))
    | (Limit::Pattern(a), Limit::Pattern(b))
    | (Limit::Opaque(a), Limit::Opaque(b)) = (one, other)
    {
        a == b
    } else {
        false
    }
}

/// Whether what keeps to `inner` keeps to one more limit.
fn implied(inner: &Limits, key: &str, limit: &Limit) -> Verdict {
    let known = inner.get(key);
    let part = |known: Option<&Limit>, fits: &dyn Fn(&[u8]) -> bool| {
        let parts = [
            known,
            inner.get(PREFIX),
            inner.get(SUFFIX),
            inner.get(CONTAINS),
        ];
        parts.into_iter().flatten().any(|limit| {
            matches!(limit, Limit::Prefix(part) | Limit::Suffix(part) | Limit::Contains(part) if fits(part))
        })
    };
    let has = |text: &[u8], part: &[u8]| {
        part.is_empty() || text.windows(part.len()).any(|found| found == part)
    };
    match (limit, known) {
        (
            Limit::In { accepted, .. },
            Some(Limit::In {
                accepted: known, ..
            }),
        ) => known.within(accepted).into(),
        (Limit::In { accepted, of }, _) => {
            let rest = if key == VALUE {
                of.without(&Ranges::points([0]))
            } else {
                of.clone()
            };
            rest.within(accepted).into()
        }
        (Limit::NoneOf(texts), known) => {
            let out = |text: &Vec<u8>| {
                let excluded = matches!(known, Some(Limit::NoneOf(known)) if known.contains(text));
                excluded || text.is_empty() || takes(inner, text) == Verdict::No
            };
            Verdict::from(texts.iter().all(out))
        }
        (Limit::Prefix(asked), Some(Limit::Prefix(known))) if known.starts_with(asked) => {
            Verdict::Yes
        }
        (Limit::Suffix(asked), Some(Limit::Suffix(known))) if known.ends_with(asked) => {
            Verdict::Yes
        }
        (Limit::Contains(asked), known) if part(known, &|text| has(text, asked)) => Verdict::Yes,
        (Limit::Lacks(asked), Some(Limit::Lacks(known))) if has(asked, known) => Verdict::Yes,
        (Limit::Format(asked, _), Some(Limit::Format(known, _))) => {
            format::within(known, asked).into()
        }
        (Limit::Pattern(asked), Some(Limit::Pattern(known))) if asked == known => Verdict::Yes,
        (Limit::Opaque(asked), Some(Limit::Opaque(known))) if asked == known => Verdict::Yes,
        (Limit::Pattern(_) | Limit::Opaque(_), Some(_)) => Verdict::Unknown,
        (Limit::Pattern(_), None) if shaped(inner) => Verdict::Unknown,
        (Limit::Prefix(_) | Limit::Suffix(_) | Limit::Contains(_) | Limit::Format(..), _)
            if inner.contains_key(PATTERN) =>
        {
            Verdict::Unknown
        }
        (Limit::Each(asked), Some(Limit::Each(known))) => includes(asked, known),
        (Limit::Each(asked), _) => includes(asked, &Accepted::everything()),
        (Limit::Paths(asked), Some(Limit::Paths(known))) => {
            known.iter().all(|path| covers(asked, path)).into()
        }
        (Limit::NoPaths(asked), Some(Limit::NoPaths(known))) => {
            asked.iter().all(|path| covers(known, path)).into()
        }
        (Limit::Near(asked), Some(Limit::Near(known))) => (known <= asked).into(),
        (Limit::Condition, known) => known.is_some().into(),
        (
            Limit::OneOf(_)
            | Limit::Prefix(_)
            | Limit::Suffix(_)
            | Limit::Contains(_)
            | Limit::Lacks(_)
            | Limit::Format(..)
            | Limit::Pattern(_)
            | Limit::Paths(_)
            | Limit::NoPaths(_)
            | Limit::Near(_)
            | Limit::Opaque(_),
            _,
        ) => Verdict::No,
    }
}

/// Whether other limits may do what a pattern does.
fn shaped(limits: &Limits) -> bool {
    [FORMAT, PREFIX, SUFFIX, CONTAINS]
        .iter()
        .any(|key| limits.contains_key(*key))
}

/// Whether a path, or one above it, is among these.
fn covers(paths: &BTreeSet<String>, path: &str) -> bool {
    paths.iter().any(|known| {
        path == known
            || path
                .strip_prefix(known)
                .is_some_and(|rest| rest.starts_with('.'))
    })
}

/// The limits and what follows from them, for all values but zero, which is compared by itself.
fn closed(limits: &Limits) -> Limits {
    let mut closed = limits.clone();
    if let Some(Limit::In { accepted, .. }) = closed.get_mut(VALUE) {
        *accepted = accepted.without(&Ranges::points([0]));
    }
    for unit in [CHARACTERS, BYTES, COUNT] {
        narrow(&mut closed, unit, 1, i128::MAX);
    }
    for limit in limits.values() {
        if let Limit::Format(format, is_text) = limit
            && let Some(lengths) = format::lengths(format, *is_text)
        {
            let unit = if *is_text { CHARACTERS } else { BYTES };
            narrow_to(&mut closed, unit, &lengths);
        }
        if let Limit::Prefix(part) | Limit::Suffix(part) | Limit::Contains(part) = limit {
            narrow(&mut closed, BYTES, size(part.len()), i128::MAX);
            let characters = std::str::from_utf8(part).map_or(0, |text| text.chars().count());
            narrow(&mut closed, CHARACTERS, size(characters), i128::MAX);
        }
        if let Limit::Pattern(pattern) = limit {
            let (from, to) = lengths_of(pattern);
            narrow(&mut closed, BYTES, from, to);
        }
    }
    // A character has 1 to 4 bytes.
    let ends = |limits: &Limits, unit: &str| {
        if let Some(Limit::In { accepted, .. }) = limits.get(unit) {
            accepted.ends()
        } else {
            None
        }
    };
    if let Some((from, to)) = ends(&closed, CHARACTERS) {
        narrow(&mut closed, BYTES, from, to.saturating_mul(4));
    }
    if let Some((from, to)) = ends(&closed, BYTES) {
        narrow(&mut closed, CHARACTERS, (from + 3) / 4, to);
    }
    closed
}

fn size(length: usize) -> i128 {
    i128::try_from(length).unwrap_or(i128::MAX)
}

fn narrow(limits: &mut Limits, unit: &str, from: i128, to: i128) {
    narrow_to(limits, unit, &Ranges::between(from, to));
}

fn narrow_to(limits: &mut Limits, unit: &str, to: &Ranges) {
    let of = Ranges::between(0, i128::from(u64::MAX));
    let limit = limits.entry(unit.to_owned()).or_insert_with(|| Limit::In {
        accepted: of.clone(),
        of,
    });
    if let Limit::In { accepted, .. } = limit {
        *accepted = accepted.and(to);
    }
}

/// How many bytes match a pattern: a most is known only of one that is anchored at both ends.
fn lengths_of(pattern: &str) -> (i128, i128) {
    use regex_syntax::hir::Look;

    let Ok(hir) = regex_syntax::parse(pattern) else {
        return (0, i128::MAX);
    };
    let properties = hir.properties();
    let from = properties.minimum_len().map_or(0, size);
    let anchored = properties.look_set_prefix().contains(Look::Start)
        && properties.look_set_suffix().contains(Look::End);
    let to = properties.maximum_len().filter(|_| anchored);
    (from, to.map_or(i128::MAX, size))
}
