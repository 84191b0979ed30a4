//! What is sent again because it provably was not looked at (gRFC A6, Transparent Retries).

use scribemed_rpc::policy::LoadBalancing;
use tonic::Code;

use crate::answer::Answer;
use crate::net::Net;
use crate::peer::{Command, Door};
use crate::raw::Raw;
use crate::support::{CONTRACT, channel_with, client, client_with, config, contract, error, id, ms, over, reason, report, request, soon, until};

const REFUSED: Answer = Answer::Reset(h2::Reason::REFUSED_STREAM);

#[tokio::test(start_paused = true)]
async fn a_refused_stream_is_sent_again_once_and_is_no_attempt() {
    let (net, [peer]) = Net::of();
    let mut client = client(&net);
    peer.next([REFUSED]);
    assert_eq!(id(client.flaky_once(request("a")).await.unwrap()), "a");
    let calls = peer.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[1].previous(), None);
    assert_eq!(calls[1].at, calls[0].at, "at once");

    peer.next([REFUSED, REFUSED]);
    let status = error(client.flaky_once(request("b")).await);
    assert_eq!((status.code(), peer.count()), (Code::Unavailable, 2 + 2));
    // Nobody has looked at it: the caller may send it again.
    let report = report(&status);
    assert!(!report.may_have_been_sent(), "{report}");
    assert_eq!(report.attempts(), 2);
    assert!(report.last_failure().unwrap().contains("REFUSED_STREAM"), "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_after_something_else_does_not_clear_it() {
    let (net, [peer]) = Net::of();
    peer.next([Answer::Fail(Code::Unavailable), REFUSED, REFUSED, REFUSED]);
    let status = error(client(&net).flaky(request("a")).await);
    assert_eq!(status.code(), Code::Unavailable);
    assert!(report(&status).may_have_been_sent());
}

/// A method that is retried gets its retries besides.
#[tokio::test(start_paused = true)]
async fn transparent_retries_are_not_counted_as_attempts() {
    let (net, [peer]) = Net::of();
    let fail = Answer::Fail(Code::Unavailable);
    peer.next([REFUSED, fail.clone(), fail]);
    assert_eq!(id(client(&net).flaky(request("a")).await.unwrap()), "a");
    let previous: Vec<_> = peer.calls().iter().map(|call| call.previous().map(str::to_owned)).collect();
    assert_eq!(previous, [None, None, Some("1".into()), Some("2".into())]);
}

#[tokio::test(start_paused = true)]
async fn other_resets_are_not_sent_again() {
    for (reason, code) in [
        (h2::Reason::CANCEL, Code::Cancelled),
        (h2::Reason::INTERNAL_ERROR, Code::Internal),
        (h2::Reason::NO_ERROR, Code::Internal),
        (h2::Reason::ENHANCE_YOUR_CALM, Code::ResourceExhausted),
        (h2::Reason::INADEQUATE_SECURITY, Code::PermissionDenied),
    ] {
        let (net, [peer]) = Net::of();
        peer.next([Answer::Reset(reason)]);
        let status = error(client(&net).flaky_once(request("a")).await);
        assert_eq!((status.code(), peer.count()), (code, 1), "{reason:?}");
        let report = report(&status);
        assert_eq!(report.attempts(), 1);
        assert!(report.may_have_been_sent());
        let said = format!("{reason:?}");
        assert!(status.message().contains(&said), "{}", status.message());
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_call_that_is_not_idempotent_is_left_alone() {
    for answer in [
        Answer::Fail(Code::Unavailable),
        Answer::HeadThen(Code::Unavailable),
        Answer::Break,
        Answer::FailWith(Code::Unavailable, vec![("grpc-retry-pushback-ms", "0".into())]),
    ] {
        let (net, [peer]) = Net::of();
        peer.next([answer.clone()]);
        let status = error(client(&net).flaky_once(request("a")).await);
        assert_eq!((status.code(), peer.count()), (Code::Unavailable, 1), "{answer:?}");
        assert!(report(&status).may_have_been_sent());
    }
}

/// RFC 9113, section 6.8: a stream above the last one that a GOAWAY names was not taken.
#[tokio::test(start_paused = true)]
async fn a_call_that_a_goaway_leaves_out_is_sent_again_once() {
    let (net, [peer]) = Net::of();
    let channel = channel_with(&net, CONTRACT, |config| config.health = false);
    let mut client = over(&channel);
    peer.door(Door::Raw(Raw::takes_nothing()));
    let call = {
        let mut client = client.clone();
        tokio::spawn(async move { client.flaky_once(request("a")).await })
    };
    peer.until(|log| log.calls.len() == 1).await;
    peer.door(Door::Open);
    assert_eq!(id(soon(call).await.unwrap().unwrap()), "a");
    assert_eq!(peer.count(), 2);
    assert_eq!(peer.calls()[1].previous(), None);

    // Twice is too often.
    peer.door(Door::Raw(Raw::takes_nothing()));
    peer.command(Command::Close);
    until(&channel, |status| status.endpoints[0].connections == 0).await;
    let status = error(client.flaky_once(request("b")).await);
    assert_eq!((status.code(), peer.count()), (Code::Unavailable, 2 + 2));
    assert!(!report(&status).may_have_been_sent());
}

/// It waits for a stream on a connection that breaks: nothing of it has left.
#[tokio::test(start_paused = true)]
async fn what_never_left_is_sent_on_another_connection() {
    let (net, [peer]) = Net::of();
    peer.settings(|settings| {
        settings.max_concurrent_streams(1);
    });
    let client = client_with(&net, CONTRACT, |config| {
        config.connections = 1;
        config.health = false;
    });
    peer.next([Answer::Never]);
    let call = |name: &'static str| {
        let mut client = client.clone();
        tokio::spawn(async move { client.flaky_once(request(name)).await })
    };
    let first = call("first");
    peer.until(|log| log.calls.len() == 1).await;
    let second = call("second");
    tokio::time::timeout(ms(100), peer.until(|log| log.calls.len() > 1))
        .await
        .expect_err("there is room for one");
    peer.command(Command::Close);
    let status = error(soon(first).await.unwrap());
    assert_eq!(status.code(), Code::Unavailable);
    assert!(report(&status).may_have_been_sent());
    assert_eq!(id(soon(second).await.unwrap().unwrap()), "second");
    assert_eq!(peer.count(), 2);
    assert_eq!(peer.calls()[1].messages, ["second"]);
}

/// A request that HTTP/2 cannot carry fails, and does not turn in circles.
#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_sent_is_an_error() {
    let (net, [peer]) = Net::of();
    let mut client = client(&net);
    client.flaky_once(request("a")).await.unwrap();
    for name in ["connection", "transfer-encoding", "upgrade", "keep-alive", "proxy-connection"] {
        let mut wrong = tonic::Request::new(request("b"));
        wrong.metadata_mut().insert(name, "x".parse().unwrap());
        let status = error(soon(client.flaky_once(wrong)).await);
        assert_eq!(status.code(), Code::Internal, "{status:?}");
        assert!(!report(&status).may_have_been_sent());
        assert_eq!(report(&status).attempts(), 0);
    }
    assert_eq!(peer.count(), 1);
    // The endpoint is not to blame.
    client.flaky_once(request("c")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_refused_call_goes_to_another_endpoint() {
    let first = contract(|contract| contract.load_balancing = LoadBalancing::PickFirst);
    let (net, [one, two]) = Net::of();
    let mut client = client_with(&net, first, |_| {});
    // The first in the list, once both are there.
    client.flaky_once(request("a")).await.unwrap();
    tokio::time::timeout(ms(50), one.until(|log| log.calls.len() > 1)).await.unwrap_err();
    one.always(REFUSED);
    assert_eq!(id(client.flaky_once(request("b")).await.unwrap()), "b");
    assert_eq!(two.calls().last().unwrap().messages, ["b"]);
}
