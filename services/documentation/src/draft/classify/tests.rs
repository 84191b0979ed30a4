use SectionKind as S;

use super::*;
use crate::draft::lexicon::cue;

#[test]
fn a_score_below_the_threshold_or_a_tie_places_nothing() {
    let check = |scores: &[(S, u8)], expect| assert_eq!(winner(scores), expect, "{scores:?}");
    check(&[], S::Other);
    check(&[(S::Plan, 3)], S::Other);
    check(&[(S::Plan, 4)], S::Plan);
    check(&[(S::Plan, 4), (S::Subjective, 4)], S::Other);
    check(&[(S::Plan, 5), (S::Subjective, 4)], S::Plan);
}

#[test]
fn a_phrase_inside_a_longer_one_counts_once() {
    const CUES: &[Cue] = &[
        cue(S::Plan, 3, &["follow up"]),
        cue(S::Plan, 4, &["follow up in"]),
        cue(S::Assessment, 1, &["up"]),
    ];
    let scores = |text: &str| scores(&Words::of(text), CUES, &[]);
    assert_eq!(
        scores("Follow up in May."),
        [(S::Plan, 4), (S::Assessment, 1)]
    );
    assert_eq!(
        scores("Follow up, then follow up."),
        [(S::Plan, 3), (S::Assessment, 1)]
    );
}

#[test]
fn every_phrase_can_match() {
    for cue in visit::CUES.iter().chain(discharge::CUES) {
        for phrase in cue.phrases {
            let words = Words::of(phrase);
            assert!(
                words.find(phrase).is_some(),
                "{phrase:?} is not written as its words are read"
            );
        }
    }
}

#[test]
fn cues_belong_to_sections_of_their_note() {
    let belongs = |cues: &[Cue], note_type: NoteType| {
        cues.iter()
            .all(|cue| note_type.sections().contains(&cue.section))
    };
    assert!(belongs(visit::CUES, NoteType::Soap));
    assert!(belongs(discharge::CUES, NoteType::Discharge));
}

#[test]
fn a_question_asserts_nothing() {
    assert_eq!(
        place(&Words::of("Do you have chest pain?"), NoteType::Soap),
        S::Other
    );
}
