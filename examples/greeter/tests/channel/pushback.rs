//! What the server says about sending again (gRFC A6, Pushback).

use std::time::Duration;

use tonic::Code;

use crate::answer::Answer;
use crate::net::Net;
use crate::support::{client, client_with, contract_of, error, ms, request, soon};

const PUSHBACK: &str = "grpc-retry-pushback-ms";

fn push(values: &[&str]) -> Answer {
    let values = values.iter().map(|value| (PUSHBACK, (*value).to_owned()));
    Answer::FailWith(Code::Unavailable, values.collect())
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_kept_exactly() {
    for millis in [0, 1, 100, 2_000] {
        let (net, [peer]) = Net::of();
        peer.next([push(&[&millis.to_string()])]);
        client(&net).flaky(request("a")).await.unwrap();
        let calls = peer.calls();
        assert_eq!(calls.len(), 2);
        assert_eq!(calls[1].at - calls[0].at, ms(millis));
    }
}

#[tokio::test(start_paused = true)]
async fn anything_else_forbids_another_attempt() {
    for values in [
        &["-1"][..],
        &["-2147483648"],
        &["soon"],
        &[""],
        &["1.5"],
        &["2147483648"],
        &["1", "1"],
        &["1", "-1"],
    ] {
        let (net, [peer]) = Net::of();
        peer.next([push(values)]);
        let status = error(client(&net).flaky(request("a")).await);
        assert_eq!((status.code(), peer.count()), (Code::Unavailable, 1), "{values:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn backoff_begins_anew_after_it() {
    let longer = contract_of("Flaky", |method| {
        if let scribemed_rpc::policy::Reattempt::Retry(retry) = &mut method.reattempt {
            retry.max_attempts = 5;
        }
    });
    let (net, [peer]) = Net::of();
    let fail = Answer::Fail(Code::Unavailable);
    peer.next([fail.clone(), fail.clone(), push(&["500"]), fail]);
    client_with(&net, longer, |_| {}).flaky(request("a")).await.unwrap();
    let calls = peer.calls();
    let waits: Vec<Duration> = calls.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    assert_eq!(waits.len(), 4);
    assert!((ms(12)..=ms(25)).contains(&waits[1]), "{waits:?}");
    assert_eq!(waits[2], ms(500));
    assert!((ms(8)..=ms(13)).contains(&waits[3]), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_the_deadline_ends_the_call_at_once() {
    let (net, [peer]) = Net::of();
    peer.next([push(&["60000"])]);
    let begun = tokio::time::Instant::now();
    let status = error(client(&net).flaky(request("a")).await);
    assert_eq!((status.code(), peer.count()), (Code::Unavailable, 1));
    assert!(begun.elapsed() < ms(100));
}

/// It is read from the trailers of a stream as well, where it changes nothing: the call is committed.
#[tokio::test(start_paused = true)]
async fn it_does_not_undo_the_commitment() {
    let (net, [peer]) = Net::of();
    peer.next([Answer::Trailers(PUSHBACK, "0")]);
    let status = error(client(&net).flaky(request("a")).await);
    assert_eq!((status.code(), peer.count()), (Code::Unavailable, 1));
}
