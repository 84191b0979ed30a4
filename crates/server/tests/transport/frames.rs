//! How answers are put into frames and writes.

use http::StatusCode;

use crate::support::{CHECK, SERVING, WHOLE, receive, send, start};

const DATA: u8 = 0;
const HEADERS: u8 = 1;

#[tokio::test]
async fn an_answer_is_one_write() {
    let server = start();
    let (mut requests, writes) = server.http2().await;
    writes.clear();
    let response = send(&mut requests, CHECK, &[], WHOLE).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(receive(response).await, (SERVING, "0".to_owned()));
    let answers: Vec<_> = writes
        .frames()
        .into_iter()
        .filter(|frames| frames.contains(&HEADERS))
        .map(|frames| {
            frames
                .into_iter()
                .filter(|kind| matches!(*kind, DATA | HEADERS))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(answers, [[HEADERS, DATA, HEADERS]]);
}

/// By a paused clock: on a busy machine the calls could take longer than a connection's task gives them in one turn.
#[tokio::test(start_paused = true)]
async fn answers_to_calls_that_come_together_leave_together() {
    let server = start();
    let (mut requests, writes) = server.http2().await;
    writes.clear();
    let responses: Vec<_> = (0..32)
        .map(|_| send(&mut requests, CHECK, &[], WHOLE))
        .collect();
    for response in responses {
        assert_eq!(receive(response.await.unwrap()).await.0, SERVING);
    }
    let answers = writes
        .frames()
        .into_iter()
        .filter(|frames| frames.contains(&HEADERS));
    // They may have come in a few reads, but not each in one of its own.
    assert!(answers.count() <= 4, "{:?}", writes.frames());
}

#[tokio::test]
async fn an_error_is_its_head_alone() {
    let server = start();
    let (mut requests, _writes) = server.http2().await;
    let id = "0198c0de-0000-7000-8000-000000000001";
    let headers = [("x-request-id", id)];
    let response = send(&mut requests, "/no.Service/Method", &headers, WHOLE)
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["grpc-status"], "12");
    assert_eq!(response.headers()["x-request-id"], id);
    assert!(response.body().is_end_stream());
}

#[tokio::test]
async fn what_is_not_grpc_is_told_so() {
    let server = start();
    let (mut requests, _writes) = server.http2().await;
    let request = http::Request::get("http://server/").body(()).unwrap();
    let (response, _) = requests.send_request(request, true).unwrap();
    let response = response.await.unwrap();
    assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(response.body().is_end_stream());
}

#[tokio::test]
async fn a_header_block_above_the_limit_is_431() {
    let server = start();
    let (mut requests, _writes) = server.http2().await;
    for (size, status) in [
        (15 * 1024, StatusCode::OK),
        (17 * 1024, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
    ] {
        let long = "x".repeat(size);
        let response = send(&mut requests, CHECK, &[("long", &long)], WHOLE).await;
        assert_eq!(response.unwrap().status(), status, "{size}");
    }
}
