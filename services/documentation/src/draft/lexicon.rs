//! The words that the rules look for, as plain tables. Every form that counts is listed; nothing is stemmed.
//!
//! # Weights and the threshold
//!
//! A sentence is placed by the sum of its weights for a section, and only if that reaches [`THRESHOLD`] and is above
//! every other section's sum. The weights follow one question: *could a sentence that is not about a patient say
//! this?*
//!
//! | weight | meaning | example |
//! |---|---|---|
//! | 1 | everyday language: a hint that decides nothing alone or with one other hint | "likely", "plan", "normal" |
//! | 2 | medical when something agrees | "consistent with", "diagnosis" |
//! | 3 | nearly always medical, but people also say it at home | "headache", "tenderness" |
//! | 4 | clinical language: enough alone | "shortness of breath", "past medical history" |
//! | 5 to 8 | a construction that outranks the words inside it | "call me if you have chest pain" is a plan |
//!
//! The threshold is 4 so that neither one everyday word, nor two hints, nor "consistent with" by itself invents a
//! clinical section: what a novel says about pain, plans and impressions stays in Other. A miss costs the reader one
//! look into Other; a wrong placement may be believed. So in doubt, and always at a tie, a sentence is left in Other.

// The tables are set like running text: one word a line would make them ten pages long.
#[rustfmt::skip]
pub(super) mod discharge;
#[rustfmt::skip]
pub(super) mod headings;
#[rustfmt::skip]
pub(super) mod terms;
#[rustfmt::skip]
pub(super) mod visit;

use crate::section::SectionKind;

/// The least sum of weights that places a sentence.
pub(super) const THRESHOLD: u8 = 4;

/// Phrases that speak for a section. Each counts once a sentence; inside a longer phrase for the same section it does
/// not count again.
pub(super) struct Cue {
    pub(super) section: SectionKind,
    pub(super) weight: u8,
    pub(super) phrases: &'static [&'static str],
}

pub(super) const fn cue(section: SectionKind, weight: u8, phrases: &'static [&'static str]) -> Cue {
    Cue {
        section,
        weight,
        phrases,
    }
}
