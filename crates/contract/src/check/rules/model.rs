//! What a field accepts, as a set of values.

use std::collections::{BTreeMap, BTreeSet};

use super::ranges::Ranges;
use super::verdict::Verdict;

/// What a field accepts.
#[derive(Debug, Clone)]
pub(super) struct Accepted {
    /// Whether it may be left out.
    pub(super) absent: Verdict,
    /// Whether its zero value may be sent. Where a field cannot be told from one that was left out, the same as `absent`.
    pub(super) zero: Verdict,
    /// Every other value that is accepted keeps to each of these.
    pub(super) limits: Limits,
}

impl Accepted {
    /// Whatever its type allows.
    pub(super) fn everything() -> Self {
        Self {
            absent: Verdict::Yes,
            zero: Verdict::Yes,
            limits: Limits::default(),
        }
    }
}

/// Limits by what they limit.
pub(super) type Limits = BTreeMap<String, Limit>;

/// The keys of limits that follow from other limits.
pub(super) const VALUE: &str = "value";
pub(super) const CHARACTERS: &str = "characters";
pub(super) const BYTES: &str = "bytes";
/// How many items or pairs.
pub(super) const COUNT: &str = "count";
pub(super) const ONE_OF: &str = "one of";
pub(super) const PREFIX: &str = "prefix";
pub(super) const SUFFIX: &str = "suffix";
pub(super) const CONTAINS: &str = "contains";
pub(super) const FORMAT: &str = "format";
pub(super) const PATTERN: &str = "pattern";

/// One thing that a value keeps to.
#[derive(Debug, Clone)]
pub(super) enum Limit {
    /// A number, or a length, is in `accepted`; its type allows `of`.
    In {
        /// These.
        accepted: Ranges,
        /// All.
        of: Ranges,
    },
    /// One of these texts.
    OneOf(BTreeSet<Vec<u8>>),
    /// None of these.
    NoneOf(BTreeSet<Vec<u8>>),
    /// Begins so.
    Prefix(Vec<u8>),
    /// Ends so.
    Suffix(Vec<u8>),
    /// Has this in it.
    Contains(Vec<u8>),
    /// Does not.
    Lacks(Vec<u8>),
    /// Has a format; whether it is text or bytes.
    Format(String, bool),
    /// Matches.
    Pattern(String),
    /// The items, keys or values.
    Each(Box<Accepted>),
    /// Each path of a field mask is one of these, or below one.
    Paths(BTreeSet<String>),
    /// No path is.
    NoPaths(BTreeSet<String>),
    /// At most so far from now, in nanoseconds.
    Near(i128),
    /// A condition that is either there or not.
    Condition,
    /// What can only be compared word by word: an expression, a rule that is not known here.
    Opaque(String),
}

/// Whether a text keeps to the limits.
pub(super) fn takes(limits: &Limits, text: &[u8]) -> Verdict {
    Verdict::all(
        limits
            .iter()
            .map(|(key, limit)| takes_one(key, limit, text)),
    )
}

fn takes_one(key: &str, limit: &Limit, text: &[u8]) -> Verdict {
    let has =
        |part: &[u8]| part.is_empty() || text.windows(part.len()).any(|window| window == part);
    match limit {
        Limit::In { accepted, .. } => {
            let count = match (key, std::str::from_utf8(text)) {
                (CHARACTERS, Ok(text)) => text.chars().count(),
                _ => text.len(),
            };
            i128::try_from(count)
                .is_ok_and(|count| accepted.contains(count))
                .into()
        }
        Limit::OneOf(texts) => texts.contains(text).into(),
        Limit::NoneOf(texts) => (!texts.contains(text)).into(),
        Limit::Prefix(part) => text.starts_with(part).into(),
        Limit::Suffix(part) => text.ends_with(part).into(),
        Limit::Contains(part) => has(part).into(),
        Limit::Lacks(part) => (!has(part)).into(),
        Limit::Format(format, _) if text.is_empty() => super::format::takes_empty(format).into(),
        Limit::Pattern(pattern) => match (regex::Regex::new(pattern), std::str::from_utf8(text)) {
            (Ok(regex), Ok(text)) => regex.is_match(text).into(),
            _ => Verdict::Unknown,
        },
        Limit::Format(..)
        | Limit::Opaque(_)
        | Limit::Each(_)
        | Limit::Paths(_)
        | Limit::NoPaths(_)
        | Limit::Near(_)
        | Limit::Condition => Verdict::Unknown,
    }
}

/// Whether the zero value keeps to the limits: 0, or what is empty.
pub(super) fn takes_zero(limits: &Limits) -> Verdict {
    Verdict::all(limits.iter().map(|(key, limit)| match limit {
        Limit::In { accepted, .. } => accepted.contains(0).into(),
        // Nothing that is empty has items, and nothing that it holds comes twice.
        Limit::Each(_) | Limit::Condition | Limit::Paths(_) | Limit::NoPaths(_) => Verdict::Yes,
        Limit::OneOf(_)
        | Limit::NoneOf(_)
        | Limit::Prefix(_)
        | Limit::Suffix(_)
        | Limit::Contains(_)
        | Limit::Lacks(_)
        | Limit::Format(..)
        | Limit::Pattern(_)
        | Limit::Near(_)
        | Limit::Opaque(_) => takes_one(key, limit, b""),
    }))
}
