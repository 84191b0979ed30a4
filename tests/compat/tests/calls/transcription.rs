//! scribemed.transcription, both versions.

use scribemed_compat::transcription::v1::TranscriptionStatus::{Pending, Processing};
use scribemed_compat::transcription::v2::create_transcription_request::Source;
use scribemed_compat::transcription::{v1, v2};
use tonic::Code;

use crate::caller::{invalid, refused};
use crate::world::{SAID, Speech1, Speech2, World, id, tone};

/// Makes some; returns the id of one that has succeeded.
pub(crate) async fn answers(world: &World) -> String {
    let mut old = Speech1::new(world.answering("transcription").await);
    let mut new = Speech2::new(world.answering("transcription").await);

    // Bytes, once, however often they are sent.
    let request = bytes(tone(), id());
    let made = new.create_transcription(request.clone()).await;
    let made = made.unwrap().into_inner().transcription.unwrap();
    let again = new.create_transcription(request).await.unwrap();
    assert_eq!(again.into_inner().transcription.unwrap().id, made.id);
    let status = old.get_transcription_status(status(&made.id)).await;
    let status = status.unwrap().into_inner();
    assert_eq!(status.job_id, made.id);
    assert!([Pending, Processing].contains(&status.status()));
    world.speak();
    let done = ended(&mut new, &made.id).await;
    assert_eq!(done.state(), v2::TranscriptionState::Succeeded);
    assert_eq!((done.text.as_str(), done.progress), (SAID, 1.0));
    assert_eq!(done.confidence, Some(0.75));
    assert_eq!(done.model.as_ref().unwrap().id, "scripted");
    assert_eq!(done.audio_duration.unwrap().nanos, 500_000_000);
    let segment = &done.segments[0];
    assert_eq!((segment.index, segment.text.as_str()), (0, SAID));
    assert_eq!(segment.end.unwrap().nanos, 500_000_000);
    assert!(done.failure.is_none() && done.create_time.is_some());
    assert_eq!(get(&mut new, &made.id).await, done);
    let text = old.get_transcription(text(&made.id)).await.unwrap();
    let text = text.into_inner();
    assert_eq!((&text.id, text.text.as_str()), (&made.id, SAID));
    assert!((text.confidence - 0.75).abs() < 1e-6);
    assert_eq!(text.segments[0].text, SAID);

    // In parts, and stopped.
    let audio = tone();
    let request_id = std::iter::once(id()).chain(std::iter::repeat(String::new()));
    let parts: Vec<_> = audio
        .chunks(4_096)
        .zip(request_id)
        .map(|(part, request_id)| v2::UploadTranscriptionRequest {
            request_id,
            audio: part.to_vec(),
        })
        .collect();
    let sent = new.upload_transcription(tokio_stream::iter(parts)).await;
    let sent = sent.unwrap().into_inner().transcription.unwrap();
    let stopped = new.cancel_transcription(cancel(&sent.id)).await.unwrap();
    let stopped = stopped.into_inner().transcription.unwrap();
    assert_eq!(stopped.state(), v2::TranscriptionState::Cancelled);
    assert_eq!(ended(&mut new, &sent.id).await.state(), stopped.state());

    // From a file, by the old version.
    let request = v1::CreateTranscriptionRequest {
        audio_url: world.recording(),
    };
    let filed = old.create_transcription(request).await.unwrap();
    world.speak();
    let filed = ended(&mut new, &filed.into_inner().job_id).await;
    assert_eq!(filed.text, SAID);

    // Pages, newest first.
    let mut request = v2::ListTranscriptionsRequest {
        state: v2::TranscriptionState::Succeeded.into(),
        page_size: 1,
        page_token: String::new(),
    };
    let first = new.list_transcriptions(request.clone()).await.unwrap();
    let first = first.into_inner();
    request.page_token.clone_from(&first.next_page_token);
    let second = new.list_transcriptions(request).await.unwrap().into_inner();
    let ids = [&first, &second].map(|page| page.transcriptions[0].id.as_str());
    assert_eq!(ids, [filed.id.as_str(), made.id.as_str()]);
    assert_eq!(second.next_page_token, "");
    made.id
}

pub(crate) async fn refusals(world: &World) {
    let mut old = Speech1::new(world.refusing("transcription").await);
    let mut new = Speech2::new(world.refusing("transcription").await);
    let not_found = "TRANSCRIPTION_NOT_FOUND";

    let elsewhere = v1::CreateTranscriptionRequest {
        audio_url: "https://169.254.169.254/latest".to_owned(),
    };
    let result = old.create_transcription(elsewhere).await;
    invalid(result, "AUDIO_URI_REFUSED", "audio_url");
    let result = old.get_transcription(text(&id())).await;
    refused(result, Code::NotFound, not_found);
    invalid(
        old.get_transcription(text("1")).await,
        "INVALID_REQUEST",
        "id",
    );
    let result = old.get_transcription_status(status(&id())).await;
    refused(result, Code::NotFound, not_found);

    let nothing = v2::CreateTranscriptionRequest::default();
    let result = new.create_transcription(nothing).await;
    invalid(result, "INVALID_REQUEST", "source");
    let result = new
        .create_transcription(bytes(Vec::new(), String::new()))
        .await;
    invalid(result, "AUDIO_EMPTY", "audio");
    let letter = v2::UploadTranscriptionRequest {
        request_id: String::new(),
        audio: b"Dear diary, this is no recording.".repeat(9),
    };
    let result = new.upload_transcription(tokio_stream::iter([letter])).await;
    invalid(result, "AUDIO_UNSUPPORTED", "audio");

    let request_id = id();
    let queued = new
        .create_transcription(bytes(tone(), request_id.clone()))
        .await;
    let queued = queued.unwrap().into_inner().transcription.unwrap().id;
    let mut other = tone();
    other.extend(tone().split_off(44));
    let declared = u32::try_from(other.len() - 44).unwrap();
    other[4..8].copy_from_slice(&(declared + 36).to_le_bytes());
    other[40..44].copy_from_slice(&declared.to_le_bytes());
    let result = new.create_transcription(bytes(other, request_id)).await;
    refused(result, Code::AlreadyExists, "REQUEST_ID_REUSED");
    let result = old.get_transcription(text(&queued)).await;
    refused(
        result,
        Code::FailedPrecondition,
        "TRANSCRIPTION_NOT_FINISHED",
    );
    world.speak();
    ended(&mut new, &queued).await;
    let result = new.cancel_transcription(cancel(&queued)).await;
    refused(result, Code::FailedPrecondition, "TRANSCRIPTION_FINISHED");

    let get = v2::GetTranscriptionRequest {
        transcription_id: id(),
    };
    refused(new.get_transcription(get).await, Code::NotFound, not_found);
    let watch = v2::WatchTranscriptionRequest {
        transcription_id: id(),
    };
    refused(
        new.watch_transcription(watch).await,
        Code::NotFound,
        not_found,
    );
    let page = v2::ListTranscriptionsRequest {
        page_token: "elsewhere".to_owned(),
        ..v2::ListTranscriptionsRequest::default()
    };
    let result = new.list_transcriptions(page).await;
    invalid(result, "PAGE_TOKEN_INVALID", "page_token");
    let mut nobody = Speech2::new(world.nobody("transcription").await);
    let result = nobody.cancel_transcription(cancel(&queued)).await;
    refused(result, Code::Unauthenticated, "TOKEN_MISSING");
}

fn bytes(audio: Vec<u8>, request_id: String) -> v2::CreateTranscriptionRequest {
    v2::CreateTranscriptionRequest {
        source: Some(Source::Audio(audio)),
        request_id,
    }
}

fn cancel(id: &str) -> v2::CancelTranscriptionRequest {
    v2::CancelTranscriptionRequest {
        transcription_id: id.to_owned(),
    }
}

fn status(id: &str) -> v1::GetTranscriptionStatusRequest {
    v1::GetTranscriptionStatusRequest {
        job_id: id.to_owned(),
    }
}

fn text(id: &str) -> v1::GetTranscriptionRequest {
    v1::GetTranscriptionRequest { id: id.to_owned() }
}

async fn get(client: &mut Speech2, id: &str) -> v2::Transcription {
    let request = v2::GetTranscriptionRequest {
        transcription_id: id.to_owned(),
    };
    let answer = client.get_transcription(request).await.unwrap();
    answer.into_inner().transcription.unwrap()
}

/// Watches to the end.
async fn ended(client: &mut Speech2, id: &str) -> v2::Transcription {
    let request = v2::WatchTranscriptionRequest {
        transcription_id: id.to_owned(),
    };
    let mut watch = client
        .watch_transcription(request)
        .await
        .unwrap()
        .into_inner();
    let mut last = None;
    while let Some(message) = watch.message().await.unwrap() {
        last = message.transcription;
    }
    last.unwrap()
}
