//! Lists.

use scribemed_proto::transcription::v2::{ListTranscriptionsRequest, TranscriptionState as State};
use tonic::Code;

use crate::support::*;

#[tokio::test]
async fn lists_are_paged_newest_first_without_text() {
    let stage = Stage::new();
    stage.step(Step::Say("good morning"));
    let service = stage.start().await;
    let mut client = service.v2();
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(create(&mut client, bytes(tone(100), "")).await.unwrap().id);
    }
    ended(&mut client, &made[0]).await;
    made.reverse();

    let mut seen = Vec::new();
    let mut request = ListTranscriptionsRequest {
        page_size: 2,
        ..ListTranscriptionsRequest::default()
    };
    loop {
        let page = client.list_transcriptions(request.clone()).await.unwrap();
        let page = page.into_inner();
        for transcription in page.transcriptions {
            assert!(transcription.text.is_empty() && transcription.segments.is_empty());
            seen.push(transcription.id);
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(seen, made);

    for (state, token) in [
        (State::Succeeded, request.page_token.clone()),
        (State::Unspecified, "made-up".to_owned()),
    ] {
        let mut other = ListTranscriptionsRequest {
            page_token: token,
            ..ListTranscriptionsRequest::default()
        };
        other.set_state(state);
        let refused = client.list_transcriptions(other).await;
        assert_refused(
            refused,
            Code::InvalidArgument,
            "PAGE_TOKEN_INVALID",
            Some("page_token"),
        );
    }
    let mut done = ListTranscriptionsRequest::default();
    done.set_state(State::Succeeded);
    let page = client.list_transcriptions(done).await.unwrap().into_inner();
    assert_eq!(page.transcriptions.len(), 1);
    assert_eq!(page.transcriptions[0].id, made[2]);
    service.stop().await;
}
