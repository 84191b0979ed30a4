//! The parts of a note: its type, the sections that the type has, and the sentences in them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::phi::Phi;

/// What a reader is shown in place of a section that nothing supports.
pub const NOT_DOCUMENTED: &str = "not documented";

/// The kind of a note. It decides which sections the note has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoteType {
    /// An encounter note: Subjective, Objective, Assessment, Plan.
    Soap,
    /// A progress note: Interval history, Objective, Assessment, Plan.
    Progress,
    /// A discharge summary.
    Discharge,
}

impl NoteType {
    /// The sections of a note of this type, in the order in which they are read. The last one is always
    /// [`SectionKind::Other`].
    pub const fn sections(self) -> &'static [SectionKind] {
        use SectionKind as S;
        match self {
            Self::Soap => &[
                S::Subjective,
                S::Objective,
                S::Assessment,
                S::Plan,
                S::Other,
            ],
            Self::Progress => &[
                S::IntervalHistory,
                S::Objective,
                S::Assessment,
                S::Plan,
                S::Other,
            ],
            Self::Discharge => &[
                S::ReasonForAdmission,
                S::HospitalCourse,
                S::ConditionAtDischarge,
                S::DischargeMedications,
                S::FollowUp,
                S::Other,
            ],
        }
    }

    /// The name that the store and the contract use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Soap => "SOAP",
            Self::Progress => "PROGRESS",
            Self::Discharge => "DISCHARGE",
        }
    }

    /// The type called `name`, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Soap, Self::Progress, Self::Discharge]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// The kind of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SectionKind {
    /// What the patient says (SOAP).
    Subjective,
    /// What the patient says happened since the last note (progress).
    IntervalHistory,
    /// What was seen, heard and measured.
    Objective,
    /// What the clinician makes of it.
    Assessment,
    /// What is going to be done.
    Plan,
    /// Why the patient came to hospital (discharge).
    ReasonForAdmission,
    /// What happened there (discharge).
    HospitalCourse,
    /// How the patient is on leaving (discharge).
    ConditionAtDischarge,
    /// What the patient is to take (discharge).
    DischargeMedications,
    /// Who sees the patient next, and when (discharge).
    FollowUp,
    /// Everything that was said and that no rule places.
    Other,
}

impl SectionKind {
    /// The heading that a reader sees.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Subjective => "Subjective",
            Self::IntervalHistory => "Interval history",
            Self::Objective => "Objective",
            Self::Assessment => "Assessment",
            Self::Plan => "Plan",
            Self::ReasonForAdmission => "Reason for admission",
            Self::HospitalCourse => "Hospital course",
            Self::ConditionAtDischarge => "Condition at discharge",
            Self::DischargeMedications => "Discharge medications",
            Self::FollowUp => "Follow-up",
            Self::Other => "Other",
        }
    }
}

/// A section of a note. Without sentences it is "not documented".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Which section this is.
    pub kind: SectionKind,
    /// Its sentences, in the order in which they were said or written.
    pub sentences: Vec<Sentence>,
}

impl Section {
    /// A section with nothing in it.
    pub const fn empty(kind: SectionKind) -> Self {
        Self {
            kind,
            sentences: Vec::new(),
        }
    }

    /// A section that somebody wrote: `text` without a source, or an empty section when `text` is blank.
    pub fn written(kind: SectionKind, text: Phi) -> Self {
        let sentences = if text.is_blank() {
            Vec::new()
        } else {
            vec![Sentence {
                text,
                sources: Vec::new(),
            }]
        };
        Self { kind, sentences }
    }

    /// Whether anything supports the section.
    pub fn is_documented(&self) -> bool {
        !self.sentences.is_empty()
    }

    /// The text of the section, its sentences joined by a space; [`NOT_DOCUMENTED`] when there are none.
    pub fn text(&self) -> Phi {
        if !self.is_documented() {
            return Phi::new(NOT_DOCUMENTED);
        }
        let sentences: Vec<&str> = self
            .sentences
            .iter()
            .map(|sentence| sentence.text.expose())
            .collect();
        Phi::new(sentences.join(" "))
    }
}

/// A sentence of a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentence {
    /// The text. In a drafted note exactly what the transcript says.
    pub text: Phi,
    /// The segments in which it was said, in order; empty when a person wrote it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
}

/// A segment of the note's transcription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its index in the transcription.
    pub segment: u32,
    /// Where it starts, in milliseconds from the start of the recording.
    pub start_ms: u64,
    /// Where it ends, in milliseconds from the start of the recording.
    pub end_ms: u64,
}

/// All sections of a note: each that its type has exactly once, in the type's order.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Sections(Vec<Section>);

impl Sections {
    /// The sections of an empty note.
    pub fn empty(note_type: NoteType) -> Self {
        Self(
            note_type
                .sections()
                .iter()
                .map(|kind| Section::empty(*kind))
                .collect(),
        )
    }

    /// Puts `sections` in the order of `note_type`, with an empty one for each that is missing.
    ///
    /// # Errors
    ///
    /// [`SectionError::Foreign`] for a section that the type does not have, [`SectionError::Repeated`] for one that
    /// occurs twice.
    pub fn new(note_type: NoteType, sections: Vec<Section>) -> Result<Self, SectionError> {
        Self::empty(note_type).with(sections)
    }

    /// These sections with `changed` in the place of those of the same kind.
    ///
    /// # Errors
    ///
    /// Those of [`Sections::new`].
    pub fn with(mut self, changed: Vec<Section>) -> Result<Self, SectionError> {
        let mut seen = Vec::with_capacity(changed.len());
        for (index, section) in changed.into_iter().enumerate() {
            let kind = section.kind;
            if seen.contains(&kind) {
                return Err(SectionError::Repeated { index, kind });
            }
            let place = self
                .0
                .iter_mut()
                .find(|place| place.kind == kind)
                .ok_or(SectionError::Foreign { index, kind })?;
            *place = section;
            seen.push(kind);
        }
        Ok(self)
    }

    /// The section of this kind, if the note's type has it.
    pub fn get(&self, kind: SectionKind) -> Option<&Section> {
        self.0.iter().find(|section| section.kind == kind)
    }

    /// Adds a sentence at the end of a section. A kind that the type does not have counts as
    /// [`SectionKind::Other`], which every type has, so that no sentence is ever dropped.
    pub(crate) fn push(&mut self, kind: SectionKind, sentence: Sentence) {
        let place = self
            .0
            .iter()
            .position(|section| section.kind == kind)
            .unwrap_or(self.0.len() - 1);
        self.0[place].sentences.push(sentence);
    }

    /// The sections, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Section> {
        self.0.iter()
    }

    /// The sections, by value.
    pub fn into_vec(self) -> Vec<Section> {
        self.0
    }
}

impl<'a> IntoIterator for &'a Sections {
    type Item = &'a Section;
    type IntoIter = std::slice::Iter<'a, Section>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Sections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self
            .0
            .iter()
            .map(|section| (section.kind, section.sentences.len()));
        f.debug_map().entries(counts).finish()
    }
}

/// Why a list of sections does not fit a type of note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SectionError {
    /// The type of the note does not have this section.
    #[error("a note of this type has no section \"{}\"", .kind.title())]
    Foreign {
        /// Its place in the list, from 0.
        index: usize,
        /// Its kind.
        kind: SectionKind,
    },
    /// The section occurs more than once.
    #[error("the section \"{}\" is given twice", .kind.title())]
    Repeated {
        /// The place of the second one in the list, from 0.
        index: usize,
        /// Its kind.
        kind: SectionKind,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_come_in_the_order_of_the_type() {
        let plan = Section::written(SectionKind::Plan, "Rest.".into());
        let subjective = Section::written(SectionKind::Subjective, "Cough.".into());
        let sections = Sections::new(NoteType::Soap, vec![plan, subjective]);
        let shown: Option<Vec<_>> = sections.ok().map(|all| {
            all.iter()
                .map(|section| (section.kind.title(), section.text().into_exposed()))
                .collect()
        });
        let expected = [
            ("Subjective", "Cough."),
            ("Objective", NOT_DOCUMENTED),
            ("Assessment", NOT_DOCUMENTED),
            ("Plan", "Rest."),
            ("Other", NOT_DOCUMENTED),
        ];
        assert_eq!(
            shown,
            Some(
                expected
                    .map(|(title, text)| (title, text.to_owned()))
                    .to_vec()
            )
        );
    }

    #[test]
    fn a_section_that_does_not_fit_is_refused() {
        let check = |kinds: &[SectionKind], expect: Option<SectionError>| {
            let given = kinds.iter().map(|kind| Section::empty(*kind)).collect();
            assert_eq!(Sections::new(NoteType::Soap, given).err(), expect);
        };
        check(&[SectionKind::Plan, SectionKind::Other], None);
        check(
            &[SectionKind::FollowUp],
            Some(SectionError::Foreign {
                index: 0,
                kind: SectionKind::FollowUp,
            }),
        );
        check(
            &[SectionKind::Plan, SectionKind::Plan],
            Some(SectionError::Repeated {
                index: 1,
                kind: SectionKind::Plan,
            }),
        );
    }
}
