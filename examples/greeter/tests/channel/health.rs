//! Health-backed rotation (gRFC A17).

use tonic::Code;

use crate::answer::Answer;
use crate::net::Net;
use crate::peer::{Health, Peer};
use crate::support::{CONTRACT, Client, channel_with, client, config, error, id, in_state, ms, over, ready, reason, report, request, soon, until};

async fn calls(client: &Client, count: usize, peer: &Peer) -> usize {
    let before = peer.count();
    for _ in 0..count {
        client.clone().flaky_once(request("a")).await.unwrap();
    }
    peer.count() - before
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_does_not_serve_gets_no_calls() {
    let (net, [one, two]) = Net::of();
    let channel = channel_with(&net, CONTRACT, |_| {});
    let client = over(&channel);
    ready(&channel, 2).await;
    assert!(calls(&client, 20, &one).await > 0);

    one.health(Health::NotServing);
    until(&channel, |status| in_state(status, "not_serving") == 1).await;
    assert_eq!(calls(&client, 20, &one).await, 0);
    let status = channel.status();
    assert_eq!(status.endpoints[0].state, "not_serving");
    let said = status.endpoints[0].last_failure.as_deref().unwrap();
    assert!(said.contains("NOT_SERVING of greeter.v1.ResilienceService"), "{said}");

    one.health(Health::Serving);
    ready(&channel, 2).await;
    // It comes up slowly, and then has its share.
    tokio::time::advance(ms(11_000)).await;
    assert!(calls(&client, 40, &one).await > 5);
    assert!(two.count() > 20);
}

#[tokio::test(start_paused = true)]
async fn where_nobody_serves_the_call_says_so() {
    let (net, peers) = Net::of::<2>();
    for peer in &peers {
        peer.health(Health::NotServing);
    }
    let status = error(client(&net).flaky(request("a")).await);
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "UNREACHABLE"));
    assert!(status.message().contains("none of 2 endpoints is ready"), "{}", status.message());
    assert!(status.message().contains("NOT_SERVING"), "{}", status.message());
    assert!(!report(&status).may_have_been_sent());
    assert_eq!(peers[0].count() + peers[1].count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_service_without_health_counts_as_ready() {
    let (net, [peer]) = Net::of();
    peer.health(Health::Unimplemented);
    let channel = channel_with(&net, CONTRACT, |_| {});
    assert_eq!(calls(&over(&channel), 3, &peer).await, 3);
    assert_eq!(channel.status().endpoints[0].state, "ready");
}

#[tokio::test(start_paused = true)]
async fn health_can_be_left_unwatched() {
    let (net, [peer]) = Net::of();
    peer.health(Health::NotServing);
    let channel = channel_with(&net, CONTRACT, |config| config.health = false);
    assert_eq!(calls(&over(&channel), 3, &peer).await, 3);
}

#[tokio::test(start_paused = true)]
async fn calls_wait_until_the_health_is_known() {
    let (net, [peer]) = Net::of();
    peer.health(Health::Silent);
    let client = client(&net);
    let call = {
        let mut client = client.clone();
        tokio::spawn(async move { client.flaky_once(request("a")).await })
    };
    tokio::time::timeout(ms(1_000), peer.until(|log| !log.calls.is_empty())).await.unwrap_err();
    peer.health(Health::Serving);
    assert_eq!(id(soon(call).await.unwrap().unwrap()), "a");
}

#[tokio::test(start_paused = true)]
async fn a_broken_watch_takes_it_out_and_is_tried_again() {
    let (net, [one, _two, three]) = Net::of();
    let channel = channel_with(&net, CONTRACT, |_| {});
    let client = over(&channel);
    ready(&channel, 3).await;
    one.health(Health::Broken);
    until(&channel, |status| status.endpoints[0].state == "health_unknown").await;
    assert_eq!(calls(&client, 20, &one).await, 0);
    one.health(Health::Serving);
    ready(&channel, 3).await;
    assert!(calls(&client, 60, &three).await > 0);
}

/// Envoy's panic threshold: when the health of most is not known, calls still go to them.
#[tokio::test(start_paused = true)]
async fn where_most_watches_are_broken_calls_go_on() {
    let (net, peers) = Net::of::<3>();
    let channel = channel_with(&net, CONTRACT, |_| {});
    let client = over(&channel);
    ready(&channel, 3).await;
    for peer in &peers {
        peer.health(Health::Broken);
    }
    until(&channel, |status| in_state(status, "health_unknown") == 3).await;
    assert!(calls(&client, 30, &peers[0]).await > 0);
}

/// A server that drains says NOT_SERVING first: what is in flight ends well.
#[tokio::test(start_paused = true)]
async fn calls_in_flight_go_on_when_it_stops_serving() {
    let (net, [peer]) = Net::of();
    let channel = channel_with(&net, CONTRACT, |_| {});
    peer.next([Answer::after(ms(500), Answer::Echo)]);
    let mut client = over(&channel);
    let call = tokio::spawn(async move { client.flaky_once(request("a")).await });
    peer.until(|log| log.calls.len() == 1).await;
    peer.health(Health::NotServing);
    until(&channel, |status| in_state(status, "not_serving") == 1).await;
    assert_eq!(id(soon(call).await.unwrap().unwrap()), "a");
}
