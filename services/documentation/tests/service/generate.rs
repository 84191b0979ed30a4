//! Notes that are drafted from transcriptions.

use scribemed_proto::documentation::v2::{
    ErrorReason, Note, NoteState, SectionKind as S, WatchNoteRequest,
};
use scribemed_proto::transcription::v2::TranscriptionState;
use tonic::Code;
use uuid::Uuid;

use crate::world::{
    World, error, generate, generated, get, id, said, sign, text, told, update, watch, within,
};

const VISIT: &[&str] = &[
    "I've had this cough for about",
    "two weeks now. Your lungs are clear,",
    "I don't hear any wheezing.",
    "Thank you, doctor.",
];

#[tokio::test]
async fn a_transcription_becomes_a_draft_in_its_own_words() {
    let world = World::new().await;
    let running = world.start().await;
    let mut client = world.client(&running).await;
    let transcription = Uuid::now_v7();
    world
        .fake
        .set(transcription, TranscriptionState::Succeeded, VISIT);

    let request = generate(transcription);
    let accepted = client.generate_note(request.clone()).await.unwrap();
    let accepted = accepted.into_inner().note.unwrap();
    assert_eq!(accepted.state(), NoteState::Generating);
    assert_eq!(accepted.sections, []);

    let note = generated(&mut client, &accepted).await;
    assert_eq!(note.state(), NoteState::Draft);
    assert_ne!(note.etag, accepted.etag);
    assert_eq!(note.patient_id, request.patient_id);
    assert_eq!(note.transcription_id, transcription.to_string());
    let sentence = |text: &str, sources: &[i32]| (text.to_owned(), sources.to_vec());
    let cough = sentence("I've had this cough for about two weeks now.", &[0, 1]);
    let lungs = sentence("Your lungs are clear, I don't hear any wheezing.", &[1, 2]);
    assert_eq!(said(&note, S::Subjective), Some(vec![cough]));
    assert_eq!(said(&note, S::Objective), Some(vec![lungs]));
    assert_eq!(said(&note, S::Assessment), None);
    assert_eq!(said(&note, S::Plan), None);
    let thanks = sentence("Thank you, doctor.", &[3]);
    assert_eq!(said(&note, S::Other), Some(vec![thanks]));
    let titles: Vec<&str> = note.sections.iter().map(|s| &*s.title).collect();
    assert_eq!(
        titles,
        ["Subjective", "Objective", "Assessment", "Plan", "Other"]
    );

    let source = &note.sections[0].sentences[0].sources[1];
    assert_eq!(source.transcription_id, transcription.to_string());
    let at = |seconds, nanos| Some(prost_types::Duration { seconds, nanos });
    assert_eq!((source.start, source.end), (at(3, 0), at(5, 500_000_000)));
    assert_eq!(get(&mut client, &note).await, note);
}

#[tokio::test]
async fn a_transcription_that_is_not_finished_is_waited_for() {
    let world = World::new().await;
    let running = world.start().await;
    let mut client = world.client(&running).await;
    let transcription = Uuid::now_v7();
    world
        .fake
        .set(transcription, TranscriptionState::Queued, &[]);
    let accepted = client.generate_note(generate(transcription)).await.unwrap();
    let note = accepted.into_inner().note.unwrap();

    let follow = async {
        world.fake.watched(1).await;
        world
            .fake
            .set(transcription, TranscriptionState::Running, &VISIT[..1]);
        // A server that shuts down in between is asked again.
        world.fake.break_watches();
        world.fake.watched(2).await;
        world
            .fake
            .set(transcription, TranscriptionState::Succeeded, VISIT);
    };
    let (seen, ()) = tokio::join!(watch(&mut client, &note), within(follow));
    let states: Vec<NoteState> = seen.iter().map(Note::state).collect();
    assert_eq!(states, [NoteState::Generating, NoteState::Draft]);
}

#[tokio::test]
async fn a_note_says_why_it_could_not_be_generated() {
    let world = World::new().await;
    let running = world.start().await;
    let mut client = world.client(&running).await;
    let mut check = async |state: Option<TranscriptionState>, expect: ErrorReason| {
        let transcription = Uuid::now_v7();
        if let Some(state) = state {
            world.fake.set(transcription, state, &[]);
        }
        let accepted = client.generate_note(generate(transcription)).await.unwrap();
        let note = generated(&mut client, &accepted.into_inner().note.unwrap()).await;
        assert_eq!(note.state(), NoteState::Failed);
        let failure = note.failure.clone().unwrap();
        assert_eq!(failure.reason(), expect);
        assert!(!failure.message.is_empty());
        assert_eq!(note.sections, []);

        let refused = error(Code::FailedPrecondition, "NOTE_FAILED");
        let edit = update(&note, vec![text(S::Plan, "Rest.")]);
        assert_eq!(told(client.update_note(edit).await), refused);
        assert_eq!(told(client.sign_note(sign(&note)).await), refused);
        let mut v1 = world.client_v1(&running).await;
        let request = scribemed_proto::documentation::v1::GetNoteRequest {
            note_id: note.id.clone(),
        };
        assert_eq!(told(v1.get_note(request).await), refused);
    };
    check(None, ErrorReason::TranscriptionNotFound).await;
    let (failed, cancelled) = (TranscriptionState::Failed, TranscriptionState::Cancelled);
    check(Some(failed), ErrorReason::TranscriptionFailed).await;
    check(Some(cancelled), ErrorReason::TranscriptionCancelled).await;
}

#[tokio::test]
async fn a_transcription_service_that_is_away_is_waited_for() {
    let mut world = World::without_transcription().await;
    let running = world.start().await;
    let mut client = world.client(&running).await;
    let transcription = Uuid::now_v7();
    world
        .fake
        .set(transcription, TranscriptionState::Succeeded, VISIT);
    let accepted = client.generate_note(generate(transcription)).await.unwrap();
    let note = accepted.into_inner().note.unwrap();
    world.refuse_a_connection().await;
    world.start_transcription();
    let note = generated(&mut client, &note).await;
    assert_eq!(note.state(), NoteState::Draft);
}

#[tokio::test]
async fn what_was_accepted_is_done_once_after_a_restart() {
    let world = World::new().await;
    let running = world.start().await;
    let mut client = world.client(&running).await;
    let transcription = Uuid::now_v7();
    world
        .fake
        .set(transcription, TranscriptionState::Running, &[]);
    let mut request = generate(transcription);
    request.request_id = id();
    let accepted = client.generate_note(request.clone()).await.unwrap();
    let note = accepted.into_inner().note.unwrap();
    world.fake.watched(1).await;
    running.kill().await;

    world
        .fake
        .set(transcription, TranscriptionState::Succeeded, VISIT);
    let running = world.start().await;
    let mut client = world.client(&running).await;
    let drafted = generated(&mut client, &note).await;
    assert_eq!(drafted.state(), NoteState::Draft);
    // The caller did not get its answer, and asks again.
    let again = client.generate_note(request).await.unwrap();
    assert_eq!(again.into_inner().note.unwrap(), drafted);
    running.stop().await.unwrap();

    let store = scribemed_documentation::store::open(&world.data().join("documentation.db"))
        .await
        .unwrap();
    let mut conn = store.acquire().await.unwrap();
    let note_id = Uuid::parse_str(&note.id).unwrap();
    let revisions = scribemed_documentation::store::notes::revisions(&mut conn, note_id)
        .await
        .unwrap();
    assert_eq!(revisions.len(), 2, "accepted, and drafted once");
}

#[tokio::test]
async fn a_watch_is_told_of_the_shutdown() {
    let world = World::new().await;
    let running = world.start().await;
    let mut client = world.client(&running).await;
    let transcription = Uuid::now_v7();
    world
        .fake
        .set(transcription, TranscriptionState::Running, &[]);
    let accepted = client.generate_note(generate(transcription)).await.unwrap();
    let note = accepted.into_inner().note.unwrap();
    let request = WatchNoteRequest { note_id: note.id };
    let mut updates = client.watch_note(request).await.unwrap().into_inner();
    let first = updates.message().await.unwrap().unwrap().note.unwrap();
    assert_eq!(first.state(), NoteState::Generating);
    running.stop().await.unwrap();
    assert_eq!(
        told(updates.message().await),
        error(Code::Unavailable, "SHUTTING_DOWN")
    );
}

#[tokio::test]
async fn a_data_folder_belongs_to_one_process() {
    let world = World::new().await;
    let first = world.start().await;
    let mut client = world.client(&first).await;
    let refused =
        client.get_note(scribemed_proto::documentation::v2::GetNoteRequest { note_id: id() });
    assert_eq!(told(refused.await).0, Code::NotFound);

    let second = world.start().await.ended().await.unwrap_err();
    let message = second.to_string();
    let folder = world.data().display().to_string();
    assert!(
        message.contains(&folder) && message.contains("in use by another process"),
        "{message}"
    );
    first.stop().await.unwrap();
    world.start().await.stop().await.unwrap();
}
