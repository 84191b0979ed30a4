//! Adds up what speaks for each section, and decides.

use super::lexicon::{Cue, THRESHOLD, discharge, visit};
use super::rules::{self, Rule};
use super::words::Words;
use crate::section::{NoteType, SectionKind};

/// The section in which a sentence belongs by its words alone; [`SectionKind::Other`] when they do not say.
pub(super) fn place(words: &Words, note_type: NoteType) -> SectionKind {
    // A question asserts nothing. Placed without its answer it would read as a finding.
    if words.question {
        return SectionKind::Other;
    }
    let (cues, rules): (&[Cue], &[Rule]) = match note_type {
        NoteType::Soap | NoteType::Progress => (visit::CUES, rules::VISIT),
        NoteType::Discharge => (discharge::CUES, rules::DISCHARGE),
    };
    match (winner(&scores(words, cues, rules)), note_type) {
        (SectionKind::Subjective, NoteType::Progress) => SectionKind::IntervalHistory,
        (kind, _) => kind,
    }
}

/// What speaks for each section, for those for which anything does.
fn scores(words: &Words, cues: &[Cue], rules: &[Rule]) -> Vec<(SectionKind, u8)> {
    let mut scores: Vec<(SectionKind, u8)> = Vec::new();
    let mut add = |section, weight: u8| match scores.iter_mut().find(|(kind, _)| *kind == section) {
        Some((_, sum)) => *sum = sum.saturating_add(weight),
        None => scores.push((section, weight)),
    };

    let mut hits: Vec<(SectionKind, u8, std::ops::Range<usize>)> = Vec::new();
    for cue in cues {
        for phrase in cue.phrases {
            if let Some(at) = words.find(phrase) {
                hits.push((cue.section, cue.weight, at..at + phrase.split(' ').count()));
            }
        }
    }
    // The longest phrase first, so that "follow up in" hides the "follow up" inside it.
    hits.sort_by_key(|(_, weight, range)| std::cmp::Reverse((range.len(), *weight)));
    let mut counted: Vec<&(SectionKind, u8, std::ops::Range<usize>)> = Vec::new();
    for hit in &hits {
        let hidden = counted.iter().any(|(section, _, range)| {
            *section == hit.0 && range.start < hit.2.end && hit.2.start < range.end
        });
        if !hidden {
            add(hit.0, hit.1);
            counted.push(hit);
        }
    }
    for rule in rules {
        if (rule.holds)(words) {
            add(rule.section, rule.weight);
        }
    }
    scores
}

/// The section with the highest score, if that is high enough and nothing ties with it.
fn winner(scores: &[(SectionKind, u8)]) -> SectionKind {
    let Some(&(best, score)) = scores.iter().max_by_key(|(_, score)| *score) else {
        return SectionKind::Other;
    };
    let tied = scores.iter().filter(|(_, other)| *other == score).count() > 1;
    if score < THRESHOLD || tied {
        SectionKind::Other
    } else {
        best
    }
}

#[cfg(test)]
mod tests;
