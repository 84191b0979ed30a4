//! What a call carries along, and what happens when nobody wants it any more.

use greeter::v1::trouble_service_client::TroubleServiceClient;
use greeter::v1::{Hop, RelayRequest, RelayResponse, SendPictureRequest, TroubleRequest};
use scribemed_rpc::{CallContext, ClientContract as _, RequestId};
use tonic::Code;
use uuid::Uuid;

use crate::peer::{self, Script};
use crate::raw::frame;
use crate::support::{CONTRACTS, Running, reason, soon, start, start_with, target};
use crate::trouble::Event;

const RELAY: &str = "/greeter.v1.TroubleService/Relay";
const ID: &str = "0198c0de-0000-7000-8000-00000000abcd";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A server that relays to another.
async fn two() -> (Running, Running) {
    let last = start().await;
    let grace = std::time::Duration::from_secs(20);
    (start_with(Some(last.channel()), grace).await, last)
}

fn relay(hops: i32) -> RelayRequest {
    RelayRequest {
        hops,
        ..RelayRequest::default()
    }
}

#[tokio::test]
async fn a_request_id_is_made_carried_and_echoed() {
    let server = start().await;
    let mut raw = server.raw().await;
    for (sent, kept) in [
        (Some(ID), true),
        (None, false),
        (Some("patient Jane Doe"), false),
        (Some(""), false),
    ] {
        let headers: Vec<_> = sent.map(|id| ("x-request-id", id)).into_iter().collect();
        let answer = raw.unary(RELAY, &headers, &relay(0)).await;
        let echoed = answer.head["x-request-id"].to_str().unwrap();
        assert_eq!(Some(echoed) == sent, kept, "{sent:?}");
        assert!(Uuid::try_parse(echoed).is_ok(), "{echoed}");
        let seen = answer.message::<RelayResponse>().hops.remove(0);
        assert_eq!(seen.request_id, echoed);
    }
}

#[tokio::test]
async fn an_error_carries_the_request_id_too() {
    let server = start().await;
    let mut raw = server.raw().await;
    for path in ["/greeter.v1.TroubleService/Hang", "/nowhere/Nothing"] {
        let answer = raw
            .unary(path, &[("x-request-id", ID)], &TroubleRequest {})
            .await;
        assert_ne!(answer.status().code(), Code::Ok);
        assert_eq!(answer.head["x-request-id"], ID);
    }
}

#[tokio::test]
async fn a_trace_goes_on_with_a_new_span() {
    let server = start().await;
    let mut raw = server.raw().await;
    let answer = raw
        .unary(RELAY, &[("traceparent", PARENT)], &relay(0))
        .await;
    let seen = answer.message::<RelayResponse>().hops.remove(0).traceparent;
    assert!(
        seen.contains(TRACE) && !seen.contains("00f067aa0ba902b7"),
        "{seen}"
    );
    let answer = raw
        .unary(RELAY, &[("traceparent", "rubbish")], &relay(0))
        .await;
    let begun = answer.message::<RelayResponse>().hops.remove(0).traceparent;
    assert!(
        !begun.contains(TRACE) && begun.len() == seen.len(),
        "{begun}"
    );
}

#[tokio::test]
async fn an_outgoing_call_carries_deadline_request_id_and_trace() {
    for spawned in [false, true] {
        let (first, _last) = two().await;
        let request = RelayRequest {
            spawned,
            ..relay(1)
        };
        let headers = [
            ("x-request-id", ID),
            ("traceparent", PARENT),
            ("grpc-timeout", "5S"),
        ];
        let answer = first.raw().await.unary(RELAY, &headers, &request).await;
        let hops = answer.message::<RelayResponse>().hops;
        let [near, far]: [Hop; 2] = hops.try_into().unwrap();
        assert_eq!(
            (near.request_id.as_str(), far.request_id.as_str()),
            (ID, ID)
        );
        assert!(near.traceparent.contains(TRACE) && far.traceparent.contains(TRACE));
        assert_ne!(near.traceparent, far.traceparent);
        assert!(near.remaining_micros <= 5_000_000);
        // Some of it is kept back to answer in, and the way took some.
        assert!(0 < far.remaining_micros, "{far:?}");
        assert!(
            far.remaining_micros <= near.remaining_micros - 5_000,
            "{near:?} {far:?}"
        );
    }
}

#[tokio::test]
async fn the_context_of_a_job_is_carried_as_well() {
    let server = start().await;
    let id = RequestId::generate();
    let mut trouble = server.trouble();
    let call = CallContext::resumed(id).scope(async move { trouble.relay(relay(0)).await });
    let seen = call.await.unwrap().into_inner().hops.remove(0);
    assert_eq!(seen.request_id, id.to_string());
}

#[tokio::test]
async fn a_caller_that_goes_away_ends_the_calls_made_for_it() {
    for spawned in [false, true] {
        let (mut first, mut last) = two().await;
        let mut raw = first.raw().await;
        let mut begun = raw.begin(RELAY, &[]).await;
        let request = RelayRequest {
            hang: true,
            spawned,
            ..relay(1)
        };
        begun.body.send_data(frame(&request), true).unwrap();
        assert_eq!(first.event().await, Event::Entered("Relay"));
        assert_eq!(last.event().await, Event::Entered("Relay: last"));
        begun.body.send_reset(h2::Reason::CANCEL);
        assert_eq!(first.event().await, Event::Dropped("Relay"));
        assert_eq!(last.event().await, Event::Dropped("Relay: last"));
    }
}

#[tokio::test]
async fn a_dropped_call_ends_at_the_server() {
    let mut server = start().await;
    let mut trouble = server.trouble();
    let call = tokio::spawn(async move { trouble.hang_long(TroubleRequest {}).await });
    assert_eq!(server.event().await, Event::Entered("HangLong"));
    call.abort();
    assert_eq!(server.event().await, Event::Dropped("HangLong"));
}

/// Half an upload must not be taken for the whole.
#[tokio::test]
async fn an_upload_that_breaks_off_does_not_look_complete() {
    for reset in [Some(h2::Reason::CANCEL), Some(h2::Reason::NO_ERROR), None] {
        let mut server = start().await;
        let mut raw = server.raw().await;
        let mut begun = raw.begin("/greeter.v1.TroubleService/Collect", &[]).await;
        begun
            .body
            .send_data(frame(&SendPictureRequest::default()), false)
            .unwrap();
        assert_eq!(server.event().await, Event::Entered("Collect"));
        assert_eq!(server.event().await, Event::Entered("Collect: a picture"));
        if let Some(reason) = reset {
            begun.body.send_reset(reason);
        } else {
            drop((begun, raw));
        }
        assert_eq!(server.event().await, Event::Dropped("Collect"), "{reset:?}");
    }
}

#[tokio::test]
async fn a_call_is_over_with_the_call_that_made_it() {
    let peer = peer::start(Script::Silence).await;
    let channel = scribemed_client::Channel::new(&target(peer.address), &CONTRACTS, None).unwrap();
    let context = CallContext::background();
    let over = context.cancelled().clone();
    let mut trouble = TroubleServiceClient::over(channel);
    let call = context.scope(async move { trouble.hang_long(TroubleRequest {}).await });
    let call = tokio::spawn(call);
    over.cancel();
    let status = soon(call).await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Cancelled);
    assert_eq!(reason(&status), "CANCELLED");
}
