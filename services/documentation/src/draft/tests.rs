#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use uuid::Uuid;

use super::*;
use crate::section::{NOT_DOCUMENTED, SectionKind as S, Sentence};
use crate::transcript::Segment;

const TYPES: [NoteType; 3] = [NoteType::Soap, NoteType::Progress, NoteType::Discharge];

fn transcript<T: AsRef<str>>(texts: &[T]) -> Transcript {
    let segments = texts.iter().zip(0u32..).map(|(text, index)| Segment {
        index,
        start_ms: u64::from(index) * 3000,
        end_ms: u64::from(index) * 3000 + 2500,
        text: text.as_ref().into(),
    });
    Transcript {
        id: Uuid::nil(),
        segments: segments.collect(),
    }
}

/// Drafts one sentence a segment, and compares where each went with the table.
fn check(note_type: NoteType, table: &[(&str, S)]) {
    let texts: Vec<&str> = table.iter().map(|(text, _)| *text).collect();
    let sections = draft(&transcript(&texts), note_type);
    let mut placed = vec![None; table.len()];
    for section in &sections {
        for sentence in &section.sentences {
            let source = sentence.sources.first().unwrap();
            let index = source.segment as usize;
            assert_eq!(sentence.text.expose(), texts[index]);
            assert_eq!(
                (source.start_ms, source.end_ms),
                (index as u64 * 3000, index as u64 * 3000 + 2500)
            );
            placed[index] = Some(section.kind);
        }
    }
    let wrong: Vec<_> = table
        .iter()
        .zip(placed)
        .filter(|((_, expect), found)| Some(*expect) != *found)
        .map(|((text, expect), found)| format!("{text}\n  expected {expect:?}, found {found:?}"))
        .collect();
    assert!(wrong.is_empty(), "{note_type:?}\n{}", wrong.join("\n"));
}

#[test]
fn a_spoken_visit() {
    check(
        NoteType::Soap,
        &[
            ("Good morning, come on in and have a seat.", S::Other),
            ("What brings you in today?", S::Other),
            (
                "I've had this cough for about two weeks now.",
                S::Subjective,
            ),
            (
                "It started with a sore throat and a runny nose.",
                S::Subjective,
            ),
            (
                "And I get short of breath when I climb the stairs.",
                S::Subjective,
            ),
            ("My chest hurts a little when I cough.", S::Subjective),
            ("Any fever or chills?", S::Other),
            ("No.", S::Other),
            (
                "I've been really tired lately, I feel weak all the time.",
                S::Subjective,
            ),
            ("I take lisinopril 10 mg every morning.", S::Subjective),
            ("I'm allergic to penicillin.", S::Subjective),
            ("My mother had breast cancer.", S::Subjective),
            ("I quit smoking, it used to be a pack a day.", S::Subjective),
            ("Okay, let me take a listen.", S::Other),
            (
                "Your temperature is 99.8 and your blood pressure is 142 over 88.",
                S::Objective,
            ),
            ("Oxygen saturation is 97% on room air.", S::Objective),
            (
                "Your lungs are clear, I don't hear any wheezing.",
                S::Objective,
            ),
            (
                "Your throat looks a little red and the tonsils are enlarged.",
                S::Objective,
            ),
            ("The chest x-ray came back normal.", S::Objective),
            (
                "I think this is most likely acute bronchitis.",
                S::Assessment,
            ),
            ("Your blood pressure is not well controlled.", S::Assessment),
            ("There is no evidence of pneumonia.", S::Assessment),
            (
                "We'll increase the lisinopril to 20 mg once a day.",
                S::Plan,
            ),
            (
                "I'm going to prescribe an inhaler for the shortness of breath.",
                S::Plan,
            ),
            ("Drink plenty of fluids and get some rest.", S::Plan),
            ("Let's get some blood work today.", S::Plan),
            (
                "Call us if you have chest pain or if the fever gets worse.",
                S::Plan,
            ),
            ("I'd like you to follow up in two weeks.", S::Plan),
            ("Do you have any questions for me?", S::Other),
            ("Thank you, doctor.", S::Other),
        ],
    );
}

#[test]
fn a_dictated_visit() {
    check(
        NoteType::Soap,
        &[
            (
                "This is a 54-year-old man with a past medical history of hypertension.",
                S::Subjective,
            ),
            (
                "The patient reports intermittent headaches over the last month.",
                S::Subjective,
            ),
            (
                "He denies chest pain or shortness of breath.",
                S::Subjective,
            ),
            (
                "Patient states that he has been taking his medication every day.",
                S::Subjective,
            ),
            ("On exam he is in no acute distress.", S::Objective),
            (
                "Heart has a regular rate and rhythm with no murmurs.",
                S::Objective,
            ),
            ("Abdomen is soft and nontender.", S::Objective),
            (
                "The right knee is swollen and tender to palpation.",
                S::Objective,
            ),
            ("Hemoglobin A1c was 7.2, which is elevated.", S::Objective),
            (
                "His symptoms are consistent with a tension headache secondary to poor sleep.",
                S::Assessment,
            ),
            ("Type 2 diabetes, poorly controlled.", S::Assessment),
            ("Start metformin 500 mg twice a day.", S::Plan),
            ("Refer to cardiology.", S::Plan),
            ("We will recheck a lipid panel in three months.", S::Plan),
        ],
    );
}

#[test]
fn what_patients_say_in_their_own_words() {
    check(
        NoteType::Soap,
        &[
            ("I've had low back pain for eight years.", S::Subjective),
            ("Well, I have some pain here, and here.", S::Subjective),
            ("It hurts so bad right there.", S::Subjective),
            ("My left foot is worse than the right.", S::Subjective),
            ("I do smoke but no alcohol.", S::Subjective),
            ("I also had two heart attacks.", S::Subjective),
            (
                "I have diabetes and high blood pressure since 2002.",
                S::Subjective,
            ),
            ("I cannot sleep because of the pain.", S::Subjective),
            (
                "My doctor put me on metformin, so I'm taking tablets for that.",
                S::Subjective,
            ),
            ("It burns when I pee.", S::Subjective),
            ("He had a fever of 102 last night.", S::Subjective),
            ("My dad had a heart attack at 50.", S::Subjective),
            ("I live with my daughter.", S::Other),
            ("I would like to go home now.", S::Other),
        ],
    );
}

#[test]
fn what_clinicians_say_to_patients() {
    check(
        NoteType::Soap,
        &[
            (
                "So the x-ray of your knee shows some mild arthritis.",
                S::Objective,
            ),
            ("Your strength is five out of five.", S::Objective),
            ("The ear drum is red and bulging.", S::Objective),
            ("You have a systolic ejection murmur.", S::Objective),
            ("So it's probably a sprain of your ankle.", S::Assessment),
            ("I believe you have a rotator cuff tear.", S::Assessment),
            (
                "For your diabetes, continue the metformin 1000 mg twice a day.",
                S::Plan,
            ),
            ("I want to get an MRI of your shoulder.", S::Plan),
            ("I'm going to put you in a brace.", S::Plan),
            ("We'll see you back in about three weeks.", S::Plan),
            ("You can take ibuprofen as needed for the pain.", S::Plan),
            ("Let me know if that doesn't help.", S::Plan),
            ("Let's go ahead and take a look at your ear.", S::Other),
        ],
    );
}

#[test]
fn a_progress_note_has_an_interval_history() {
    check(
        NoteType::Progress,
        &[
            ("No acute events overnight.", S::IntervalHistory),
            (
                "The patient reports that her nausea is better.",
                S::IntervalHistory,
            ),
            ("Heart rate is 82, blood pressure 118/74.", S::Objective),
            ("Pneumonia is improving, probably viral.", S::Assessment),
            ("Continue ceftriaxone for two more days.", S::Plan),
            ("The weather is nice.", S::Other),
        ],
    );
}

#[test]
fn a_dictated_discharge() {
    check(
        NoteType::Discharge,
        &[
            ("This is the discharge summary for bed twelve.", S::Other),
            (
                "Mr. Jones is a 67-year-old man who was admitted with three days of fever and a productive cough.",
                S::ReasonForAdmission,
            ),
            (
                "He presented to the emergency department with an oxygen saturation of 88%.",
                S::ReasonForAdmission,
            ),
            (
                "A chest x-ray showed a right lower lobe pneumonia.",
                S::HospitalCourse,
            ),
            (
                "He was started on ceftriaxone 1 gram daily and azithromycin.",
                S::HospitalCourse,
            ),
            ("Blood cultures were negative.", S::HospitalCourse),
            (
                "His fever resolved by hospital day three and he was weaned off oxygen.",
                S::HospitalCourse,
            ),
            (
                "On the day of discharge he was afebrile and walking without assistance.",
                S::ConditionAtDischarge,
            ),
            (
                "He is discharged home in stable condition.",
                S::ConditionAtDischarge,
            ),
            (
                "He is alert and oriented, tolerating a regular diet.",
                S::ConditionAtDischarge,
            ),
            (
                "Amoxicillin 875 mg twice a day for five days.",
                S::DischargeMedications,
            ),
            (
                "Continue metoprolol 25 mg twice daily.",
                S::DischargeMedications,
            ),
            (
                "He was discharged on aspirin 81 mg daily.",
                S::DischargeMedications,
            ),
            (
                "He will follow up with his primary care physician in one week.",
                S::FollowUp,
            ),
            (
                "A repeat chest x-ray should be done in six weeks.",
                S::FollowUp,
            ),
            (
                "He should return to the emergency room for any shortness of breath or fever.",
                S::FollowUp,
            ),
            ("That is all, thank you.", S::Other),
        ],
    );
}

#[test]
fn a_spoken_heading_holds_until_the_next() {
    check(
        NoteType::Soap,
        &[
            ("Subjective colon woke up twice.", S::Subjective),
            ("Nothing else to say.", S::Subjective),
            ("Objective.", S::Other),
            ("Looks fine.", S::Objective),
            ("Assessment: as before.", S::Assessment),
            ("The weather is nice.", S::Assessment),
            ("Assessment and plan.", S::Other),
            ("The weather is nice.", S::Other),
            ("Plan: the same again.", S::Plan),
            ("Hospital course: none.", S::Other),
            ("The weather is nice.", S::Other),
        ],
    );
}

#[test]
fn literature_is_not_medicine() {
    let novels = [
        "It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in want of a wife.",
        "You take delight in vexing me. You have no compassion for my poor nerves.",
        "The family of Dashwood had long been settled in Sussex.",
        "She felt the loss of Willoughby's character yet more heavily than she had felt the loss of his heart.",
        "Her first impression was consistent with all that she had heard of him.",
        "I will go to town and see him to-morrow; I plan to return within a fortnight.",
        "I suspect that he is likely to stay for some months, and probably his sister too.",
        "She looked pale and tired, and her eyes were red, but she denied that anything was the matter.",
        "He was ill, and in pain, and there was no hope of him.",
        "Her temper was warm, her manners were soft, and her tenderness for her sister was without bounds.",
        "He begged to take her hand, and she gave it to him for a moment.",
        "A low murmur ran through the room; every heart beat faster.",
        "It was the best of times, it was the worst of times, it was the age of wisdom.",
        "There were a king with a large jaw and a queen with a plain face, on the throne of England.",
        "The agent was sent to watch the house, and had orders to report every night.",
        "It was a dark night, and she was weak with hunger, for she had eaten nothing since morning.",
        "Let us go at once, and stop at the inn for an hour.",
        "We shall never be quite happy again in this house, I think.",
        "My dear Mr. Bennet, said his lady to him one day, have you heard that Netherfield Park is let at last?",
        "The boy had a cold in his head, and sneezed.",
        "Mrs. Bennet complained of her nerves, and was presented with a shawl.",
        "He was admitted with a blush, and admitted for a moment only.",
        "During her stay at Netherfield she was treated with kindness, and underwent a change.",
        "He was given a seat near the fire, and received with civility.",
        "Tea was brought in by the maid, and the lawyer was consulted.",
        "The carriage was in good condition, and the roads were stable.",
        "In a fever of anticipation she handed the letter over the counter.",
        "There was no evidence of his guilt, nor is there any history of such a thing in the family.",
        "Mr. Jones examined his patient, and said that she had caught a violent cold.",
        "The temperature of the room was that of an oven, and he weighed 20 stone.",
        "Stop the carriage, said she, and give me the letter.",
        "You must take a walk, and see the park, and send me word of it.",
        "She was discharged from her office in a month, and took the medicine of patience daily.",
        "Return if you can before the week is out.",
        "I will order the carriage, and should refer you to my aunt.",
        "We must discontinue this conversation, said he, or I will give up.",
    ];
    for note_type in TYPES {
        let sections = draft(&transcript(&novels), note_type);
        let placed: Vec<_> = sections
            .iter()
            .filter(|section| section.kind != S::Other)
            .flat_map(|section| {
                section
                    .sentences
                    .iter()
                    .map(|sentence| (section.kind, sentence.text.expose()))
            })
            .collect();
        assert_eq!(placed, [], "{note_type:?}");
    }
}

#[test]
fn an_empty_transcript_documents_nothing() {
    for note_type in TYPES {
        for texts in [&[][..], &["", "   ", "\n"]] {
            let sections = draft(&transcript(texts), note_type);
            assert_eq!(
                sections
                    .iter()
                    .map(|section| section.kind)
                    .collect::<Vec<_>>(),
                note_type.sections()
            );
            assert!(sections.iter().all(
                |section| !section.is_documented() && section.text().expose() == NOT_DOCUMENTED
            ));
        }
    }
}

/// Made-up speech: words of the lexicon, abbreviations, headings, odd punctuation, cut into segments anywhere.
fn babble(random: &mut SmallRng) -> Vec<String> {
    const PIECES: &[&str] = &[
        "I",
        "have",
        "cough",
        "Dr.",
        "mg.",
        "5",
        "98.6",
        "Plan:",
        "Assessment colon",
        "patient",
        "denies",
        "likely",
        "pneumonia",
        "We'll start",
        "e.g.",
        "\"What?\"",
        "...",
        "\u{2026}",
        "no.",
        "C.",
        "follow up in two weeks",
        "\u{e9}t\u{e9}",
        "(yes)",
        "!",
        "?",
        "120/80",
        "over",
        "\u{201c}Good.\u{201d}",
        "\u{1f600}",
        ".",
        "\t",
        "\u{a0}",
        "lisinopril 10mg.",
        "discharged on",
        "X.",
        "'",
        "b.i.d.",
    ];
    const ENDS: &[&str] = &["", "", "", ".", "?", "!", ":", ",", ".\""];
    (0..random.random_range(0..12))
        .map(|_| {
            let mut text = String::new();
            for _ in 0..random.random_range(0..15) {
                text.push_str(PIECES.choose(random).unwrap());
                text.push_str(ENDS.choose(random).unwrap());
                text.push_str(["", " ", " ", "  ", "\n"].choose(random).unwrap());
            }
            text
        })
        .collect()
}

fn visible(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[test]
fn nothing_is_lost_and_nothing_is_made_up() {
    let mut random = SmallRng::seed_from_u64(7);
    for round in 0..100 {
        let texts = babble(&mut random);
        let transcript = transcript(&texts);
        let split = sentence::split(&transcript);

        // The sentences are the transcript: every visible character, once, in order.
        let said: String = split
            .iter()
            .map(|sentence| visible(sentence.text.expose()))
            .collect();
        assert_eq!(said, visible(&texts.concat()), "round {round}");

        // Each is to be read, in its words, in the segments that it is linked to.
        for sentence in &split {
            assert!(!sentence.sources.is_empty(), "round {round}");
            let linked: Vec<&str> = sentence
                .sources
                .iter()
                .map(|source| texts[source.segment as usize].trim())
                .collect();
            assert!(
                linked.join(" ").contains(sentence.text.expose()),
                "round {round}"
            );
            for source in &sentence.sources {
                let start_ms = u64::from(source.segment) * 3000;
                assert_eq!(
                    (source.start_ms, source.end_ms),
                    (start_ms, start_ms + 2500)
                );
            }
        }

        // The note's sentences are those sentences, in every type of note; and a draft is the same every time.
        for note_type in TYPES {
            let sections = draft(&transcript, note_type);
            let mut placed: Vec<Sentence> = sections
                .iter()
                .flat_map(|section| section.sentences.clone())
                .collect();
            let mut expected = split.clone();
            let key = |sentence: &Sentence| {
                let segments: Vec<u32> = sentence.sources.iter().map(|s| s.segment).collect();
                (sentence.text.clone(), segments)
            };
            placed.sort_by_key(key);
            expected.sort_by_key(key);
            assert_eq!(placed, expected, "round {round}");
            assert_eq!(sections, draft(&transcript, note_type), "round {round}");
        }
    }
}
