//! Headings that somebody dictates: "Assessment colon", "Plan:".

use super::lexicon::headings::HEADINGS;
use super::words::Words;
use crate::section::{NoteType, SectionKind};

/// A heading at the start of a sentence.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Heading {
    /// The section that it opens; `None` when the note's type has no such section, which ends the one before.
    pub(super) section: Option<SectionKind>,
    /// The sentence is nothing but the heading.
    pub(super) bare: bool,
}

/// The heading that `words` begin with: one of [`HEADINGS`] followed by a colon, written or spoken, or standing alone.
pub(super) fn find(words: &Words, note_type: NoteType) -> Option<Heading> {
    HEADINGS.iter().find_map(|heading| {
        heading.spoken.iter().find_map(|phrase| {
            let length = phrase.split(' ').count();
            if !words.at(0, phrase) {
                return None;
            }
            let spoken_colon = words.get(length) == Some("colon");
            let colon = spoken_colon || words.before_colon == Some(length);
            let bare = words.len() == length + usize::from(spoken_colon);
            if words.question || !(colon || bare) {
                return None;
            }
            let sections = note_type.sections();
            let section = heading
                .sections
                .iter()
                .copied()
                .find(|kind| sections.contains(kind));
            Some(Heading { section, bare })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use SectionKind as S;

    #[test]
    fn headings_need_a_colon_or_stand_alone() {
        let check = |text: &str, note_type, expect: Option<(Option<S>, bool)>| {
            let found =
                find(&Words::of(text), note_type).map(|heading| (heading.section, heading.bare));
            assert_eq!(found, expect, "{text}");
        };
        check(
            "Assessment colon likely viral.",
            NoteType::Soap,
            Some((Some(S::Assessment), false)),
        );
        check(
            "Plan: rest and fluids.",
            NoteType::Soap,
            Some((Some(S::Plan), false)),
        );
        check("Plan.", NoteType::Soap, Some((Some(S::Plan), true)));
        check(
            "Plan:",
            NoteType::Discharge,
            Some((Some(S::FollowUp), true)),
        );
        check(
            "Subjective: slept well.",
            NoteType::Progress,
            Some((Some(S::IntervalHistory), false)),
        );
        check(
            "Hospital course: uneventful.",
            NoteType::Soap,
            Some((None, false)),
        );
        check(
            "Assessment and plan: two things.",
            NoteType::Soap,
            Some((None, false)),
        );
        check("Plan for the worst.", NoteType::Soap, None);
        check("Plan?", NoteType::Soap, None);
        check("The plan: rest.", NoteType::Soap, None);
    }
}
