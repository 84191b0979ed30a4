//! Deadlines: over the whole call, on both sides, each without the other.

use greeter::v1::trouble_service_client::TroubleServiceClient;
use greeter::v1::{TroubleRequest, TroubleResponse};
use prost::Message as _;
use scribemed_client::Channel;
use scribemed_rpc::ClientContract as _;
use tonic::{Code, Request, Status};

use crate::peer::{self, Script};
use crate::raw::frame;
use crate::support::{CONTRACTS, info, reason, soon, start, target};
use crate::trouble::Event;

fn is_deadline_exceeded(status: &Status) {
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    assert_eq!(reason(status), "DEADLINE_EXCEEDED");
}

/// The server alone: the caller sends no `grpc-timeout`.
#[tokio::test]
async fn the_server_ends_a_call_and_drops_its_handler() {
    for method in ["Hang", "HangMidway", "Chatter"] {
        let mut server = start().await;
        let path = format!("/greeter.v1.TroubleService/{method}");
        let answer = server
            .raw()
            .await
            .unary(&path, &[], &TroubleRequest {})
            .await;
        is_deadline_exceeded(&answer.status());
        assert_eq!(answer.trailers.is_none(), method == "Hang");
        assert_eq!(
            answer.body.is_empty(),
            method == "Hang",
            "what came before the end arrives"
        );
        assert_eq!(server.event().await, Event::Entered(method));
        assert_eq!(server.event().await, Event::Dropped(method));
    }
}

#[tokio::test]
async fn the_server_takes_the_shorter_timeout() {
    let mut server = start().await;
    let mut raw = server.raw().await;
    let path = "/greeter.v1.TroubleService/HangLong";
    let answer = raw
        .unary(path, &[("grpc-timeout", "50m")], &TroubleRequest {})
        .await;
    is_deadline_exceeded(&answer.status());
    assert_eq!(server.event().await, Event::Entered("HangLong"));
    assert_eq!(server.event().await, Event::Dropped("HangLong"));
    // The contract's 150 ms are shorter than an hour.
    let path = "/greeter.v1.TroubleService/Hang";
    let answer = raw
        .unary(path, &[("grpc-timeout", "1H")], &TroubleRequest {})
        .await;
    is_deadline_exceeded(&answer.status());
}

#[tokio::test]
async fn a_call_that_comes_too_late_is_not_begun() {
    let mut server = start().await;
    let path = "/greeter.v1.TroubleService/Fail";
    let mut raw = server.raw().await;
    let answer = raw
        .unary(path, &[("grpc-timeout", "0n")], &TroubleRequest {})
        .await;
    is_deadline_exceeded(&answer.status());
    assert!(server.events.try_recv().is_err());
}

#[tokio::test]
async fn a_malformed_timeout_is_refused_beside_a_good_one() {
    let mut server = start().await;
    let mut raw = server.raw().await;
    for timeout in ["5s", "123456789S", "", "-1S", "S"] {
        let path = "/greeter.v1.TroubleService/HangLong";
        let answer = raw
            .unary(path, &[("grpc-timeout", timeout)], &TroubleRequest {})
            .await;
        let status = answer.status();
        assert_eq!(status.code(), Code::InvalidArgument, "{timeout}");
        assert_eq!(reason(&status), "MALFORMED_TIMEOUT");
        assert!(
            status.message().contains("5S is five seconds"),
            "{status:?}"
        );
    }
    assert!(server.events.try_recv().is_err(), "no handler was called");
}

/// The client alone: the peer knows no deadline.
#[tokio::test]
async fn the_client_ends_a_call_that_is_never_answered() {
    let mut peer = peer::start(Script::Silence).await;
    let channel = Channel::new(&target(peer.address), &CONTRACTS, None).unwrap();
    let mut trouble = TroubleServiceClient::over(channel);
    let status = soon(trouble.hang(TroubleRequest {})).await.unwrap_err();
    is_deadline_exceeded(&status);
    assert_eq!(info(&status).metadata["service"], "greeter");
    assert!(
        status.message().contains(&peer.address.to_string()),
        "{status:?}"
    );
    assert!(
        peer.heads
            .recv()
            .await
            .unwrap()
            .contains_key("grpc-timeout")
    );

    let mut request = Request::new(TroubleRequest {});
    request.set_timeout(std::time::Duration::from_millis(50));
    is_deadline_exceeded(&soon(trouble.hang_long(request)).await.unwrap_err());
}

#[tokio::test]
async fn the_client_ends_a_stream_that_never_ends() {
    let answer = frame(&TroubleResponse {
        id: "0198c0de-0000-7000-8000-000000000001".to_owned(),
    });
    let many = answer.repeat(300).into();
    for script in [Script::Once(answer.clone()), Script::Endless(many)] {
        let peer = peer::start(script).await;
        let channel = Channel::new(&target(peer.address), &CONTRACTS, None).unwrap();
        let mut trouble = TroubleServiceClient::over(channel);
        let mut answers = trouble
            .hang_midway(TroubleRequest {})
            .await
            .unwrap()
            .into_inner();
        assert!(answers.message().await.unwrap().unwrap().encoded_len() > 0);
        let ended = soon(async {
            loop {
                if let Err(status) = answers.message().await {
                    return status;
                }
            }
        });
        is_deadline_exceeded(&ended.await);
    }
}

/// The answer waits for the caller's window, not for its handler.
#[tokio::test]
async fn a_caller_that_takes_nothing_holds_no_handler_beyond_the_deadline() {
    let mut server = start().await;
    let path = "/greeter.v1.TroubleService/Chatter";
    let mut begun = server.raw().await.begin(path, &[]).await;
    begun
        .body
        .send_data(frame(&TroubleRequest {}), true)
        .unwrap();
    assert_eq!(server.event().await, Event::Entered("Chatter"));
    assert_eq!(server.event().await, Event::Dropped("Chatter"));
    // Until now the call was open, and nothing was taken of its answer.
    drop(begun);
}
