#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::v1::{Content, Status, View};
use super::*;
use crate::phi::Phi;
use crate::section::{NOT_DOCUMENTED, Section, SectionKind};

const fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn identity(note_type: NoteType) -> Identity {
    Identity {
        id: Uuid::from_u128(1),
        patient_id: Uuid::from_u128(2),
        encounter_id: Uuid::from_u128(3),
        provider_id: Uuid::from_u128(4),
        note_type,
        transcription_id: None,
        created_at: at(1000),
    }
}

const SIGNER: &str = "emr";

fn changed(text: &str) -> Vec<Section> {
    vec![Section::written(SectionKind::Plan, text.into())]
}

fn plan(text: &str) -> Sections {
    Sections::new(NoteType::Soap, changed(text)).unwrap()
}

fn generating() -> Note {
    Note::generating(identity(NoteType::Soap))
}

fn draft() -> Note {
    Note::written(identity(NoteType::Soap), plan("Rest."))
}

fn signed() -> Note {
    let mut note = draft();
    note.sign(SIGNER, &note.etag(), at(2000)).unwrap();
    note
}

fn failed() -> Note {
    let mut note = generating();
    note.fail(FailureReason::TranscriptionFailed, at(2000))
        .unwrap();
    note
}

fn outcome<E: std::fmt::Display>(result: Result<(), E>) -> Result<(), String> {
    result.map_err(|error| error.to_string())
}

#[test]
fn each_state_allows_its_changes_only() {
    type Change = fn(&mut Note) -> Result<(), String>;
    let complete: Change = |note| outcome(note.complete(plan("Walk."), at(3000)));
    let fail: Change = |note| outcome(note.fail(FailureReason::StoreFailed, at(3000)));
    let edit: Change = |note| outcome(note.edit(changed("Walk."), &note.etag(), at(3000)));
    let sign: Change = |note| outcome(note.sign(SIGNER, &note.etag(), at(3000)).map(drop));
    let check = |mut note: Note, change: Change, expect: Result<StateName, String>| {
        let before = note.clone();
        let found = change(&mut note).map(|()| note.state_name());
        assert_eq!(found, expect);
        if found.is_err() {
            assert_eq!(note, before, "a refused change changes nothing");
        }
    };
    let not_generating = |state| Err(NotGenerating { state }.to_string());
    let refused = |error: Error| Err(error.to_string());
    let has_failed = Error::Failed {
        reason: FailureReason::TranscriptionFailed,
    };
    check(generating(), complete, Ok(StateName::Draft));
    check(generating(), fail, Ok(StateName::Failed));
    check(generating(), edit, refused(Error::Generating));
    check(generating(), sign, refused(Error::Generating));
    check(draft(), complete, not_generating(StateName::Draft));
    check(draft(), fail, not_generating(StateName::Draft));
    check(draft(), edit, Ok(StateName::Draft));
    check(draft(), sign, Ok(StateName::Signed));
    check(signed(), complete, not_generating(StateName::Signed));
    check(signed(), fail, not_generating(StateName::Signed));
    check(signed(), edit, refused(Error::Signed));
    check(signed(), sign, Ok(StateName::Signed));
    check(failed(), complete, not_generating(StateName::Failed));
    check(failed(), fail, not_generating(StateName::Failed));
    check(failed(), edit, refused(has_failed.clone()));
    check(failed(), sign, refused(has_failed));
}

#[test]
fn an_edit_leaves_the_other_sections_as_they_are() {
    let mut note = generating();
    let said = crate::section::Sentence {
        text: "It hurts.".into(),
        sources: vec![crate::section::Source {
            segment: 3,
            start_ms: 100,
            end_ms: 900,
        }],
    };
    let mut drafted = plan("Rest.");
    drafted.push(SectionKind::Subjective, said.clone());
    note.complete(drafted, at(2000)).unwrap();

    note.edit(changed("Walk."), &note.etag(), at(3000)).unwrap();
    let sentences = |kind| &note.sections().get(kind).unwrap().sentences;
    assert_eq!(*sentences(SectionKind::Subjective), [said]);
    assert_eq!(sentences(SectionKind::Plan)[0].text, "Walk.".into());

    let before = note.clone();
    let foreign = vec![Section::empty(SectionKind::FollowUp)];
    let refused = note.edit(foreign, &note.etag(), at(4000));
    assert!(matches!(refused, Err(Error::Section(_))), "{refused:?}");
    assert_eq!(note, before);
}

#[test]
fn every_change_is_a_new_revision_with_a_new_etag() {
    let mut note = draft();
    let first = note.etag();
    assert_eq!((note.revision(), note.updated_at()), (1, at(1000)));
    note.edit(changed("Walk."), &first, at(3000)).unwrap();
    assert_eq!((note.revision(), note.updated_at()), (2, at(3000)));
    let second = note.etag();
    assert_ne!(first, second);
    assert_eq!(
        note.edit(changed("Run."), &first, at(4000)),
        Err(Error::EtagMismatch {
            current: second.clone()
        })
    );
    assert_eq!(
        note.sign(SIGNER, &first, at(4000)),
        Err(Error::EtagMismatch {
            current: second.clone()
        })
    );
    note.edit(changed("Run."), &second, at(2500)).unwrap();
    assert_eq!(note.updated_at(), at(3000), "time does not run backwards");
}

#[test]
fn signing_twice_is_signing_once() {
    let mut note = draft();
    let seen = note.etag();
    assert_eq!(note.sign(SIGNER, &seen, at(2000)), Ok(Signing::Signed));
    let after = note.clone();
    let signature = Signature {
        signed_by: SIGNER.to_owned(),
        signed_at: at(2000),
        of: seen.clone(),
    };
    assert_eq!(*note.state(), State::Signed(signature));

    let now = note.etag();
    let other = Etag::from_wire("0123456789abcdef");
    let mut check = |signer, expected: &Etag, expect| {
        assert_eq!(note.sign(signer, expected, at(5000)), expect);
        assert_eq!(note, after);
    };
    check(SIGNER, &seen, Ok(Signing::Repeated));
    check(SIGNER, &now, Ok(Signing::Repeated));
    check(
        SIGNER,
        &other,
        Err(Error::EtagMismatch {
            current: now.clone(),
        }),
    );
    check("lab", &seen, Err(Error::Signed));
}

#[test]
fn debug_shows_no_text() {
    let shown = format!("{:?}", draft());
    assert!(!shown.contains("Rest") && shown.contains("Plan"), "{shown}");
}

#[test]
fn version_1_shows_two_states() {
    let check = |note: &Note, expect: Result<(Status, &str), Error>| {
        let view = View::of(note).map(|view| (view.status, view.content.plan.into_exposed()));
        assert_eq!(view, expect.map(|(status, plan)| (status, plan.to_owned())));
    };
    check(&generating(), Err(Error::Generating));
    check(&draft(), Ok((Status::Draft, "Rest.")));
    check(&signed(), Ok((Status::Completed, "Rest.")));
    let reason = FailureReason::TranscriptionFailed;
    check(&failed(), Err(Error::Failed { reason }));
}

#[test]
fn version_1_text_comes_back_as_it_was_written() {
    let content = Content {
        subjective: "Cough.".into(),
        objective: "Lungs clear.".into(),
        assessment: Phi::default(),
        plan: "Rest.\nFluids.".into(),
    };
    for note_type in [NoteType::Soap, NoteType::Progress, NoteType::Discharge] {
        let note = Note::written(
            identity(note_type),
            content.clone().into_sections(note_type),
        );
        let expected = Content {
            assessment: NOT_DOCUMENTED.into(),
            ..content.clone()
        };
        assert_eq!(View::of(&note).unwrap().content, expected);
    }
}

#[test]
fn version_1_loses_no_section() {
    let kinds = NoteType::Discharge.sections();
    let sections = kinds
        .iter()
        .map(|kind| Section::written(*kind, kind.title().into()))
        .collect();
    let note = Note::written(
        identity(NoteType::Discharge),
        Sections::new(NoteType::Discharge, sections).unwrap(),
    );
    let content = View::of(&note).unwrap().content;
    let text = [
        content.subjective,
        content.objective,
        content.assessment,
        content.plan,
    ]
    .map(Phi::into_exposed)
    .join("\n");
    assert!(
        kinds.iter().all(|kind| text.contains(kind.title())),
        "{text}"
    );
}
