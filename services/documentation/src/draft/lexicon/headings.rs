//! Headings, as they are dictated.

use crate::section::SectionKind::{
    self, Assessment, ConditionAtDischarge, DischargeMedications, FollowUp, HospitalCourse,
    IntervalHistory, Objective, Plan, ReasonForAdmission, Subjective,
};

/// What opens a section when it is followed by a colon or stands alone.
pub(in super::super) struct HeadingEntry {
    pub(in super::super) spoken: &'static [&'static str],
    /// The first of these that the note's type has is meant. None of them: the heading only ends the section before.
    pub(in super::super) sections: &'static [SectionKind],
}

const fn entry(sections: &'static [SectionKind], spoken: &'static [&'static str]) -> HeadingEntry {
    HeadingEntry { spoken, sections }
}

pub(in super::super) const HEADINGS: &[HeadingEntry] = &[
    // Two sections under one heading: the sentences below it are placed one by one.
    entry(&[], &["assessment and plan", "impression and plan", "a and p"]),
    entry(&[Subjective, IntervalHistory, ReasonForAdmission], &[
        "subjective", "chief complaint", "history of present illness", "history of the present illness",
        "presenting complaint",
    ]),
    entry(&[Subjective, IntervalHistory], &[
        "history", "past medical history", "review of systems", "allergies", "social history",
        "family history",
    ]),
    entry(&[IntervalHistory, Subjective, HospitalCourse], &[
        "interval history", "interval events", "overnight events",
    ]),
    entry(&[Objective, HospitalCourse], &[
        "objective", "physical exam", "physical examination", "exam", "examination", "on examination",
        "vitals", "vital signs", "labs", "laboratory data", "findings",
    ]),
    entry(&[Assessment, ConditionAtDischarge], &[
        "assessment", "impression", "diagnosis", "diagnoses", "clinical impression",
    ]),
    entry(&[Plan, FollowUp], &["plan", "treatment plan", "recommendations"]),
    entry(&[ReasonForAdmission], &[
        "reason for admission", "reason for hospitalization", "admission diagnosis", "admitting diagnosis",
        "reason for the admission",
    ]),
    entry(&[HospitalCourse], &[
        "hospital course", "course in hospital", "brief hospital course", "clinical course",
    ]),
    entry(&[ConditionAtDischarge], &[
        "condition at discharge", "condition on discharge", "discharge condition", "discharge exam",
        "discharge diagnosis", "status at discharge",
    ]),
    entry(&[DischargeMedications], &[
        "discharge medications", "discharge medication", "medications at discharge",
        "medications on discharge", "medications",
    ]),
    entry(&[FollowUp, Plan], &[
        "follow up", "followup", "follow up plan", "follow up instructions", "discharge instructions",
        "instructions", "disposition",
    ]),
];
