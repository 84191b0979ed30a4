//! What a caller is told when the service that it calls is failed by another one.

use std::time::Duration;

use greeter::v1::trouble_service_client::TroubleServiceClient;
use greeter::v1::{FailRequest, TroubleRequest, TroubleResponse};
use http::HeaderMap;
use scribemed_client::Channel;
use scribemed_rpc::{CallContext, ClientContract as _, Fault};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::peer::{self, Script};
use crate::raw::frame;
use crate::support::{CONTRACTS, Running, info, soon, start_with, target};

/// What the last service says, with words in every place where there can be some.
fn said(code: Code) -> HeaderMap {
    let status = Fault::new(code, "ADA", "greeter.scribemed", "Ada fell ill")
        .metadata("guest", "Ada")
        .field("ada", "Ada")
        .precondition("ADA", "Ada", "Ada")
        .into_status();
    let mut headers = HeaderMap::new();
    status.add_header(&mut headers).unwrap();
    headers.insert("x-guest", "Ada".parse().unwrap());
    headers.insert("x-call-service", "ada".parse().unwrap());
    headers.insert("grpc-retry-pushback-ms", "7".parse().unwrap());
    headers
}

fn answer(id: &str) -> bytes::Bytes {
    frame(&TroubleResponse { id: id.to_owned() })
}

const ID: &str = "0198c0de-0000-7000-8000-000000000001";

/// A server between the caller and `script`.
async fn between(script: Script) -> Running {
    let last = peer::start(script).await;
    let next = Channel::new(&target(last.address), &CONTRACTS, None).unwrap();
    start_with(Some(next), Duration::from_secs(20)).await
}

/// Checks that a caller learns who failed, and nothing else.
fn check(status: &Status, code: Code) {
    assert_eq!(status.code(), code, "{status:?}");
    let request = status.get_error_details().request_info().unwrap().clone();
    assert_eq!(
        status.message(),
        format!(
            "greeter, which this service calls, failed; the log tells more under the request id {}",
            request.request_id
        )
    );
    let info = info(status);
    assert_eq!(info.reason, "UPSTREAM_FAILED");
    assert_eq!(info.domain, "greeter.scribemed");
    assert_eq!(info.metadata["service"], "greeter");
    let details = String::from_utf8_lossy(status.details());
    assert!(!details.to_lowercase().contains("ada"), "{details}");
}

/// As it came over the wire, past the channel of the caller.
async fn on_the_wire(server: &Running, method: &str) -> HeaderMap {
    let path = format!("/greeter.v1.TroubleService/{method}");
    let answer = server
        .raw()
        .await
        .unary(&path, &[], &FailRequest::default())
        .await;
    answer.trailers.unwrap_or(answer.head)
}

#[tokio::test]
async fn it_learns_who_failed_and_nothing_that_was_said() {
    for (said_code, code) in [
        (Code::NotFound, Code::Internal),
        (Code::PermissionDenied, Code::Internal),
        (Code::ResourceExhausted, Code::Unavailable),
        (Code::Unavailable, Code::Unavailable),
        (Code::DeadlineExceeded, Code::DeadlineExceeded),
    ] {
        let server = between(Script::Fail(said(said_code))).await;
        let trailers = on_the_wire(&server, "Fail").await;
        check(&Status::from_header_map(&trailers).unwrap(), code);
        for key in trailers.keys() {
            let key = key.as_str();
            assert!(
                !key.starts_with("x-call-") && key != "x-guest" && !key.contains("pushback"),
                "{trailers:?}"
            );
        }
    }
}

#[tokio::test]
async fn it_learns_as_little_in_the_middle_of_a_stream() {
    let script = Script::FailMidway(answer(ID), said(Code::NotFound));
    let server = between(script).await;
    let mut answers = server
        .trouble()
        .fail_midway(FailRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert!(answers.message().await.unwrap().is_some());
    let status = soon(answers.message()).await.unwrap_err();
    check(&status, Code::Internal);

    let trailers = on_the_wire(&server, "FailMidway").await;
    check(&Status::from_header_map(&trailers).unwrap(), Code::Internal);
    assert!(!trailers.contains_key("x-guest"), "{trailers:?}");
}

#[tokio::test]
async fn what_breaks_off_or_breaks_the_contract_is_no_fault_of_the_service_between() {
    let server = between(Script::Reset(h2::Reason::INTERNAL_ERROR)).await;
    let status = server
        .trouble()
        .fail(FailRequest::default())
        .await
        .unwrap_err();
    check(&status, Code::Internal);

    // The codec sees it, and the codec does not know who answered.
    let mut ok = HeaderMap::new();
    ok.insert("grpc-status", "0".parse().unwrap());
    for message in [
        answer("no id"),
        bytes::Bytes::from_static(&[0, 0, 0, 0, 1, 0xff]),
    ] {
        let server = between(Script::FailMidway(message, ok.clone())).await;
        let status = server
            .trouble()
            .fail(FailRequest::default())
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::Internal);
        assert_eq!(info(&status).reason, "UPSTREAM_FAILED");
        assert!(
            status
                .message()
                .starts_with("a service that this one calls failed"),
            "{status:?}"
        );
    }
}

#[tokio::test]
async fn a_service_that_cannot_be_reached_is_not_told_where_it_was_looked_for() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let next = Channel::new(&target(address), &CONTRACTS, None).unwrap();
    let server = start_with(Some(next), Duration::from_secs(20)).await;
    let trailers = on_the_wire(&server, "Fail").await;
    let status = Status::from_header_map(&trailers).unwrap();
    check(&status, Code::Unavailable);
    assert!(!format!("{status:?}").contains(&address.to_string()));
}

#[tokio::test]
async fn every_error_carries_the_id_of_its_request() {
    let server = crate::support::start().await;
    let context = CallContext::background();
    let id = context.request_id().to_string();
    let mut trouble = server.trouble();
    let mut guarded = TroubleServiceClient::over(server.channel_with(&[]));
    let mut raw = server.raw().await;
    let headers = [("x-request-id", id.as_str())];
    let invalid = raw.unary(
        "/greeter.v1.TroubleService/Fail",
        &headers,
        &FailRequest { way: 99 },
    );
    let invalid = invalid.await.status();
    let errors = context
        .scope(async move {
            let fail = |way: i32| FailRequest { way };
            [
                trouble.fail(fail(1)).await.unwrap_err(),
                trouble.fail(fail(2)).await.unwrap_err(),
                trouble.fail(fail(4)).await.unwrap_err(),
                invalid,
                trouble.hang(TroubleRequest {}).await.unwrap_err(),
                guarded.guarded(TroubleRequest {}).await.unwrap_err(),
            ]
        })
        .await;
    let codes = errors.each_ref().map(Status::code);
    assert_eq!(
        codes,
        [
            Code::Internal,
            Code::NotFound,
            Code::Internal,
            Code::InvalidArgument,
            Code::DeadlineExceeded,
            Code::PermissionDenied
        ]
    );
    for status in errors {
        // The deadline of the caller may be the first to pass: that error never came over the wire.
        if status.code() != Code::DeadlineExceeded {
            let details = status.get_error_details();
            assert_eq!(details.request_info().unwrap().request_id, id, "{status:?}");
        }
    }
}
