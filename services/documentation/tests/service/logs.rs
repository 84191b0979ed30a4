//! What the service logs, and what it never does.

use std::io::{self, Write};
use std::sync::{LazyLock, Mutex};

use scribemed_proto::documentation::v2::{NoteState, SectionKind};
use scribemed_proto::transcription::v2::TranscriptionState;
use scribemed_rpc::{CallContext, RequestId};
use uuid::Uuid;

use crate::world::{World, create, generate, generated, sign, text, update};

static LINES: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(Mutex::default);

struct Lines;

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LINES.lock().unwrap().write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Captures what this process logs from now on, down to the last detail.
pub(crate) fn capture() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(|| Lines)
            .init();
    });
}

/// What was logged so far.
pub(crate) fn logged() -> String {
    String::from_utf8_lossy(&LINES.lock().unwrap()).into_owned()
}

#[tokio::test]
async fn one_request_id_goes_through_every_service_and_log() {
    let world = World::new().await;
    let running = world.start().await;
    let mut client = world.client(&running).await;
    let transcription = Uuid::now_v7();
    world
        .fake
        .set(transcription, TranscriptionState::Running, &[]);

    let request_id = RequestId::generate();
    let accepted = CallContext::resumed(request_id)
        .scope(client.generate_note(generate(transcription)))
        .await
        .unwrap();
    let note = accepted.into_inner().note.unwrap();
    world.fake.watched(1).await;
    world
        .fake
        .set(transcription, TranscriptionState::Succeeded, &["I cough."]);
    generated(&mut client, &note).await;

    let request_id = request_id.to_string();
    assert_eq!(
        world.fake.calls(),
        [("get", request_id.clone()), ("watch", request_id.clone())]
    );
    let logged = logged();
    let line = |part: &str| {
        let mut lines = logged.lines();
        lines.any(|line| line.contains(&request_id) && line.contains(part))
    };
    assert!(line("GenerateNote") && line("served"), "the call");
    assert!(line("drafted") && line(&note.id), "the job");
    assert!(line("TranscriptionService/GetTranscription"), "the peer");
}

#[tokio::test]
async fn nothing_that_was_said_or_written_is_logged() {
    let world = World::new().await;
    let running = world.start().await;
    let mut client = world.client(&running).await;
    let transcription = Uuid::now_v7();
    let said = "My zebrafinch bit my quokka finger yesterday.";
    world
        .fake
        .set(transcription, TranscriptionState::Succeeded, &[said]);

    let accepted = client.generate_note(generate(transcription)).await.unwrap();
    let note = generated(&mut client, &accepted.into_inner().note.unwrap()).await;
    assert!(format!("{note:?}").contains("zebrafinch"));
    let written = vec![text(SectionKind::Plan, "Wash the quokka.")];
    let edited = client.update_note(update(&note, written)).await.unwrap();
    let edited = edited.into_inner().note.unwrap();
    // Also when it is refused.
    let late = vec![text(SectionKind::FollowUp, "Feed the zebrafinch.")];
    client.update_note(update(&edited, late)).await.unwrap_err();
    let signed = client.sign_note(sign(&edited)).await.unwrap();
    assert_eq!(signed.into_inner().note.unwrap().state(), NoteState::Signed);
    client.create_note(create("A zebrafinch.")).await.unwrap();
    running.stop().await.unwrap();

    let logged = logged().to_lowercase();
    assert!(logged.contains("served"), "something is logged");
    for word in ["zebrafinch", "quokka"] {
        let line = logged.lines().find(|line| line.contains(word));
        assert_eq!(line, None);
    }
}
