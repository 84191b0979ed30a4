//! What was accepted outlives the process.

use scribemed_proto::transcription::v2::TranscriptionState as State;
use tonic::Code;

use crate::support::*;

#[tokio::test]
async fn an_interrupted_transcription_is_done_once() {
    for kill in [false, true] {
        let mut stage = Stage::new();
        let service = stage.start().await;
        let mut client = service.v2();
        let accepted = create(&mut client, bytes(tone(500), "")).await.unwrap();
        half_heard(&mut client, &accepted.id).await;
        drop(client);
        if kill {
            service.kill().await;
        } else {
            service.stop().await;
        }

        let (steps, engine) = Scripted::new();
        (stage.steps, stage.engine) = (steps, engine);
        stage.step(Step::Say("good morning"));
        let service = stage.start().await;
        let mut client = service.v2();
        let found = ended(&mut client, &accepted.id).await;
        assert_eq!(
            (found.state(), found.text.as_str()),
            (State::Succeeded, "good morning")
        );
        assert_eq!(stage.engine.heard(), 1);
        assert_eq!(stage.rows("segments").await, 1);
        assert_eq!(stage.rows("recordings").await, 0);
        service.stop().await;
    }
}

#[tokio::test]
async fn a_drain_ends_watches_with_unavailable() {
    let stage = Stage::new();
    let service = stage.start().await;
    let mut client = service.v2();
    let accepted = create(&mut client, bytes(tone(500), "")).await.unwrap();
    half_heard(&mut client, &accepted.id).await;
    let mut watch = watch(&mut client, &accepted.id).await;
    watch.message().await.unwrap().unwrap();
    service.drain();
    let status = loop {
        match watch.message().await {
            // That it waits again may be seen first.
            Ok(message) => assert!(message.is_some(), "it ended without a status"),
            Err(status) => break status,
        }
    };
    assert_refused::<()>(Err(status), Code::Unavailable, "SHUTTING_DOWN", None);
    service.ended().await.unwrap();
    // It waits for the next process.
    assert_eq!(stage.rows("recordings").await, 1);
}

#[tokio::test]
async fn a_data_folder_has_one_process() {
    let stage = Stage::new();
    let first = stage.start().await;
    // It answers, so it holds the folder.
    create(&mut first.v2(), bytes(tone(100), "")).await.unwrap();
    let refused = stage.start().await.ended().await.unwrap_err();
    assert!(refused.to_string().contains("SCRIBEMED_DATA"), "{refused}");
    first.stop().await;
}
