//! Cues for the notes of a visit: SOAP, and progress notes, where the first section is the interval history.

use super::{Cue, cue};
use crate::section::SectionKind::{Assessment, Objective, Plan, Subjective};

pub(in super::super) const CUES: &[Cue] = &[
    cue(Subjective, 4, &[
        "patient has a history of", "i had surgery", "i've had surgery", "allergic to", "chief complaint",
        "past medical history", "pack a day", "packs a day", "here today for", "history of present illness",
        "surgical history", "no acute events", "overnight events", "slept well overnight",
    ]),
    cue(Subjective, 3, &[
        "no history of", "family history of", "killing me", "i smoke", "i do smoke", "quit smoking",
        "no known allergies", "since the last visit", "since last visit", "since my last visit",
    ]),
    cue(Subjective, 2, &[
        "complained of", "complaining of", "complains of", "started me on", "patient is a", "alcohol",
        "can't sleep", "cannot sleep", "i fell", "history of", "i've been feeling", "i've been having",
        "i feel", "i've noticed", "i noticed", "i don't smoke", "i drink", "overnight", "swallow",
        "bothering me",
    ]),
    cue(Subjective, 1, &[
        "presented with", "presents with", "over the counter", "all the time", "at night", "comes and goes",
        "ever since", "feel", "feeling", "getting worse", "keeps", "lately", "mostly", "recently", "started",
        "when i", "wakes me up", "yesterday",
    ]),
    cue(Objective, 6, &[
        "systolic murmur", "systolic ejection murmur", "alert and oriented", "clear to auscultation",
        "no acute distress", "regular rate and rhythm", "tender to palpation", "tenderness to palpation",
    ]),
    cue(Objective, 4, &[
        "five out of five", "5 out of 5", "nontender", "non tender", "on exam", "on palpation",
        "physical exam", "vital signs", "within normal limits", "vitals are",
    ]),
    cue(Objective, 3, &[
        "on examination", "5/5", "auscultation", "bowel sounds", "edema", "erythema", "no murmurs",
        "palpation", "range of motion", "well appearing", "afebrile",
    ]),
    cue(Objective, 2, &[
        "two plus", "2 plus", "pulses", "bilaterally", "i don't hear", "i can hear", "tenderness", "exudate",
        "percent on room air",
    ]),
    cue(Objective, 1, &[
        "appears", "i can feel", "i can see", "i hear", "i see", "looks", "normal", "today",
    ]),
    cue(Assessment, 4, &[
        "differential diagnosis", "my assessment is", "my impression is", "poorly controlled",
        "well controlled",
    ]),
    cue(Assessment, 3, &["no evidence of", "rule out", "differential", "most likely", "working diagnosis"]),
    cue(Assessment, 2, &[
        "i believe you have", "i think you have", "assessment", "consistent with", "diagnosis", "etiology",
        "musculoskeletal", "secondary to", "suggestive of", "uncontrolled", "viral", "bacterial",
        "not at goal", "at goal",
    ]),
    cue(Assessment, 1, &[
        "impression", "i think", "likely", "looks like", "probably", "sounds like", "suspect", "this is",
    ]),
    cue(Plan, 4, &[
        "follow up in", "follow up with", "plenty of fluids", "referral to", "return to clinic",
    ]),
    cue(Plan, 3, &["refill your", "follow up", "prescription", "referral"]),
    cue(Plan, 2, &[
        "refills", "as needed", "blood work", "get some rest", "lab work", "low sodium", "low salt",
        "physical therapy", "plan is", "recommend",
    ]),
    cue(Plan, 1, &[
        "avoid", "diet", "exercise", "next visit", "plan", "side effects", "twice a day", "once a day",
        "every day", "daily",
    ]),
];
