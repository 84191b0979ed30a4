//! The circuit breaker: 5 failures open it for 3 s, 2 successes close it.

use tokio::time::advance;
use tonic::Code;

use crate::answer::Answer;
use crate::net::Net;
use crate::peer::{Health, Peer};
use crate::support::{CONTRACT, Client, channel_with, client, error, id, in_state, ms, over, ready, reason, report, request, until};

const FAIL: Answer = Answer::Fail(Code::Internal);

async fn open() -> (scribemed_client::Channel, Client, Peer) {
    let (net, [peer]) = Net::of();
    let channel = channel_with(&net, CONTRACT, |_| {});
    let mut client = over(&channel);
    peer.next([FAIL, FAIL, FAIL, FAIL]);
    for _ in 0..4 {
        error(client.flaky_once(request("a")).await);
    }
    assert_eq!(channel.status().breaker, "closed");
    peer.next([FAIL]);
    error(client.flaky_once(request("a")).await);
    assert_eq!(channel.status().breaker, "open");
    (channel, client, peer)
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_fails_calls_at_once() {
    let (channel, mut client, peer) = open().await;
    let status = error(client.flaky_once(request("b")).await);
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "CIRCUIT_OPEN"));
    assert!(status.message().contains("lets calls through again in"), "{}", status.message());
    let report = report(&status);
    assert_eq!((report.attempts(), report.may_have_been_sent()), (0, false));
    assert_eq!(peer.count(), 5);
    let left = channel.status().breaker_open_for_seconds;
    assert!((2.9..=3.0).contains(&left), "{left}");
}

#[tokio::test(start_paused = true)]
async fn two_successes_close_it() {
    let (channel, mut client, _peer) = open().await;
    advance(ms(2_900)).await;
    error(client.flaky_once(request("b")).await);
    advance(ms(101)).await;
    assert_eq!(channel.status().breaker, "half_open");
    client.flaky_once(request("c")).await.unwrap();
    assert_eq!(channel.status().breaker, "half_open");
    client.flaky_once(request("d")).await.unwrap();
    assert_eq!(channel.status().breaker, "closed");
}

#[tokio::test(start_paused = true)]
async fn a_failed_probe_opens_it_again() {
    let (channel, mut client, peer) = open().await;
    advance(ms(3_001)).await;
    peer.next([FAIL]);
    error(client.flaky_once(request("b")).await);
    assert_eq!(channel.status().breaker, "open");
    let sent = peer.count();
    assert_eq!(reason(&error(client.flaky_once(request("c")).await)), "CIRCUIT_OPEN");
    assert_eq!(peer.count(), sent);
}

#[tokio::test(start_paused = true)]
async fn a_half_open_one_lets_few_through_at_a_time() {
    let (_channel, mut client, peer) = open().await;
    advance(ms(3_001)).await;
    peer.always(Answer::Never);
    let sent = peer.count();
    let probes: Vec<_> = (0..2)
        .map(|_| {
            let mut client = client.clone();
            tokio::spawn(async move { client.flaky_once(request("b")).await })
        })
        .collect();
    peer.until(|log| log.calls.len() == sent + 2).await;
    assert_eq!(reason(&error(client.flaky_once(request("c")).await)), "CIRCUIT_OPEN");
    // A probe that is given up gives its place back.
    probes[0].abort();
    peer.until(|log| log.calls[sent].reset.is_some() || log.calls[sent + 1].reset.is_some()).await;
    peer.always(Answer::Echo);
    client.flaky_once(request("d")).await.unwrap();
}

/// A patient call waits for it.
#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_ready_waits_for_the_breaker() {
    let (_channel, mut client, _peer) = open().await;
    let begun = tokio::time::Instant::now();
    assert_eq!(id(client.patient(request("b")).await.unwrap()), "b");
    assert!((ms(3_000)..ms(3_010)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_ready_again_opens_the_way_for_probes() {
    let (channel, mut client, peer) = open().await;
    peer.health(Health::NotServing);
    until(&channel, |status| in_state(status, "not_serving") == 1).await;
    peer.health(Health::Serving);
    ready(&channel, 1).await;
    assert_eq!(channel.status().breaker, "half_open");
    client.flaky_once(request("b")).await.unwrap();
}

/// It is judged by the trailers, not by the head.
#[tokio::test(start_paused = true)]
async fn failures_in_trailers_count_and_answers_of_a_healthy_service_do_not() {
    for (answer, opens) in [
        (Answer::HeadThen(Code::Unavailable), true),
        (Answer::Messages(1, Code::Internal), true),
        (Answer::NoTrailers, true),
        (Answer::Fail(Code::NotFound), false),
        (Answer::Fail(Code::PermissionDenied), false),
        (Answer::Fail(Code::ResourceExhausted), false),
        (Answer::Reset(h2::Reason::CANCEL), false),
    ] {
        let (net, [peer]) = Net::of();
        let channel = channel_with(&net, CONTRACT, |_| {});
        peer.always(answer.clone());
        for _ in 0..5 {
            error(over(&channel).flaky_once(request("a")).await);
        }
        let breaker = channel.status().breaker;
        assert_eq!(breaker == "open", opens, "{answer:?}: {breaker}");
    }
}

#[tokio::test(start_paused = true)]
async fn callers_that_go_away_do_not_open_it() {
    let (net, [peer]) = Net::of();
    let channel = channel_with(&net, CONTRACT, |_| {});
    peer.always(Answer::Never);
    for number in 0..10 {
        let mut client = over(&channel);
        let call = tokio::spawn(async move { client.flaky_once(request("a")).await });
        peer.until(|log| log.calls.len() == number + 1).await;
        call.abort();
        peer.until(|log| log.calls[number].reset.is_some()).await;
    }
    assert_eq!(channel.status().breaker, "closed");
    assert_eq!(channel.status().endpoints[0].pending, 0);
}
