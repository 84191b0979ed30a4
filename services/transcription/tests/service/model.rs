//! The speech model: missing, appearing, listening.

use std::path::PathBuf;

use scribemed_proto::transcription::v2::TranscriptionState as State;
use scribemed_transcription::engine::WhisperConfig;
use scribemed_transcription::{Config, EngineConfig};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_types::StatusExt as _;

use crate::support::*;

const SERVICES: [&str; 3] = [
    "scribemed.transcription.v1.TranscriptionService",
    "scribemed.transcription.v2.TranscriptionService",
    "",
];

fn installed() -> PathBuf {
    let path = std::env::var_os("TRANSCRIPTION_MODEL").map_or_else(
        || {
            let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
            root.join("../../.scribemed/models/ggml-tiny.en.bin")
        },
        PathBuf::from,
    );
    assert!(
        path.is_file(),
        "there is no speech model at {}: `cargo xtask model` installs it",
        path.display()
    );
    path
}

fn request(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

/// Waits until a service is told to serve.
async fn serving(service: &Running) {
    loop {
        let mut health = service.health();
        let mut watch = health
            .watch(request(SERVICES[1]))
            .await
            .unwrap()
            .into_inner();
        // A watch ends by its deadline; then the next one begins.
        while let Ok(Some(answer)) = watch.message().await {
            if answer.status() == ServingStatus::Serving {
                return;
            }
        }
    }
}

#[tokio::test]
async fn without_a_model_nothing_is_accepted_or_lost_and_one_that_appears_listens() {
    // Accepted while there was an engine.
    let stage = Stage::new();
    let service = stage.start().await;
    let mut client = service.v2();
    let audio = clip("sense_and_sensibility_01_austen_64kb-0880.wav");
    let accepted = client
        .upload_transcription(parts(&audio, ""))
        .await
        .unwrap();
    let id = accepted.into_inner().transcription.unwrap().id;
    half_heard(&mut client, &id).await;
    drop(client);
    service.kill().await;

    let models = tempfile::tempdir().unwrap();
    let model = models.path().join("ggml-tiny.en.bin");
    std::fs::write(&model, "half a download").unwrap();
    let engine = EngineConfig::Whisper(WhisperConfig {
        model: model.clone(),
        threads: None,
        language: None,
    });
    let service = Running::start(Config::new(stage.folder.path(), engine)).await;
    let mut client = service.v2();
    for name in SERVICES {
        let answer = service.health().check(request(name)).await.unwrap();
        assert_eq!(answer.into_inner().status(), ServingStatus::NotServing);
    }
    let refused = create(&mut client, bytes(tone(500), "")).await;
    let status = assert_refused(refused, Code::FailedPrecondition, "MODEL_MISSING", None);
    let details = status.get_error_details();
    let advice = &details.precondition_failure().unwrap().violations[0].description;
    for expect in ["cargo xtask model", "TRANSCRIPTION_MODEL=/"] {
        assert!(advice.contains(expect), "{advice}");
    }
    // Reads are answered, and what was accepted waits.
    assert_eq!(get(&mut client, &id).await.unwrap().state(), State::Queued);

    std::fs::remove_file(&model).unwrap();
    std::os::unix::fs::symlink(installed().canonicalize().unwrap(), &model).unwrap();
    serving(&service).await;
    let found = ended(&mut client, &id).await;
    assert_eq!(found.state(), State::Succeeded, "{:?}", found.failure);
    assert!(found.text.contains("young man"), "{}", found.text);
    let model = found.model.unwrap();
    assert_eq!(
        (model.id.as_str(), model.sha256.len()),
        ("ggml-tiny.en", 64)
    );
    let confidence = found.confidence.unwrap();
    assert!((0.3..=1.0).contains(&confidence), "{confidence}");
    assert_eq!(stage.rows("recordings").await, 0);
    service.stop().await;
}
