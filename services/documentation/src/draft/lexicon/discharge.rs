//! Cues for discharge summaries.

use super::{Cue, cue};
use crate::section::SectionKind::{
    ConditionAtDischarge, DischargeMedications, FollowUp, HospitalCourse, ReasonForAdmission,
};

pub(in super::super) const CUES: &[Cue] = &[
    cue(ReasonForAdmission, 6, &[
        "brought in by ambulance", "admitted because of", "chief complaint", "presented to the emergency",
        "presented to the hospital", "reason for admission", "came to the emergency",
    ]),
    cue(ReasonForAdmission, 3, &["past medical history", "was admitted", "came in with"]),
    cue(ReasonForAdmission, 2, &[
        "complained of", "complaining of", "emergency department", "emergency room", "history of",
        "on admission", "year old",
    ]),
    cue(ReasonForAdmission, 1, &["presented with", "presents with"]),
    cue(HospitalCourse, 6, &[
        "during the admission", "during the hospitalization", "during this admission",
        "during her admission", "during his admission", "hospital course", "hospital day", "intensive care",
        "postoperative day", "was transfused",
    ]),
    cue(HospitalCourse, 3, &[
        "was treated for", "were started on", "was started on", "was weaned", "drip", "transitioned to",
        "was switched to",
    ]),
    cue(HospitalCourse, 2, &[
        "was consulted", "were consulted", "was transferred to", "was given", "cultures", "intravenous",
        "iv", "operating room", "weaned",
    ]),
    cue(HospitalCourse, 1, &[
        "during the stay", "during her stay", "during his stay", "underwent", "was treated with", "received",
        "antibiotics", "improved", "overnight", "resolved",
    ]),
    cue(ConditionAtDischarge, 6, &[
        "condition is good", "condition is fair", "condition is stable", "at the time of discharge",
        "condition at discharge", "discharge condition", "discharged home in", "discharged in",
        "hemodynamically stable", "on the day of discharge",
    ]),
    cue(ConditionAtDischarge, 3, &[
        "alert and oriented", "ambulating", "at discharge", "ambulatory", "on discharge",
        "vital signs stable", "vitals stable", "vital signs are stable",
    ]),
    cue(ConditionAtDischarge, 2, &[
        "afebrile", "at baseline", "stable for discharge", "tolerating", "pain free", "room air",
    ]),
    cue(ConditionAtDischarge, 1, &[
        "stable condition", "good condition", "comfortable", "stable", "walking", "eating",
    ]),
    cue(DischargeMedications, 6, &[
        "discharge medications", "discharged home on", "discharged on", "medications at discharge",
        "medications on discharge",
    ]),
    cue(DischargeMedications, 3, &["home medications", "prescription for", "new medications"]),
    cue(DischargeMedications, 2, &["prescription", "stop taking", "take"]),
    cue(FollowUp, 6, &[
        "follow up in", "follow up with", "followed up by", "return to the emergency",
        "follow up appointment",
    ]),
    cue(FollowUp, 4, &["follow up", "outpatient follow", "suture removal", "pending at discharge"]),
    cue(FollowUp, 2, &[
        "appointment", "clinic", "home health", "outpatient", "primary care", "visiting nurse",
        "scheduled for", "should be repeated",
    ]),
    cue(FollowUp, 1, &["avoid", "diet", "instructed to", "lifting"]),
];
