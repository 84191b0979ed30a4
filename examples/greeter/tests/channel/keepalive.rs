//! A peer that is there no more, and has not said so.

use tokio::time::Instant;
use tonic::Code;

use crate::answer::Answer;
use crate::net::Net;
use crate::peer::{Command, Peer};
use crate::support::{
    CONTRACT, channel_with, client_with, contract_of, error, id, ms, over, ready, report, request,
    soon,
};

/// A channel to two peers, and one of them, which hangs.
async fn one_of_two_hangs() -> (scribemed_client::Channel, [Peer; 2]) {
    let (net, peers) = Net::of::<2>();
    let channel = channel_with(&net, CONTRACT, |_| {});
    ready(&channel, 2).await;
    for _ in 0..10 {
        over(&channel).flaky_once(request("a")).await.unwrap();
    }
    peers[0].command(Command::Freeze);
    (channel, peers)
}

#[tokio::test(start_paused = true)]
async fn calls_that_can_be_repeated_are_routed_around_a_black_hole() {
    let (channel, _peers) = one_of_two_hangs().await;
    let begun = Instant::now();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let mut client = over(&channel);
            tokio::spawn(async move { client.flaky(request("b")).await })
        })
        .collect();
    for call in calls {
        soon(call).await.unwrap().unwrap();
    }
    assert!(begun.elapsed() < ms(1_100), "{:?}", begun.elapsed());
    // From now on nobody is sent there.
    let begun = Instant::now();
    for _ in 0..20 {
        over(&channel).flaky_once(request("c")).await.unwrap();
    }
    assert!(begun.elapsed() < ms(10), "{:?}", begun.elapsed());
}

/// A server that finds itself pinged too much is pinged half as often from then on (gRFC A8), so that a silence there is noticed
/// later.
#[tokio::test(start_paused = true)]
async fn a_peer_that_wants_fewer_pings_gets_fewer() {
    let (net, peers) = Net::of::<2>();
    let channel = channel_with(&net, CONTRACT, |_| {});
    ready(&channel, 2).await;
    peers[0].command(Command::Calm);
    peers[0].until(|log| log.dials.len() == 2).await;
    ready(&channel, 2).await;
    peers[0].command(Command::Freeze);
    let begun = Instant::now();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let mut client = over(&channel);
            tokio::spawn(async move { client.flaky(request("b")).await })
        })
        .collect();
    for call in calls {
        soon(call).await.unwrap().unwrap();
    }
    let took = begun.elapsed();
    assert!(took > ms(1_100) && took < ms(1_400), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn the_connection_is_replaced_and_then_closed() {
    let (channel, peers) = one_of_two_hangs().await;
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let mut client = over(&channel);
            tokio::spawn(async move { client.flaky(request("b")).await })
        })
        .collect();
    peers[0].until(|log| log.dials.len() == 2).await;
    for call in calls {
        soon(call).await.unwrap().unwrap();
    }
    ready(&channel, 2).await;
}

/// What cannot be sent again is not given up while the peer may still answer, and not waited for longer.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_repeated_ends_when_the_connection_does() {
    let slow = contract_of("FlakyOnce", |method| method.timeout = ms(60_000));
    let (net, [peer]) = Net::of();
    let mut client = client_with(&net, slow, |_| {});
    client.flaky_once(request("a")).await.unwrap();
    peer.command(Command::Freeze);
    let begun = Instant::now();
    let status = error(client.flaky_once(request("b")).await);
    assert_eq!(status.code(), Code::Unavailable);
    assert!(
        (ms(5_000)..ms(5_500)).contains(&begun.elapsed()),
        "{:?}",
        begun.elapsed()
    );
    assert!(report(&status).may_have_been_sent());
    assert!(client.flaky_once(request("c")).await.is_ok());
}

/// A slow handler is not a dead peer.
#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_waited_for() {
    let slow = contract_of("FlakyOnce", |method| method.timeout = ms(600_000));
    let (net, peers) = Net::of::<2>();
    let channel = channel_with(&net, slow, |_| {});
    ready(&channel, 2).await;
    for peer in &peers {
        peer.always(Answer::after(ms(500_000), Answer::Echo));
    }
    assert_eq!(
        id(over(&channel).flaky_once(request("a")).await.unwrap()),
        "a"
    );
    assert_eq!(peers[0].count() + peers[1].count(), 1);
    assert_eq!(peers[0].log().dials.len() + peers[1].log().dials.len(), 2);
}

/// An idle connection that is dead is found before a call finds it.
#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_looked_after() {
    let (net, [peer]) = Net::of();
    let channel = channel_with(&net, CONTRACT, |_| {});
    over(&channel).flaky_once(request("a")).await.unwrap();
    peer.command(Command::Freeze);
    peer.until(|log| log.dials.len() == 2).await;
    let begun = Instant::now();
    over(&channel).flaky_once(request("b")).await.unwrap();
    assert!(begun.elapsed() < ms(10));
}
