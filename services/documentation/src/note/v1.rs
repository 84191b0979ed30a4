//! The note as version 1 of the contract shows it: two states, and four fields whatever the type.

use super::{Error, Note, State};
use crate::phi::Phi;
use crate::section::{NoteType, Section, SectionKind, Sections};

/// The state of a note in version 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Can be changed.
    Draft,
    /// Signed.
    Completed,
}

/// The text of a note in version 1.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content {
    /// Subjective; interval history; reason for admission. Behind it what was said and belongs to no section.
    pub subjective: Phi,
    /// Objective; hospital course.
    pub objective: Phi,
    /// Assessment; condition at discharge.
    pub assessment: Phi,
    /// Plan; discharge medications and follow-up.
    pub plan: Phi,
}

/// A note in version 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Its state.
    pub status: Status,
    /// Its text: "not documented" for a field that nothing supports.
    pub content: Content,
}

/// The sections of each type that make up subjective, objective, assessment and plan, in this order.
const fn fields(note_type: NoteType) -> [&'static [SectionKind]; 4] {
    use SectionKind as S;
    match note_type {
        NoteType::Soap => [
            &[S::Subjective, S::Other],
            &[S::Objective],
            &[S::Assessment],
            &[S::Plan],
        ],
        NoteType::Progress => [
            &[S::IntervalHistory, S::Other],
            &[S::Objective],
            &[S::Assessment],
            &[S::Plan],
        ],
        NoteType::Discharge => [
            &[S::ReasonForAdmission, S::Other],
            &[S::HospitalCourse],
            &[S::ConditionAtDischarge],
            &[S::FollowUp, S::DischargeMedications],
        ],
    }
}

impl View {
    /// `note` as version 1 shows it.
    ///
    /// # Errors
    ///
    /// [`Error::Generating`] and [`Error::Failed`] when there is no text: version 1 has no state for that, and "draft"
    /// would promise a note that is there.
    pub fn of(note: &Note) -> Result<Self, Error> {
        let status = match note.state() {
            State::Generating => return Err(Error::Generating),
            State::Failed(reason) => return Err(Error::Failed { reason: *reason }),
            State::Draft => Status::Draft,
            State::Signed(_) => Status::Completed,
        };
        let [subjective, objective, assessment, plan] =
            fields(note.identity().note_type).map(|kinds| text(note.sections(), kinds));
        Ok(Self {
            status,
            content: Content {
                subjective,
                objective,
                assessment,
                plan,
            },
        })
    }
}

impl Content {
    /// The sections of a note of type `note_type` that somebody wrote in the four fields. A blank field leaves its
    /// section undocumented. Each field goes whole to the first section of those that [`View::of`] shows in it.
    pub fn into_sections(self, note_type: NoteType) -> Sections {
        let mut sections = Sections::empty(note_type);
        for (kinds, text) in fields(note_type).into_iter().zip([
            self.subjective,
            self.objective,
            self.assessment,
            self.plan,
        ]) {
            let Some(kind) = kinds.first() else { continue };
            for sentence in Section::written(*kind, text).sentences {
                sections.push(*kind, sentence);
            }
        }
        sections
    }
}

/// The text of the documented ones among `kinds`, joined by a blank line; "not documented" if there are none.
fn text(sections: &Sections, kinds: &[SectionKind]) -> Phi {
    let of_kind = |kind: &SectionKind| {
        sections
            .get(*kind)
            .filter(|section| section.is_documented())
    };
    let documented: Vec<String> = kinds
        .iter()
        .filter_map(of_kind)
        .map(|section| section.text().into_exposed())
        .collect();
    if documented.is_empty() {
        return Phi::new(crate::section::NOT_DOCUMENTED);
    }
    Phi::new(documented.join("\n\n"))
}
