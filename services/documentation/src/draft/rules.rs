//! Rules about the shape of a sentence: what the tables of phrases cannot say.
//!
//! The weights follow the scale in [`super::lexicon`].

use super::lexicon::terms::{
    ATTRIBUTIONS, BODY, CLINICAL_ORDERS, CLINICAL_REPORTS, CLINICAL_SYMPTOMS, CONDITION_ENDINGS,
    CONDITIONAL, CONDITIONS, CONTACT, DETERIORATION, DOSE_UNITS, DRUG_ENDINGS, DRUGS,
    EVERYDAY_SYMPTOMS, EXAMINED, FAMILY, FILLERS, FINDINGS, FIRST_PERSON, FREQUENCIES,
    GENERAL_SYMPTOMS, HEDGES, I_HAVE, MEASURES, NUMBER_WORDS, OPENERS, ORDERS, PATIENT_REPORTS,
    PROCEDURE_ENDINGS, PROCEDURES, REPORTS, RESULTS, SPECIALISTS, SPECIFIC_FINDINGS, STATUSES,
    TESTS, TIME_UNITS, TREATMENTS, VAGUE_SYMPTOMS, VITALS, WARDS,
};
use super::words::Words;
use crate::section::SectionKind::{
    self, Assessment, ConditionAtDischarge, DischargeMedications, FollowUp, HospitalCourse,
    Objective, Plan, ReasonForAdmission, Subjective,
};

/// A shape that speaks for a section.
pub(super) struct Rule {
    pub(super) section: SectionKind,
    pub(super) weight: u8,
    pub(super) holds: fn(&Words) -> bool,
}

const fn rule(section: SectionKind, weight: u8, holds: fn(&Words) -> bool) -> Rule {
    Rule {
        section,
        weight,
        holds,
    }
}

/// The rules for the notes of a visit.
pub(super) const VISIT: &[Rule] = &[
    // Symptoms count once, at the weight of the plainest: a list of them is not more subjective than one, and must
    // not outweigh "call me if" in front of it.
    rule(Subjective, 4, clinical_symptom),
    rule(Subjective, 3, |w| {
        !clinical_symptom(w) && w.any(EVERYDAY_SYMPTOMS)
    }),
    rule(Subjective, 2, |w| {
        !plain_symptom(w) && w.any(GENERAL_SYMPTOMS)
    }),
    rule(Subjective, 1, |w| {
        !plain_symptom(w) && !w.any(GENERAL_SYMPTOMS) && w.any(VAGUE_SYMPTOMS)
    }),
    rule(Subjective, 1, |w| {
        symptom(w) && w.any(FIRST_PERSON) && !intention(w)
    }),
    rule(Subjective, 1, |w| {
        symptom(w) && w.any(BODY) && !w.any(&["your"])
    }),
    rule(Subjective, 1, |w| symptom(w) && duration(w)),
    rule(Subjective, 2, |w| {
        w.near(&["i", "i'm", "i've", "i've been"], 4, EVERYDAY_SYMPTOMS)
            || w.near(&["i", "i'm", "i've"], 4, GENERAL_SYMPTOMS)
    }),
    rule(Subjective, 2, |w| w.near(&["my"], 1, BODY) && symptom(w)),
    rule(Subjective, 2, |w| {
        w.any(&["it hurts", "it burns", "it aches", "it's sore"])
    }),
    rule(Subjective, 4, |w| w.near(PATIENT, 0, CLINICAL_REPORTS)),
    rule(Subjective, 3, |w| w.near(PATIENT, 0, REPORTS)),
    rule(Subjective, 2, |w| {
        w.near(&["he", "she", "they"], 1, PATIENT_REPORTS)
    }),
    rule(Subjective, 4, |w| {
        PATIENT_REPORTS.iter().any(|verb| w.at(0, verb))
    }),
    rule(Subjective, 3, |w| {
        w.near(
            &["year old"],
            2,
            &[
                "man",
                "woman",
                "male",
                "female",
                "gentleman",
                "lady",
                "patient",
            ],
        )
    }),
    rule(Subjective, 4, |w| {
        number_then(w, TIME_UNITS) && w.any(&["had surgery", "surgery on"]) && w.any(FIRST_PERSON)
    }),
    rule(Subjective, 4, |w| {
        condition(w) && (w.any(I_HAVE) || w.any(&["history of"]) || w.any(FAMILY))
    }),
    rule(Subjective, 5, |w| {
        w.near(
            &["i", "i'm", "i've", "i've been", "i am"],
            2,
            &["take", "taking", "took", "tried", "using", "use"],
        ) && (medicated(w) || dose(w))
            && !intention(w)
    }),
    rule(Subjective, 2, |w| w.any(&["fever of"]) && number(w)),
    rule(Subjective, 2, |w| {
        w.any(&["started me on", "put me on", "gave me"]) && medicated(w)
    }),
    rule(Subjective, 2, |w| {
        w.any(&["presented with", "presents with"]) && (condition(w) || plain_symptom(w))
    }),
    // What was measured and found.
    rule(Objective, 6, |w| reading(w) && !intention(w)),
    rule(Objective, 3, pressure),
    rule(Objective, 2, |w| number_then(w, MEASURES)),
    rule(Objective, 5, |w| {
        w.any(TESTS) && w.any(RESULTS) && !intention(w)
    }),
    rule(Objective, 4, |w| w.any(EXAMINED) && w.any(FINDINGS)),
    rule(Objective, 3, |w| {
        w.any(BODY) && w.any(SPECIFIC_FINDINGS) && !w.any(FIRST_PERSON)
    }),
    // What it is taken to be.
    rule(Assessment, 2, condition),
    rule(Assessment, 5, |w| condition(w) && w.any(HEDGES)),
    rule(Assessment, 3, |w| condition(w) && w.any(ATTRIBUTIONS)),
    rule(Assessment, 2, |w| {
        condition(w) && w.any(STATUSES) && !w.any(FIRST_PERSON)
    }),
    // What is going to be done.
    rule(Plan, 8, return_precaution),
    rule(Plan, 6, |w| w.near(OPENERS, 3, CLINICAL_ORDERS)),
    rule(Plan, 7, |w| {
        w.near(OPENERS, 3, ORDERS) && (clinical_object(w) || condition(w))
    }),
    rule(Plan, 5, |w| imperative(w, ORDERS) && clinical_object(w)),
    rule(Plan, 5, |w| imperative(w, CLINICAL_ORDERS)),
    // "For your diabetes, continue the metformin."
    rule(Plan, 4, |w| {
        w.any(&[
            "continue",
            "decrease",
            "increase",
            "start",
            "stop",
            "switch to",
        ]) && (drug(w) || dose(w))
            && !w.any(&["i", "i'm", "i've", "did"])
    }),
    rule(Plan, 6, |w| {
        w.near(
            &[
                "increase",
                "increasing",
                "decrease",
                "decreasing",
                "reduce",
                "double",
                "lower",
                "raise",
            ],
            4,
            &["dose", "dosage"],
        )
    }),
    rule(Plan, 5, |w| {
        in_time(w)
            && (w.any(&["follow up", "recheck", "see you back", "see me back"])
                || imperative(w, &["come back", "return"]))
    }),
];

/// The rules for discharge summaries.
pub(super) const DISCHARGE: &[Rule] = &[
    rule(ReasonForAdmission, 2, |w| {
        plain_symptom(w) || w.any(GENERAL_SYMPTOMS)
    }),
    rule(ReasonForAdmission, 4, |w| {
        w.any(&[
            "admitted with",
            "admitted for",
            "presented with",
            "presents with",
        ]) && (condition(w) || plain_symptom(w) || w.any(GENERAL_SYMPTOMS))
    }),
    rule(HospitalCourse, 4, |w| {
        w.any(&["underwent", "was taken for"]) && (procedure(w) || w.any(TESTS))
    }),
    rule(HospitalCourse, 3, |w| {
        w.any(&["consulted"]) && w.any(SPECIALISTS)
    }),
    rule(HospitalCourse, 4, |w| {
        w.any(&["transferred to"]) && w.any(WARDS)
    }),
    rule(HospitalCourse, 5, |w| w.any(TESTS) && w.any(RESULTS)),
    rule(HospitalCourse, 4, |w| {
        w.any(&[
            "received",
            "was given",
            "was placed on",
            "was treated",
            "were treated",
            "responded to",
            "was continued on",
            "was started on",
            "were started on",
            "was weaned",
        ]) && clinical_object(w)
    }),
    rule(ConditionAtDischarge, 4, |w| {
        reading(w) && w.any(&["at discharge", "on discharge"])
    }),
    rule(ConditionAtDischarge, 4, |w| {
        w.any(&["condition"])
            && w.any(&["stable", "good", "fair", "improved", "guarded"])
            && w.any(&["patient", "discharge", "discharged", "hospital"])
    }),
    rule(DischargeMedications, 5, |w| {
        drug(w) && (dose(w) || w.any(FREQUENCIES)) && !return_precaution(w)
    }),
    rule(DischargeMedications, 4, |w| {
        !drug(w) && dose(w) && w.any(FREQUENCIES)
    }),
    rule(DischargeMedications, 4, |w| {
        (imperative(w, ORDERS) || w.near(OPENERS, 2, ORDERS))
            && (drug(w) || w.any(&["medication", "medications", "antibiotics"]))
    }),
    rule(FollowUp, 8, return_precaution),
    rule(FollowUp, 4, |w| {
        in_time(w)
            && (w.any(SPECIALISTS) || w.any(TESTS) || w.any(&["appointment", "clinic", "recheck"]))
    }),
];

/// Who reports, in a dictation.
const PATIENT: &[&str] = &[
    "patient",
    "patient also",
    "patient still",
    "patient currently",
    "patient now",
    "pt",
];

fn clinical_symptom(words: &Words) -> bool {
    words.any(CLINICAL_SYMPTOMS)
}

fn plain_symptom(words: &Words) -> bool {
    clinical_symptom(words) || words.any(EVERYDAY_SYMPTOMS)
}

fn symptom(words: &Words) -> bool {
    plain_symptom(words) || words.any(GENERAL_SYMPTOMS) || words.any(VAGUE_SYMPTOMS)
}

fn condition(words: &Words) -> bool {
    words.any(CONDITIONS)
        || words
            .iter()
            .any(|word| word.len() >= 6 && ends_in(word, CONDITION_ENDINGS))
}

fn drug(words: &Words) -> bool {
    words.any(DRUGS)
        || words
            .iter()
            .any(|word| word.len() >= 7 && ends_in(word, DRUG_ENDINGS))
}

fn medicated(words: &Words) -> bool {
    drug(words) || words.any(TREATMENTS)
}

/// Something that a clinician orders.
fn clinical_object(words: &Words) -> bool {
    medicated(words) || dose(words) || words.any(TESTS) || words.any(SPECIALISTS)
}

fn procedure(words: &Words) -> bool {
    words.any(PROCEDURES) || words.iter().any(|word| ends_in(word, PROCEDURE_ENDINGS))
}

fn dose(words: &Words) -> bool {
    number_then(words, DOSE_UNITS)
}

/// The speaker says what is going to be done, with an order: "I'll start", "I want you to take".
fn intention(words: &Words) -> bool {
    words.near(OPENERS, 3, ORDERS) || words.near(OPENERS, 3, CLINICAL_ORDERS)
}

/// One of `orders` stands first, behind fillers such as "and" or "please".
fn imperative(words: &Words, orders: &[&str]) -> bool {
    let start = (0..words.len()).find(|at| !FILLERS.iter().any(|filler| words.at(*at, filler)));
    start.is_some_and(|at| orders.iter().any(|order| words.at(at, order)))
}

/// "Call me if it gets worse": what to watch for, and what to do then.
fn return_precaution(words: &Words) -> bool {
    words.any(CONTACT)
        && words.any(CONDITIONAL)
        && (plain_symptom(words) || words.any(GENERAL_SYMPTOMS) || words.any(DETERIORATION))
}

/// "For two weeks", "three days ago", "since last month".
fn duration(words: &Words) -> bool {
    let counted = number_then(words, TIME_UNITS);
    let named = words.near(
        &["for", "past", "last", "few", "couple of", "a", "since"],
        1,
        TIME_UNITS,
    );
    counted || named
}

/// "In two weeks", "within a month".
fn in_time(words: &Words) -> bool {
    words.near(&["in", "within"], 4, TIME_UNITS)
}

/// "120 over 80", "120/80", "one twenty over eighty".
fn pressure(words: &Words) -> bool {
    let slashed = words.iter().any(|word| {
        word.split_once('/')
            .is_some_and(|(over, under)| (2..=3).contains(&over.len()) && under.len() >= 2)
    });
    let spoken = (1..words.len()).any(|at| {
        words.get(at) == Some("over")
            && words.get(at - 1).is_some_and(is_number)
            && words.get(at + 1).is_some_and(is_number)
    });
    slashed || spoken
}

/// A vital sign with a number within five words behind it. "High blood pressure" is a condition, not a reading.
fn reading(words: &Words) -> bool {
    let read = |vital: &str| {
        (0..words.len())
            .filter(|at| words.at(*at, vital))
            .any(|at| {
                let end = at + vital.split(' ').count();
                (end..end + 6).any(|then| words.get(then).is_some_and(is_number))
            })
    };
    !words.any(&["high blood pressure"]) && VITALS.iter().any(|vital| read(vital))
}

fn number(words: &Words) -> bool {
    words.iter().any(is_number)
}

/// A number directly in front of one of `units`, or glued to it ("500mg").
fn number_then(words: &Words, units: &[&str]) -> bool {
    let parted = (0..words.len()).any(|at| {
        words.get(at).is_some_and(is_number)
            && words.get(at + 1).is_some_and(|unit| units.contains(&unit))
    });
    let glued = words.iter().any(|word| {
        let unit = word.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ','));
        unit.len() < word.len() && units.contains(&unit)
    });
    parted || glued
}

fn is_number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit()) || NUMBER_WORDS.contains(&word)
}

fn ends_in(word: &str, endings: &[&str]) -> bool {
    endings.iter().any(|ending| word.ends_with(ending))
}
