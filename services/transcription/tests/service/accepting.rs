//! What is accepted, and what becomes of it.

use scribemed_proto::transcription::v2::TranscriptionState as State;
use tonic::Code;
use uuid::Uuid;

use crate::support::*;

#[tokio::test]
async fn an_upload_is_watched_to_its_text() {
    let stage = Stage::new();
    let service = stage.start().await;
    let mut client = service.v2();
    let uploaded = client
        .upload_transcription(parts(&tone(2_000), ""))
        .await
        .unwrap();
    let accepted = uploaded.into_inner().transcription.unwrap();
    assert_eq!(accepted.text, "");
    assert_eq!(accepted.audio_duration.unwrap().seconds, 2);

    let mut watch = watch(&mut client, &accepted.id).await;
    let mut seen = Vec::new();
    while let Some(message) = watch.message().await.unwrap() {
        let now = message.transcription.unwrap();
        if now.progress >= 0.4 && now.state() == State::Running {
            assert_eq!(now.model.as_ref().unwrap().id, "scripted");
            stage.step(Step::Say("good morning"));
        }
        seen.push((now.state(), now.text));
    }
    let order = [State::Queued, State::Running, State::Succeeded];
    assert!(seen.is_sorted_by_key(|(state, _)| order.iter().position(|known| known == state)));
    assert_eq!(
        seen.last().unwrap(),
        &(State::Succeeded, "good morning".to_owned())
    );

    let found = get(&mut client, &accepted.id).await.unwrap();
    assert_eq!((found.text.as_str(), found.progress), ("good morning", 1.0));
    assert_eq!(found.confidence, Some(0.75));
    let segment = &found.segments[0];
    assert_eq!((segment.index, segment.text.as_str()), (0, "good morning"));
    assert_eq!(segment.end.unwrap().seconds, 2);
    assert!(found.failure.is_none());
    assert_eq!(stage.rows("recordings").await, 0);
    service.stop().await;
}

#[tokio::test]
async fn bytes_are_transcribed() {
    let stage = Stage::new();
    stage.step(Step::Say("how are you"));
    let service = stage.start().await;
    let mut client = service.v2();
    let accepted = create(&mut client, bytes(tone(500), "")).await.unwrap();
    let found = ended(&mut client, &accepted.id).await;
    assert_eq!(
        (found.state(), found.text.as_str()),
        (State::Succeeded, "how are you")
    );
    service.stop().await;
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_transcription() {
    let stage = Stage::new();
    let service = stage.start().await;
    let mut client = service.v2();
    let id = Uuid::now_v7().to_string();
    let first = create(&mut client, bytes(tone(500), &id)).await.unwrap();
    half_heard(&mut client, &first.id).await;

    // By either method, and as it is now.
    let repeat = create(&mut client, bytes(tone(500), &id)).await.unwrap();
    assert_eq!(
        (repeat.id.as_str(), repeat.state()),
        (&*first.id, State::Running)
    );
    let repeat = client
        .upload_transcription(parts(&tone(500), &id))
        .await
        .unwrap();
    assert_eq!(repeat.into_inner().transcription.unwrap().id, first.id);

    for other in [bytes(tone(600), &id), {
        let mut by_uri = uri("https://audio.example.org/visit.wav");
        by_uri.request_id.clone_from(&id);
        by_uri
    }] {
        let refused = create(&mut client, other).await;
        let refused = assert_refused(refused, Code::AlreadyExists, "REQUEST_ID_REUSED", None);
        assert_eq!(metadata(&refused, "request_id"), id);
    }
    assert_eq!(stage.rows("transcriptions").await, 1);

    // An id is its caller's own.
    let mut gateway = service.v2_as("gateway", &[READ, WRITE]);
    let other = create(&mut gateway, bytes(tone(500), &id)).await.unwrap();
    assert_ne!(other.id, first.id);
    service.stop().await;
}

#[tokio::test]
async fn a_repeat_after_the_end_gets_the_text() {
    let stage = Stage::new();
    stage.step(Step::Say("take a deep breath"));
    let service = stage.start().await;
    let mut client = service.v2();
    let id = Uuid::now_v7().to_string();
    let first = create(&mut client, bytes(tone(500), &id)).await.unwrap();
    ended(&mut client, &first.id).await;
    let repeat = create(&mut client, bytes(tone(500), &id)).await.unwrap();
    assert_eq!(repeat.text, "take a deep breath");
    assert_eq!(stage.engine.heard(), 1);
    service.stop().await;
}
