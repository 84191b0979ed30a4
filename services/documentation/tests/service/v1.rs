//! Version 1, on the same notes.

use scribemed_proto::documentation::{v1, v2};

use crate::world::{World, create, id, invalid, said, text, told};

fn creation() -> v1::CreateNoteRequest {
    v1::CreateNoteRequest {
        patient_id: id(),
        encounter_id: id(),
        provider_id: id(),
        note_type: v1::NoteType::Soap.into(),
        transcription_id: String::new(),
        content: Some(v1::NoteContent {
            subjective: "Cough.".to_owned(),
            objective: "Lungs clear.".to_owned(),
            assessment: "A cold.".to_owned(),
            plan: "Rest.\nFluids.".to_owned(),
        }),
    }
}

#[tokio::test]
async fn a_note_of_version_1_is_a_note_of_version_2() {
    let world = World::new().await;
    let running = world.start().await;
    let (mut old, mut new) = (
        world.client_v1(&running).await,
        world.client(&running).await,
    );
    let request = creation();
    let created = old.create_note(request.clone()).await.unwrap().into_inner();
    assert_eq!(created.status(), v1::NoteStatus::Draft);

    let note_id = created.note_id.clone();
    let seen = new.get_note(v2::GetNoteRequest {
        note_id: note_id.clone(),
    });
    let seen = seen.await.unwrap().into_inner().note.unwrap();
    let written = |text: &str| Some(vec![(text.to_owned(), Vec::new())]);
    assert_eq!(said(&seen, v2::SectionKind::Subjective), written("Cough."));
    assert_eq!(
        said(&seen, v2::SectionKind::Plan),
        written("Rest.\nFluids.")
    );
    assert_eq!(said(&seen, v2::SectionKind::Other), None);
    assert_eq!(seen.create_time, created.created_at);

    let signed = v2::SignNoteRequest {
        note_id: note_id.clone(),
        etag: seen.etag,
    };
    new.sign_note(signed).await.unwrap();
    let note = old.get_note(v1::GetNoteRequest { note_id });
    let note = note.await.unwrap().into_inner().note.unwrap();
    assert_eq!(note.status(), v1::NoteStatus::Completed);
    assert_eq!(note.content, request.content);
}

#[tokio::test]
async fn a_discharge_note_shows_its_sections_under_the_nearest_heading() {
    let world = World::new().await;
    let running = world.start().await;
    let (mut old, mut new) = (
        world.client_v1(&running).await,
        world.client(&running).await,
    );
    let mut request = create("");
    request.note_type = v2::NoteType::Discharge.into();
    request.sections = vec![
        text(v2::SectionKind::DischargeMedications, "Ibuprofen."),
        text(v2::SectionKind::HospitalCourse, "Uneventful."),
        text(v2::SectionKind::FollowUp, "In two weeks."),
    ];
    let note = new.create_note(request).await.unwrap().into_inner();
    let note = old.get_note(v1::GetNoteRequest {
        note_id: note.note.unwrap().id,
    });
    let content = note.await.unwrap().into_inner().note.unwrap().content;
    let content = content.unwrap();
    assert_eq!(content.subjective, "not documented");
    assert_eq!(content.objective, "Uneventful.");
    assert_eq!(content.assessment, "not documented");
    assert_eq!(content.plan, "In two weeks.\n\nIbuprofen.");
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let world = World::new().await;
    let running = world.start().await;
    let mut client = world.client_v1(&running).await;
    let mut check = async |change: fn(&mut v1::CreateNoteRequest), field: &str| {
        let mut request = creation();
        change(&mut request);
        let expect = invalid("INVALID_REQUEST", field);
        assert_eq!(told(client.create_note(request).await), expect);
    };
    check(
        |request| request.content.as_mut().unwrap().assessment.clear(),
        "content.assessment",
    )
    .await;
    check(|request| request.content = None, "content").await;
    check(|request| request.note_type = 9, "note_type").await;
    check(|request| request.note_type = 0, "note_type").await;
    check(
        |request| request.patient_id = "Jane".to_owned(),
        "patient_id",
    )
    .await;
}
