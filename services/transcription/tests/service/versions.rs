//! One core under both versions.

use scribemed_proto::transcription::v1::{self, TranscriptionStatus as Status};
use scribemed_transcription::source;
use tonic::Code;

use crate::support::*;

#[tokio::test]
async fn what_one_version_makes_the_other_reads() {
    let stage = Stage::new();
    let audio = tempfile::tempdir().unwrap();
    let folder = audio.path().canonicalize().unwrap();
    std::fs::write(folder.join("visit.wav"), tone(500)).unwrap();
    let mut config = stage.config();
    config.sources = source::Config {
        folder: Some(folder.clone()),
        ..source::Config::default()
    };
    let service = Running::start(config).await;
    let (mut old, mut new) = (service.v1(), service.v2());
    let audio_url = format!("file://{}/visit.wav", folder.display());
    let request = v1::CreateTranscriptionRequest { audio_url };
    let id = old.create_transcription(request).await.unwrap();
    let id = id.into_inner().job_id;
    half_heard(&mut new, &id).await;
    // The file has been taken in: it may go.
    std::fs::remove_file(folder.join("visit.wav")).unwrap();

    let status = async |id: &str| {
        let request = v1::GetTranscriptionStatusRequest {
            job_id: id.to_owned(),
        };
        let mut client = service.v1();
        let answer = client.get_transcription_status(request).await.unwrap();
        let answer = answer.into_inner();
        (answer.status(), answer.error_message)
    };
    let of = |id: &str| v1::GetTranscriptionRequest { id: id.to_owned() };
    assert_eq!(status(&id).await, (Status::Processing, String::new()));
    let early = old.get_transcription(of(&id)).await;
    let early = assert_refused(
        early,
        Code::FailedPrecondition,
        "TRANSCRIPTION_NOT_FINISHED",
        None,
    );
    assert_eq!(metadata(&early, "state"), "RUNNING");

    let waiting = create(&mut new, bytes(tone(500), "")).await.unwrap();
    assert_eq!(status(&waiting.id).await, (Status::Pending, String::new()));
    cancel(&mut new, &waiting.id).await.unwrap();
    let (failed, message) = status(&waiting.id).await;
    assert_eq!(failed, Status::Failed);
    assert!(message.contains("cancelled"), "{message}");

    stage.step(Step::Say("good morning"));
    assert_eq!(ended(&mut new, &id).await.text, "good morning");
    assert_eq!(status(&id).await, (Status::Completed, String::new()));
    let text = old.get_transcription(of(&id)).await.unwrap().into_inner();
    assert_eq!(
        (text.id.as_str(), text.text.as_str()),
        (&*id, "good morning")
    );
    assert!((text.confidence - 0.75).abs() < 1e-6);
    assert_eq!(text.segments.len(), 1);
    service.stop().await;
}
