//! The ways in which a transcription ends.

use std::num::NonZeroU32;
use std::time::Duration;

use scribemed_proto::transcription::v2::{ErrorReason, Failure, TranscriptionState as State};
use scribemed_resilience::backoff::Backoff;
use scribemed_transcription::source;
use tonic::Code;

use crate::support::*;

#[tokio::test]
async fn what_waits_and_what_runs_can_be_cancelled() {
    let stage = Stage::new();
    let service = stage.start().await;
    let mut client = service.v2();
    let running = create(&mut client, bytes(tone(500), "")).await.unwrap();
    half_heard(&mut client, &running.id).await;
    let queued = create(&mut client, bytes(tone(500), "")).await.unwrap();
    assert_eq!(stage.rows("recordings").await, 2);

    for id in [&queued.id, &running.id] {
        let mut watch = watch(&mut client, id).await;
        let before = watch.message().await.unwrap().unwrap();
        assert_ne!(before.transcription.unwrap().state(), State::Cancelled);
        let cancelled = cancel(&mut client, id).await.unwrap();
        assert_eq!(cancelled.state(), State::Cancelled);
        let after = watch.message().await.unwrap().unwrap();
        assert_eq!(after.transcription.unwrap().state(), State::Cancelled);
        assert!(watch.message().await.unwrap().is_none());
        // Again changes nothing.
        assert_eq!(cancel(&mut client, id).await.unwrap(), cancelled);
    }
    assert_eq!(stage.rows("recordings").await, 0);

    // The engine is free for the next one.
    stage.step(Step::Say("next, please"));
    let next = create(&mut client, bytes(tone(500), "")).await.unwrap();
    assert_eq!(ended(&mut client, &next.id).await.text, "next, please");
    let refused = cancel(&mut client, &next.id).await;
    let status = assert_refused(
        refused,
        Code::FailedPrecondition,
        "TRANSCRIPTION_FINISHED",
        None,
    );
    assert_eq!(metadata(&status, "state"), "SUCCEEDED");
    service.stop().await;
}

#[tokio::test]
async fn a_failure_has_its_reason_and_no_recording() {
    let check = async |steps: &[Step], attempts: u32, expect: Result<&str, Failure>| {
        let stage = Stage::new();
        for step in steps {
            stage.step(*step);
        }
        let mut config = stage.config();
        config.max_attempts = NonZeroU32::new(attempts).unwrap();
        let millisecond = Duration::from_millis(1);
        config.backoff = Backoff::new(millisecond, millisecond, 1.0, 0.0).unwrap();
        let service = Running::start(config).await;
        let mut client = service.v2();
        let accepted = create(&mut client, bytes(tone(500), "")).await.unwrap();
        let found = ended(&mut client, &accepted.id).await;
        match expect {
            Ok(text) => assert_eq!((found.text.as_str(), found.failure), (text, None)),
            Err(failure) => {
                assert_eq!(found.state(), State::Failed);
                assert_eq!(found.failure, Some(failure));
            }
        }
        assert_eq!(stage.engine.heard(), steps.len());
        assert_eq!(stage.rows("recordings").await, 0);
        service.stop().await;
    };
    check(&[Step::Unavailable, Step::Say("at last")], 2, Ok("at last")).await;
    let exhausted = Failure {
        reason: ErrorReason::AttemptsExhausted.into(),
        message:
            "it was tried 2 times; the last time: the speech engine is not available (as scripted)"
                .to_owned(),
    };
    check(&[Step::Unavailable; 2], 2, Err(exhausted)).await;
    let refused = Failure {
        reason: ErrorReason::ModelFailed.into(),
        message: "the speech engine refused (as scripted)".to_owned(),
    };
    check(&[Step::Refuse], 5, Err(refused)).await;
}

#[tokio::test]
async fn a_name_that_leads_to_this_machine_is_not_followed() {
    let stage = Stage::new();
    let mut config = stage.config();
    config.sources = source::Config {
        hosts: vec!["localhost:1".to_owned()],
        ..source::Config::default()
    };
    let service = Running::start(config).await;
    let mut client = service.v2();
    let accepted = create(&mut client, uri("https://localhost:1/visit.wav"))
        .await
        .unwrap();
    assert!(accepted.audio_duration.is_none());
    let failure = ended(&mut client, &accepted.id).await.failure.unwrap();
    assert_eq!(failure.reason(), ErrorReason::AudioUriRefused);
    assert!(!failure.message.contains("visit"), "{}", failure.message);
    assert_eq!(stage.rows("recordings").await, 0);
    assert_eq!(stage.engine.heard(), 0);
    service.stop().await;
}
