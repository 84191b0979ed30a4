//! Notes that are written, changed and signed.

use scribemed_proto::documentation::v2::{NoteState, SectionKind as S};
use scribemed_proto::transcription::v2::TranscriptionState;
use tonic::Code;
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::world::{
    World, create, error, generate, generated, get, id, said, sign, text, told, update,
};

#[tokio::test]
async fn an_edit_replaces_the_sections_that_it_names() {
    let world = World::new().await;
    let running = world.start().await;
    let mut client = world.client(&running).await;
    let transcription = Uuid::now_v7();
    let segments = [
        "I've had this cough for about two weeks now.",
        "Your lungs are clear.",
    ];
    world
        .fake
        .set(transcription, TranscriptionState::Succeeded, &segments);
    let accepted = client.generate_note(generate(transcription)).await.unwrap();
    let draft = generated(&mut client, &accepted.into_inner().note.unwrap()).await;

    let changed = vec![
        text(S::Objective, ""),
        text(S::Plan, "Rest. Drink plenty of fluids."),
    ];
    let edited = client.update_note(update(&draft, changed)).await.unwrap();
    let edited = edited.into_inner().note.unwrap();
    assert_eq!(
        said(&edited, S::Subjective),
        Some(vec![(segments[0].to_owned(), vec![0])]),
        "what is not named keeps its words and its source"
    );
    assert_eq!(said(&edited, S::Objective), None, "empty: not documented");
    let written = ("Rest. Drink plenty of fluids.".to_owned(), Vec::new());
    assert_eq!(said(&edited, S::Plan), Some(vec![written]));
    assert_eq!(get(&mut client, &draft).await, edited);
}

#[tokio::test]
async fn of_two_edits_of_one_reading_one_wins() {
    let world = World::new().await;
    let running = world.start().await;
    let mut client = world.client(&running).await;
    let note = client.create_note(create("Rest.")).await.unwrap();
    let note = note.into_inner().note.unwrap();
    assert_eq!(note.state(), NoteState::Draft);

    let mut other = client.clone();
    let (one, two) = tokio::join!(
        client.update_note(update(&note, vec![text(S::Plan, "One.")])),
        other.update_note(update(&note, vec![text(S::Plan, "Two.")])),
    );
    let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
    let won = won.unwrap().into_inner().note.unwrap();
    let lost = lost.unwrap_err();
    let info = lost.get_error_details().error_info().unwrap().clone();
    assert_eq!(info.metadata["etag"], won.etag);
    assert_eq!(told::<()>(Err(lost)), error(Code::Aborted, "ETAG_MISMATCH"));
    assert_eq!(get(&mut client, &note).await, won);
}

#[tokio::test]
async fn a_signed_note_cannot_be_changed() {
    let world = World::new().await;
    let running = world.start().await;
    let mut client = world.client_of(&running, "emr").await;
    let note = client.create_note(create("Rest.")).await.unwrap();
    let note = note.into_inner().note.unwrap();
    let signed = client.sign_note(sign(&note)).await.unwrap();
    let signed = signed.into_inner().note.unwrap();
    assert_eq!(signed.state(), NoteState::Signed);
    assert_eq!(signed.signed_by, "emr");
    assert!(signed.sign_time.is_some());

    let again = client.sign_note(sign(&note)).await.unwrap();
    assert_eq!(again.into_inner().note.unwrap(), signed, "the same again");
    let refused = error(Code::FailedPrecondition, "NOTE_SIGNED");
    let late = update(&signed, vec![text(S::Plan, "Walk.")]);
    assert_eq!(told(client.update_note(late).await), refused);
    let mut other = world.client_of(&running, "lab").await;
    assert_eq!(told(other.sign_note(sign(&note)).await), refused);
    assert_eq!(get(&mut client, &note).await, signed);
}

#[tokio::test]
async fn a_note_is_signed_as_it_was_read() {
    let world = World::new().await;
    let running = world.start().await;
    let mut client = world.client(&running).await;
    let note = client.create_note(create("Rest.")).await.unwrap();
    let read = note.into_inner().note.unwrap();
    let edit = update(&read, vec![text(S::Plan, "Walk.")]);
    client.update_note(edit).await.unwrap();
    assert_eq!(
        told(client.sign_note(sign(&read)).await),
        error(Code::Aborted, "ETAG_MISMATCH")
    );
}

#[tokio::test]
async fn a_note_that_is_being_generated_waits_for_its_draft() {
    let world = World::new().await;
    let running = world.start().await;
    let mut client = world.client(&running).await;
    let transcription = Uuid::now_v7();
    world
        .fake
        .set(transcription, TranscriptionState::Running, &[]);
    let accepted = client.generate_note(generate(transcription)).await.unwrap();
    let note = accepted.into_inner().note.unwrap();
    let refused = error(Code::FailedPrecondition, "NOTE_GENERATING");
    let edit = update(&note, vec![text(S::Plan, "Rest.")]);
    assert_eq!(told(client.update_note(edit).await), refused);
    assert_eq!(told(client.sign_note(sign(&note)).await), refused);
}

#[tokio::test]
async fn a_repeat_gets_the_first_result() {
    let world = World::new().await;
    let running = world.start().await;
    let mut client = world.client(&running).await;
    let mut creation = create("Rest.");
    creation.request_id = id();
    let first = client.create_note(creation.clone()).await.unwrap();
    let first = first.into_inner().note.unwrap();
    let mut edit = update(&first, vec![text(S::Plan, "Walk.")]);
    edit.request_id = id();
    let second = client.update_note(edit.clone()).await.unwrap();
    let second = second.into_inner().note.unwrap();
    let third = update(&second, vec![text(S::Plan, "Run.")]);
    client.update_note(third).await.unwrap();

    let again = client.create_note(creation.clone()).await.unwrap();
    assert_eq!(again.into_inner().note.unwrap(), first);
    let again = client.update_note(edit.clone()).await.unwrap();
    assert_eq!(again.into_inner().note.unwrap(), second);

    // With other content it is another request, and refused; another caller's id is its own.
    let reused = error(Code::AlreadyExists, "REQUEST_ID_REUSED");
    let mut other = creation.clone();
    other.sections = vec![text(S::Plan, "Sleep.")];
    assert_eq!(told(client.create_note(other.clone()).await), reused);
    edit.etag = second.etag;
    assert_eq!(told(client.update_note(edit).await), reused);
    let mut generation = generate(Uuid::now_v7());
    generation.request_id = id();
    client.generate_note(generation.clone()).await.unwrap();
    generation.patient_id = id();
    assert_eq!(told(client.generate_note(generation).await), reused);
    let mut lab = world.client_of(&running, "lab").await;
    let elsewhere = lab.create_note(other).await.unwrap();
    assert_ne!(elsewhere.into_inner().note.unwrap().id, first.id);
}
