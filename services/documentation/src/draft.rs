//! The extractive drafter: it places each sentence of a transcript in one section of a note.
//!
//! It is pure and deterministic, and it writes nothing of its own: a note's sentences are the transcript's, word for
//! word, each once, each linked to the segments in which it was said. A sentence that no rule places goes to
//! [`SectionKind::Other`]; a section that no sentence supports stays empty, which a reader sees as "not documented".
//! Placing a sentence is a judgement about its words alone, so a clinician reviews every draft.

mod classify;
mod heading;
mod lexicon;
mod rules;
mod sentence;
mod words;

use crate::section::{NoteType, SectionKind, Sections};
use crate::transcript::Transcript;
use heading::Heading;
use words::Words;

/// Drafts a note of type `note_type` from `transcript`.
///
/// An empty transcript gives a note in which nothing is documented.
pub fn draft(transcript: &Transcript, note_type: NoteType) -> Sections {
    let mut sections = Sections::empty(note_type);
    // The section of the last spoken heading, while one holds.
    let mut dictated = None;
    for sentence in sentence::split(transcript) {
        let words = Words::of(sentence.text.expose());
        let kind = match heading::find(&words, note_type) {
            // A bare heading supports nothing: "Plan." alone must not make the plan look documented.
            Some(Heading {
                section,
                bare: true,
            }) => {
                dictated = section;
                SectionKind::Other
            }
            Some(Heading {
                section,
                bare: false,
            }) => {
                dictated = section;
                section.unwrap_or_else(|| classify::place(&words, note_type))
            }
            None => dictated.unwrap_or_else(|| classify::place(&words, note_type)),
        };
        sections.push(kind, sentence);
    }
    sections
}

#[cfg(test)]
mod tests;
