//! What is refused leaves nothing behind.

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use scribemed_proto::transcription::{v1, v2};
use scribemed_transcription::source;
use tonic::Code;
use uuid::Uuid;

use crate::support::*;

const LIMIT: usize = 25 * 1024 * 1024;

#[tokio::test]
async fn what_cannot_be_heard_is_refused_with_the_reason() {
    let stage = Stage::new();
    let service = stage.start().await;
    let mut client = service.v2();
    let whole = tone(1_000);
    let mut lying = whole.to_vec();
    // The size of the data, doubled.
    lying[40..44].copy_from_slice(&64_000_u32.to_le_bytes());
    let text =
        Bytes::from_static(b"Patient is a 54-year-old man. This is a letter, not a recording.");
    for (name, audio, reason) in [
        ("empty", Bytes::new(), "AUDIO_EMPTY"),
        ("a letter", text, "AUDIO_UNSUPPORTED"),
        ("cut off", whole.slice(..whole.len() / 2), "AUDIO_CORRUPT"),
        ("a lying header", lying.into(), "AUDIO_CORRUPT"),
        ("silence", wav(&vec![0; 16_000 * 60]), "AUDIO_SILENT"),
    ] {
        let id = Uuid::now_v7().to_string();
        let created = create(&mut client, bytes(audio.clone(), &id)).await;
        let status = assert_refused(created, Code::InvalidArgument, reason, Some("audio"));
        assert!(!status.message().contains("54-year-old"), "{name}");
        let uploaded = client.upload_transcription(parts(&audio, &id)).await;
        assert_refused(uploaded, Code::InvalidArgument, reason, Some("audio"));
    }
    for table in ["transcriptions", "recordings", "requests", "jobs"] {
        assert_eq!(stage.rows(table).await, 0, "{table}");
    }
    service.stop().await;
}

#[tokio::test]
async fn an_upload_is_refused_as_soon_as_it_is_too_large() {
    let stage = Stage::new();
    let service = stage.start().await;
    let part = |size| v2::UploadTranscriptionRequest {
        request_id: String::new(),
        audio: vec![0; size].into(),
    };
    // It never ends: the answer must not wait for that.
    let endless = stream::iter((0..25).map(move |_| part(1024 * 1024)))
        .chain(stream::iter([part(1)]))
        .chain(stream::pending());
    let refused = service.v2().upload_transcription(endless).await;
    let status = assert_refused(
        refused,
        Code::InvalidArgument,
        "AUDIO_TOO_LARGE",
        Some("audio"),
    );
    assert_eq!(metadata(&status, "limit_bytes"), LIMIT.to_string());
    assert_eq!(stage.rows("transcriptions").await, 0);
    service.stop().await;
}

#[tokio::test]
async fn a_message_with_too_many_bytes_is_refused() {
    let stage = Stage::new();
    let service = stage.start().await;
    let audio = vec![0; LIMIT + 1].into();
    let refused = create(&mut service.v2(), bytes(audio, "")).await;
    assert_refused(
        refused,
        Code::InvalidArgument,
        "INVALID_REQUEST",
        Some("audio"),
    );
    service.stop().await;
}

#[tokio::test]
async fn a_request_id_comes_first() {
    let stage = Stage::new();
    let service = stage.start().await;
    let late = stream::iter(
        ["", "0197c5a2-8a7e-7b53-9d0b-3c8f6c1d2e3f"].map(|request_id| {
            v2::UploadTranscriptionRequest {
                request_id: request_id.to_owned(),
                audio: tone(100),
            }
        }),
    );
    let refused = service.v2().upload_transcription(late).await;
    assert_refused(
        refused,
        Code::InvalidArgument,
        "INVALID_REQUEST",
        Some("request_id"),
    );
    service.stop().await;
}

#[tokio::test]
async fn only_what_is_allowed_is_reached() {
    let stage = Stage::new();
    let audio = tempfile::tempdir().unwrap();
    let outside = stage.folder.path().join("visit.wav");
    std::fs::write(&outside, tone(500)).unwrap();
    std::fs::write(audio.path().join("letter.txt"), "no recording").unwrap();
    let mut config = stage.config();
    config.sources = source::Config {
        folder: Some(audio.path().canonicalize().unwrap()),
        hosts: vec!["audio.example.org".to_owned(), "169.254.169.254".to_owned()],
        ..source::Config::default()
    };
    let service = Running::start(config).await;
    let folder = audio.path().canonicalize().unwrap();
    let folder = folder.display();
    for (uri, reason) in [
        (
            "https://169.254.169.254/latest/meta-data/".to_owned(),
            "AUDIO_URI_REFUSED",
        ),
        (
            "http://audio.example.org/visit.wav".to_owned(),
            "AUDIO_URI_REFUSED",
        ),
        (
            "https://localhost/visit.wav".to_owned(),
            "AUDIO_URI_REFUSED",
        ),
        (format!("file://{}", outside.display()), "AUDIO_URI_REFUSED"),
        ("visit.wav".to_owned(), "AUDIO_URI_REFUSED"),
        (
            format!("file://{folder}/missing.wav"),
            "AUDIO_URI_UNREADABLE",
        ),
        (format!("file://{folder}/letter.txt"), "AUDIO_UNSUPPORTED"),
    ] {
        let by_v2 = create(&mut service.v2(), crate::support::uri(&uri)).await;
        assert_refused(by_v2, Code::InvalidArgument, reason, Some("audio_uri"));
        let request = v1::CreateTranscriptionRequest { audio_url: uri };
        let by_v1 = service.v1().create_transcription(request).await;
        assert_refused(by_v1, Code::InvalidArgument, reason, Some("audio_url"));
    }
    assert_eq!(stage.rows("transcriptions").await, 0);
    service.stop().await;
}

#[tokio::test]
async fn who_may_not_is_refused() {
    let stage = Stage::new();
    let service = stage.start().await;
    let id = Uuid::now_v7().to_string();
    let mut reader = service.v2_as("documentation", &[READ]);
    let refused = create(&mut reader, bytes(tone(100), "")).await;
    assert_refused(refused, Code::PermissionDenied, "PERMISSION_MISSING", None);
    let refused = reader.upload_transcription(parts(&tone(100), "")).await;
    assert_refused(refused, Code::PermissionDenied, "PERMISSION_MISSING", None);
    let refused = cancel(&mut reader, &id).await;
    assert_refused(refused, Code::PermissionDenied, "PERMISSION_MISSING", None);
    let mut writer = service.v2_as("documentation", &[WRITE]);
    let refused = get(&mut writer, &id).await;
    assert_refused(refused, Code::PermissionDenied, "PERMISSION_MISSING", None);
    let refused = get(&mut service.v2_as_nobody(), &id).await;
    assert_refused(refused, Code::Unauthenticated, "TOKEN_MISSING", None);
    // Who may is told that there is none.
    let refused = get(&mut reader, &id).await;
    let status = assert_refused(refused, Code::NotFound, "TRANSCRIPTION_NOT_FOUND", None);
    assert_eq!(metadata(&status, "transcription_id"), id);
    service.stop().await;
}
