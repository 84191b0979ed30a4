//! What the service refuses, and how it says so.

use scribemed_proto::documentation::v2::{
    GenerateNoteRequest, GetNoteRequest, NoteType, SectionKind, WatchNoteRequest,
};
use tonic::Code;
use uuid::Uuid;

use crate::world::{World, create, error, generate, id, invalid, sign, text, told, update};

#[tokio::test]
async fn a_malformed_request_is_told_which_field_is_wrong() {
    let world = World::new().await;
    let running = world.start().await;
    let mut client = world.client(&running).await;
    let mut check = async |change: fn(&mut GenerateNoteRequest), field: &str| {
        let mut request = generate(Uuid::now_v7());
        change(&mut request);
        let expect = invalid("INVALID_REQUEST", field);
        assert_eq!(told(client.generate_note(request).await), expect);
    };
    check(
        |request| request.transcription_id = "1".to_owned(),
        "transcription_id",
    )
    .await;
    check(|request| request.patient_id.clear(), "patient_id").await;
    check(
        |request| request.encounter_id = "x".repeat(36),
        "encounter_id",
    )
    .await;
    check(
        |request| request.provider_id = "Dr. No".to_owned(),
        "provider_id",
    )
    .await;
    check(|request| request.note_type = 99, "note_type").await;
    check(
        |request| request.note_type = NoteType::Unspecified.into(),
        "note_type",
    )
    .await;
    check(
        |request| request.request_id = "again".to_owned(),
        "request_id",
    )
    .await;

    let request = GetNoteRequest {
        note_id: "42".to_owned(),
    };
    let expect = invalid("INVALID_REQUEST", "note_id");
    assert_eq!(told(client.get_note(request).await), expect);
}

#[tokio::test]
async fn a_section_that_does_not_fit_is_named_by_its_place() {
    let world = World::new().await;
    let running = world.start().await;
    let mut client = world.client(&running).await;
    let plan = || text(SectionKind::Plan, "Rest.");
    let foreign = vec![plan(), text(SectionKind::FollowUp, "Soon.")];
    let repeated = vec![plan(), plan()];
    for (sections, reason) in [(foreign, "SECTION_UNKNOWN"), (repeated, "SECTION_REPEATED")] {
        let expect = invalid(reason, "sections[1].kind");
        let mut request = create("");
        request.sections.clone_from(&sections);
        assert_eq!(told(client.create_note(request).await), expect);
        let note = client.create_note(create("Rest.")).await.unwrap();
        let note = note.into_inner().note.unwrap();
        assert_eq!(
            told(client.update_note(update(&note, sections)).await),
            expect
        );
    }
}

#[tokio::test]
async fn there_is_no_note_where_there_is_none() {
    let world = World::new().await;
    let running = world.start().await;
    let mut client = world.client(&running).await;
    let note = client.create_note(create("Rest.")).await.unwrap();
    let mut note = note.into_inner().note.unwrap();
    note.id = id();
    let note_id = note.id.clone();
    let missing = error(Code::NotFound, "NOTE_NOT_FOUND");
    let request = GetNoteRequest {
        note_id: note_id.clone(),
    };
    assert_eq!(told(client.get_note(request).await), missing);
    let request = WatchNoteRequest { note_id };
    assert_eq!(told(client.watch_note(request).await), missing);
    let request = update(&note, vec![text(SectionKind::Plan, "Rest.")]);
    assert_eq!(told(client.update_note(request).await), missing);
    assert_eq!(told(client.sign_note(sign(&note)).await), missing);
}

#[tokio::test]
async fn a_caller_may_do_what_its_token_grants_and_no_more() {
    let world = World::new().await;
    let running = world.start().await;
    let note = world
        .client(&running)
        .await
        .create_note(create("Rest."))
        .await;
    let note = note.unwrap().into_inner().note.unwrap();
    let request = GetNoteRequest {
        note_id: note.id.clone(),
    };

    let denied = error(Code::PermissionDenied, "PERMISSION_MISSING");
    let mut reader = world.client_with(&running, "reader", &["read:notes"]).await;
    assert!(reader.get_note(request.clone()).await.is_ok());
    assert_eq!(told(reader.create_note(create("Rest.")).await), denied);
    assert_eq!(
        told(reader.generate_note(generate(Uuid::now_v7())).await),
        denied
    );
    let edit = update(&note, vec![text(SectionKind::Plan, "Walk.")]);
    assert_eq!(told(reader.update_note(edit).await), denied);
    let mut writer = world
        .client_with(&running, "writer", &["write:notes"])
        .await;
    assert_eq!(told(writer.get_note(request).await), denied);
    assert_eq!(told(writer.sign_note(sign(&note)).await), denied);
}
