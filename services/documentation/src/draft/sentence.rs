//! Cuts a transcript into sentences, each with the segments that it comes from.

use crate::phi::Phi;
use crate::section::{Sentence, Source};
use crate::transcript::{Segment, Transcript};

/// Abbreviations that always have something behind them, so that their point never ends a sentence.
const LEADING: &[&str] = &[
    "approx", "capt", "cf", "col", "dr", "drs", "e.g", "eg", "gen", "i.e", "ie", "messrs", "mr",
    "mrs", "ms", "mt", "prof", "pt", "rev", "sgt", "st", "viz", "vs",
];

/// Abbreviations that may stand last: their point ends the sentence if the next word begins with a capital.
const TRAILING: &[&str] = &[
    "a.c", "a.m", "ad", "am", "b.i.d", "bid", "cc", "cm", "dept", "esp", "etc", "ft", "g", "gm",
    "h.s", "hr", "hrs", "i.m", "i.v", "im", "in", "inc", "iv", "jr", "kg", "l", "lb", "lbs", "ltd",
    "m.d", "mcg", "md", "meq", "mg", "min", "mins", "ml", "mm", "o.d", "oz", "p.c", "p.m", "p.o",
    "p.r.n", "ph.d", "pm", "po", "prn", "q.d", "q.h.s", "q.i.d", "q.o.d", "qd", "qid", "rn", "sec",
    "secs", "sr", "t.i.d", "temp", "tid", "u.k", "u.s", "wt", "yr", "yrs",
];

/// Abbreviations only in front of a number ("No. 5"), words anywhere else ("No. It does not hurt.").
const BEFORE_NUMBER: &[&str] = &["fig", "no", "nos", "vol"];

/// A recogniser may leave out punctuation altogether. A sentence that has grown to this many words without any ends
/// with its segment; 60 is twice the length of a long spoken sentence, so a punctuated transcript is left alone.
const MAX_WORDS: usize = 60;

/// The sentences of `transcript`, in order. Their text is the transcript's, trimmed, with one space where a sentence
/// goes on into the next segment; every character that is not whitespace is in exactly one of them.
pub(super) fn split(transcript: &Transcript) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    let mut open = Open::default();
    let mut segments = transcript
        .segments
        .iter()
        .filter(|segment| !segment.text.is_blank())
        .peekable();
    while let Some(segment) = segments.next() {
        let text = segment.text.expose().trim();
        let next = segments
            .peek()
            .and_then(|segment| segment.text.expose().split_whitespace().next());
        let mut rest = text;
        while let Some(end) = boundary(rest, open.last_word(), next) {
            open.push(&rest[..end], segment);
            sentences.extend(open.take());
            rest = rest[end..].trim_start();
        }
        open.push(rest, segment);
        if open.text.split_whitespace().count() >= MAX_WORDS {
            sentences.extend(open.take());
        }
    }
    sentences.extend(open.take());
    sentences
}

/// A sentence of which the end has not been seen yet.
#[derive(Default)]
struct Open<'a> {
    text: String,
    segments: Vec<&'a Segment>,
}

impl<'a> Open<'a> {
    fn push(&mut self, text: &str, segment: &'a Segment) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(text);
        self.segments.push(segment);
    }

    fn last_word(&self) -> Option<&str> {
        self.text.split_whitespace().next_back()
    }

    fn take(&mut self) -> Option<Sentence> {
        let Self { text, segments } = std::mem::take(self);
        let source = |segment: &&Segment| Source {
            segment: segment.index,
            start_ms: segment.start_ms,
            end_ms: segment.end_ms,
        };
        (!segments.is_empty()).then(|| Sentence {
            text: Phi::new(text),
            sources: segments.iter().map(source).collect(),
        })
    }
}

/// Where the first sentence of `text` ends, as a byte offset behind its last character; `None` when it goes on beyond
/// `text`. `before` is the word in front of `text`, `after` the first one behind it (none at the end of everything).
fn boundary(text: &str, before: Option<&str>, after: Option<&str>) -> Option<usize> {
    let mut previous = before;
    let mut words = words_with_ends(text).peekable();
    while let Some((word, end)) = words.next() {
        let next = words.peek().map(|(word, _)| *word).or(after);
        if ends_sentence(previous, word, next) {
            return Some(end);
        }
        previous = Some(word);
    }
    None
}

/// The words of `text`, each with the offset of its end.
fn words_with_ends(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut start = 0;
    text.split_inclusive(char::is_whitespace)
        .filter_map(move |piece| {
            let word = piece.trim_end();
            let end = start + word.len();
            start += piece.len();
            (!word.is_empty()).then_some((word, end))
        })
}

fn ends_sentence(previous: Option<&str>, word: &str, next: Option<&str>) -> bool {
    let closers: &[char] = &['"', '\'', ')', ']', '\u{201d}', '\u{2019}'];
    let openers: &[char] = &['"', '\'', '(', '[', '\u{201c}', '\u{2018}'];
    let bare = word.trim_end_matches(closers);
    let quoted = bare.len() < word.len();
    let next_start = next.and_then(|next| next.trim_start_matches(openers).chars().next());
    let goes_on = next_start.is_some_and(char::is_lowercase);

    if bare.ends_with(['?', '!']) {
        // '"What?" he said' is one sentence.
        return !(quoted && goes_on);
    }
    if bare.ends_with('\u{2026}') || bare.ends_with("..") {
        return !goes_on;
    }
    let Some(stem) = bare.strip_suffix('.') else {
        return false;
    };
    let stem = stem.trim_start_matches(|c: char| !c.is_alphanumeric());
    let lower = stem.to_lowercase();
    // A unit may be glued to its number: "500mg."
    let unit = lower.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ','));
    if LEADING.contains(&lower.as_str()) {
        return next.is_none();
    }
    if BEFORE_NUMBER.contains(&lower.as_str()) {
        return !next_start.is_some_and(|c| c.is_ascii_digit());
    }
    if TRAILING.contains(&unit) {
        return next_start.is_none_or(char::is_uppercase);
    }
    if is_initial(stem) {
        // "J. Smith" and "George W. Bush", but not "hepatitis C. She".
        let named =
            previous.is_none_or(|word| word.starts_with(char::is_uppercase) || word.ends_with('.'));
        return next.is_none() || !named;
    }
    if quoted {
        return !goes_on;
    }
    true
}

/// A single capital that is not the word "I".
fn is_initial(stem: &str) -> bool {
    let mut chars = stem.chars();
    matches!((chars.next(), chars.next()), (Some(c), None) if c.is_uppercase() && c != 'I')
}

#[cfg(test)]
mod tests;
