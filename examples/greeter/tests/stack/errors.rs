//! What errors say, wherever they come from.

use greeter::v1::fail_request::Way;
use greeter::v1::trouble_service_client::TroubleServiceClient;
use greeter::v1::{
    FailRequest, GreetAllRequest, SayHelloRequest, SayHelloResponse, TroubleRequest,
    TroubleResponse,
};
use scribemed_client::Channel;
use scribemed_rpc::ClientContract as _;
use scribemed_telemetry::metrics::Metrics;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::peer::{self, Script};
use crate::raw::frame;
use crate::support::{CONTRACTS, info, reason, soon, start, start_as, target};

const HELLO: &str = "/greeter.v1.GreeterService/SayHello";

fn way(way: Way) -> FailRequest {
    FailRequest { way: way.into() }
}

fn check(status: &Status, code: Code, reason: &str, part_of_message: &str) {
    assert_eq!(status.code(), code, "{status:?}");
    assert_eq!(self::reason(status), reason);
    assert!(status.message().contains(part_of_message), "{status:?}");
}

#[tokio::test]
async fn what_does_not_exist_is_said_to_be_unknown() {
    let server = start().await;
    let mut raw = server.raw().await;
    for path in [
        "/greeter.v1.GreeterService/Shout",
        "/greeter.v2.GreeterService/SayHello",
        "/grpc.health.v1.Health/Cure",
        "/greeter.v1.GreeterService/SayHello/",
        "/",
    ] {
        let status = raw
            .unary(path, &[], &SayHelloRequest::default())
            .await
            .status();
        check(&status, Code::Unimplemented, "METHOD_UNKNOWN", "");
    }
    let path = "/greeter.v1.GreeterService/Shout";
    let status = raw
        .unary(path, &[], &SayHelloRequest::default())
        .await
        .status();
    assert_eq!(info(&status).domain, "greeter.scribemed");
    assert!(status.message().contains(path));
}

#[tokio::test]
async fn a_handlers_error_without_details_gets_them() {
    let server = start().await;
    let status = server.trouble().fail(way(Way::Bare)).await.unwrap_err();
    check(&status, Code::NotFound, "UNSPECIFIED", "bare of details");
    assert_eq!(info(&status).domain, "greeter.scribemed");

    let mut answers = server
        .trouble()
        .fail_midway(way(Way::Bare))
        .await
        .unwrap()
        .into_inner();
    assert!(answers.message().await.unwrap().is_some());
    let status = answers.message().await.unwrap_err();
    check(&status, Code::NotFound, "UNSPECIFIED", "bare of details");
}

#[tokio::test]
async fn an_error_that_says_too_much_is_cut() {
    let server = start().await;
    let status = server.trouble().fail(way(Way::Verbose)).await.unwrap_err();
    check(&status, Code::Internal, "UNSPECIFIED", "ää…");
}

#[tokio::test]
async fn a_panic_fails_its_call_and_nothing_else() {
    let server = start().await;
    let mut trouble = server.trouble();
    let status = trouble.fail(way(Way::Panic)).await.unwrap_err();
    check(&status, Code::Internal, "PANICKED", "");
    assert!(
        !status.message().contains("told to"),
        "the panic's words stay in the service"
    );

    let mut answers = trouble
        .fail_midway(way(Way::Panic))
        .await
        .unwrap()
        .into_inner();
    // The answer before the panic may not have left yet.
    let status = loop {
        match answers.message().await {
            Ok(answer) => assert!(answer.is_some(), "the stream ended well"),
            Err(status) => break status,
        }
    };
    check(&status, Code::Internal, "PANICKED", "");

    assert!(trouble.fail(way(Way::Unspecified)).await.is_ok());
}

/// The server and the client say the same, but for who said it.
#[tokio::test]
async fn an_invalid_request_names_field_and_rule() {
    let server = start().await;
    let name = "é".repeat(51);
    let request = SayHelloRequest { name };
    let refused = server.raw().await.unary(HELLO, &[], &request).await;
    let unsent = server.greeter().say_hello(request).await.unwrap_err();
    for (status, message) in [
        (refused.status(), "name: must be at most 50 characters"),
        (unsent, "not sent: name: must be at most 50 characters"),
    ] {
        check(&status, Code::InvalidArgument, "INVALID_REQUEST", message);
        assert!(status.message().starts_with(message), "{status:?}");
        let fields = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(fields.len(), 1);
        assert_eq!(fields[0].field, "name");
        assert_eq!(
            fields[0].description,
            "must be at most 50 characters [string.max_len]"
        );
    }
}

#[tokio::test]
async fn an_invalid_message_within_a_stream_names_field_and_rule() {
    let server = start().await;
    let message = |name: &str| GreetAllRequest {
        name: name.to_owned(),
    };
    let both = [frame(&message("Ada")), frame(&message(""))].concat();
    let mut raw = server.raw().await;
    let path = "/greeter.v1.GreeterService/GreetAll";
    let refused = raw.call(path, &[], both.into()).await.status();
    let names = tokio_stream::iter(["Ada", ""].map(message));
    let unsent = server.greeter().greet_all(names).await.unwrap_err();
    for status in [refused, unsent] {
        check(
            &status,
            Code::InvalidArgument,
            "INVALID_REQUEST",
            "name: must be at least 1 characters",
        );
    }
}

#[tokio::test]
async fn an_invalid_request_costs_no_round_trip() {
    let metrics = Metrics::new();
    let counted = metrics.clone();
    let server = start_as(None, |builder| builder.metrics(counted)).await;
    let mut greeter = server.greeter();
    let hello = |name: &str| SayHelloRequest {
        name: name.to_owned(),
    };
    greeter.say_hello(hello("Ada")).await.unwrap();
    // Far more than a breaker or a throttle would bear of calls that failed.
    for _ in 0..200 {
        let status = greeter.say_hello(hello("")).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
    }
    greeter.say_hello(hello("Grace")).await.unwrap();
    let text = metrics.render();
    let begun =
        "grpc_server_call_started_total{grpc_method=\"greeter.v1.GreeterService/SayHello\"} 2";
    assert!(text.contains(begun), "{text}");
}

#[tokio::test]
async fn a_response_that_breaks_the_contract_is_an_error_of_the_service() {
    let server = start().await;
    let status = server.trouble().fail(way(Way::Invalid)).await.unwrap_err();
    check(
        &status,
        Code::Internal,
        "INVALID_RESPONSE",
        "id: must be a valid UUID",
    );
}

#[tokio::test]
async fn what_is_no_grpc_is_refused_with_415() {
    let server = start().await;
    let mut raw = server.raw().await;
    let path = "/greeter.v1.GreeterService/SayHello";
    let request = SayHelloRequest {
        name: "Ada".to_owned(),
    };
    for (content_type, expect) in [
        ("application/json", 415),
        ("application/grpcx", 415),
        ("application/grpc", 200),
        ("application/grpc+proto", 200),
        ("application/grpc;charset=utf-8", 200),
    ] {
        let answer = raw
            .unary(path, &[("content-type", content_type)], &request)
            .await;
        assert_eq!(answer.http.as_u16(), expect, "{content_type}");
    }
    let hello: SayHelloResponse = raw.unary(path, &[], &request).await.message();
    assert_eq!(hello.text, "Hello, Ada.");
}

#[tokio::test]
async fn a_service_that_is_not_there_is_named() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let channel = Channel::new(&target(address), &CONTRACTS, None).unwrap();
    let mut trouble = TroubleServiceClient::over(channel);
    let status = soon(trouble.fail(way(Way::Unspecified))).await.unwrap_err();
    check(
        &status,
        Code::Unavailable,
        "UNREACHABLE",
        &format!("greeter at http://{address}"),
    );
    let info = info(&status);
    assert_eq!(info.metadata["service"], "greeter");
    assert_eq!(info.metadata["target"], format!("http://{address}"));
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_middle_is_said_to_be_broken() {
    let id = "0198c0de-0000-7000-8000-000000000001".to_owned();
    let peer = peer::start(Script::Once(frame(&TroubleResponse { id }))).await;
    let channel = Channel::new(&target(peer.address), &CONTRACTS, None).unwrap();
    let mut trouble = TroubleServiceClient::over(channel);
    let mut answers = trouble
        .fail_midway(way(Way::Unspecified))
        .await
        .unwrap()
        .into_inner();
    assert!(answers.message().await.unwrap().is_some());
    peer.gone.cancel();
    let status = soon(answers.message()).await.unwrap_err();
    check(
        &status,
        Code::Unavailable,
        "UNREACHABLE",
        "the request may have been carried out",
    );
}

#[tokio::test]
async fn a_stream_that_is_reset_is_an_error_with_details() {
    for (reason, code, name) in [
        (h2::Reason::CANCEL, Code::Cancelled, "CANCELLED"),
        (
            h2::Reason::INTERNAL_ERROR,
            Code::Internal,
            "BROKEN_RESPONSE",
        ),
        (h2::Reason::REFUSED_STREAM, Code::Unavailable, "UNREACHABLE"),
        (
            h2::Reason::ENHANCE_YOUR_CALM,
            Code::ResourceExhausted,
            "OVERLOADED",
        ),
    ] {
        let peer = peer::start(Script::Reset(reason)).await;
        let channel = Channel::new(&target(peer.address), &CONTRACTS, None).unwrap();
        let mut trouble = TroubleServiceClient::over(channel);
        let status = soon(trouble.hang_long(TroubleRequest {}))
            .await
            .unwrap_err();
        check(&status, code, name, "greeter at ");
    }
}
