//! Making connections, and what becomes of calls when one goes.

use tokio::time::Instant;
use tonic::Code;

use crate::answer::Answer;
use crate::net::Net;
use crate::peer::{Command, Door};
use crate::support::{
    CONTRACT, NO_BREAKER, channel_with, client, contract, error, id, ms, over, ready, report,
    request, soon,
};

#[tokio::test(start_paused = true)]
async fn a_goaway_lets_calls_finish_and_new_ones_go_elsewhere() {
    let (net, [peer]) = Net::of();
    let channel = channel_with(&net, CONTRACT, |_| {});
    peer.next([Answer::after(ms(2_000), Answer::Echo)]);
    let mut first = over(&channel);
    let old = tokio::spawn(async move { first.flaky_once(request("old")).await });
    peer.until(|log| log.calls.len() == 1).await;
    peer.command(Command::GoAway);
    peer.until(|log| log.dials.len() == 2).await;
    for _ in 0..5 {
        over(&channel).flaky_once(request("new")).await.unwrap();
    }
    assert!(!old.is_finished());
    assert_eq!(id(soon(old).await.unwrap().unwrap()), "old");
    let connections: Vec<_> = peer.calls().iter().map(|call| call.connection).collect();
    assert_eq!(connections, [0, 1, 1, 1, 1, 1]);
    // The old one is closed when it is empty.
    peer.until(|log| log.open == 1).await;
    assert_eq!(channel.status().endpoints[0].failures, 0);
}

/// Rolling restart: no call is lost.
#[tokio::test(start_paused = true)]
async fn no_call_is_lost_while_servers_go_away_again_and_again() {
    let (net, peers) = Net::of::<2>();
    let client = client(&net);
    for peer in &peers {
        peer.always(Answer::after(ms(3), Answer::Echo));
    }
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let mut client = client.clone();
            tokio::spawn(async move {
                for _ in 0..100 {
                    client.flaky_once(request("a")).await.unwrap();
                }
            })
        })
        .collect();
    for round in 0..20 {
        tokio::time::sleep(ms(13)).await;
        peers[round % 2].command(Command::GoAway);
    }
    for call in calls {
        soon(call).await.unwrap();
    }
    let sent: usize = peers.iter().map(crate::peer::Peer::count).sum();
    assert_eq!(sent, 2_000, "none was sent twice");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_greets_and_hangs_up_is_dialled_less_and_less() {
    let (net, [peer]) = Net::of();
    let channel = channel_with(&net, CONTRACT, |_| {});
    for dials in 1..=6 {
        ready(&channel, 1).await;
        assert_eq!(peer.log().dials.len(), dials);
        peer.command(Command::Close);
        peer.until(|log| log.dials.len() > dials).await;
    }
    let dials = peer.log().dials;
    let waits: Vec<_> = dials.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits[5] > waits[0] * 4, "{waits:?}");
    // One that has stayed for a while is dialled again soon.
    ready(&channel, 1).await;
    tokio::time::sleep(ms(1_000)).await;
    let lost = Instant::now();
    peer.command(Command::Close);
    peer.until(|log| log.dials.len() == dials.len() + 1).await;
    assert!(lost.elapsed() < ms(350), "{:?}", lost.elapsed());
}

#[tokio::test(start_paused = true)]
async fn more_connections_are_made_where_one_is_full() {
    let (net, [peer]) = Net::of();
    peer.settings(|settings| {
        // One for the watch of its health.
        settings.max_concurrent_streams(2);
    });
    let channel = channel_with(&net, CONTRACT, |_| {});
    ready(&channel, 1).await;
    peer.always(Answer::Never);
    let call = || {
        let mut client = over(&channel);
        tokio::spawn(async move { client.flaky_once(request("a")).await })
    };
    let mut calls = Vec::new();
    for connection in 1..=4 {
        // There is no room for it on those before, so it asks for another one and goes there.
        calls.push(call());
        tokio::time::timeout(ms(10), peer.until(|log| log.calls.len() == connection))
            .await
            .expect("there is room now");
    }
    // There are no more than allowed.
    for _ in 0..10 {
        calls.push(call());
    }
    tokio::time::sleep(ms(1_000)).await;
    assert_eq!(channel.status().endpoints[0].connections, 4);
    let used: std::collections::BTreeSet<_> =
        peer.calls().iter().map(|call| call.connection).collect();
    assert_eq!(used.len(), 4, "{used:?}");
    for call in calls {
        call.abort();
    }
}

/// A call that waits for room takes the first there is, and never needs it: nothing of it has left.
#[tokio::test(start_paused = true)]
async fn calls_wait_for_room_where_no_more_connections_can_be_made() {
    for health in [true, false] {
        let (net, [peer]) = Net::of();
        peer.settings(|settings| {
            settings.max_concurrent_streams(1);
        });
        let channel = channel_with(&net, CONTRACT, |config| {
            config.connections = 1;
            config.health = health;
        });
        peer.always(Answer::after(ms(100), Answer::Echo));
        let calls: Vec<_> = (0..60)
            .map(|_| {
                let mut client = over(&channel);
                tokio::spawn(async move { client.flaky_once(request("a")).await })
            })
            .collect();
        let mut answered = 0;
        for call in calls {
            match soon(call).await.unwrap() {
                Ok(_) => answered += 1,
                Err(status) => {
                    assert_eq!(status.code(), Code::DeadlineExceeded);
                }
            }
        }
        // One after the other, for 5 s.
        assert!((48..=50).contains(&answered), "{answered}");
        let calls = peer.calls();
        let apart = calls.windows(2).map(|pair| pair[1].at - pair[0].at);
        assert!(apart.take(48).all(|apart| apart == ms(100)), "{calls:#?}");
    }
}

/// The same where calls end without an answer, and where there is another endpoint.
#[tokio::test(start_paused = true)]
async fn room_that_a_dropped_call_leaves_is_used() {
    let (net, peers) = Net::of::<2>();
    for peer in &peers {
        peer.settings(|settings| {
            settings.max_concurrent_streams(1);
        });
        peer.always(Answer::Never);
    }
    let channel = channel_with(&net, CONTRACT, |config| config.connections = 1);
    ready(&channel, 2).await;
    let call = || {
        let mut client = over(&channel);
        tokio::spawn(async move { client.flaky_once(request("a")).await })
    };
    // Each endpoint has room for one.
    let holders = [call(), call()];
    for peer in &peers {
        peer.until(|log| log.calls.len() == 1).await;
        peer.always(Answer::Echo);
    }
    let waiting: Vec<_> = (0..20).map(|_| call()).collect();
    tokio::time::sleep(ms(100)).await;
    assert!(waiting.iter().all(|call| !call.is_finished()));
    let begun = Instant::now();
    holders[0].abort();
    for call in waiting {
        soon(call).await.unwrap().unwrap();
    }
    assert!(begun.elapsed() < ms(100), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn attempts_to_connect_are_spread_out() {
    let (net, [peer]) = Net::of();
    peer.door(Door::Refused);
    let _channel = channel_with(&net, CONTRACT, |_| {});
    peer.until(|log| log.dials.len() == 9).await;
    let dials = peer.log().dials;
    let waits: Vec<_> = dials.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mut expect = 250.0;
    for wait in &waits {
        let millis = wait.as_secs_f64() * 1e3;
        assert!(
            (expect * 0.79..=expect * 1.21).contains(&millis),
            "{waits:?}"
        );
        expect = f64::min(expect * 1.6, 2_000.0);
    }
}

/// TCP is accepted and nothing said: the time to connect is bounded, HTTP/2 included.
#[tokio::test(start_paused = true)]
async fn a_peer_that_says_nothing_is_given_up() {
    for door in [Door::Mute, Door::Hanging] {
        let (net, [peer]) = Net::of();
        peer.door(door);
        let begun = Instant::now();
        let status = error(client(&net).flaky(request("a")).await);
        assert_eq!(
            (status.code(), begun.elapsed()),
            (Code::Unavailable, ms(2_000))
        );
        assert!(
            status.message().contains("no HTTP/2 connection within 2s"),
            "{}",
            status.message()
        );
        assert!(!report(&status).may_have_been_sent());
        assert_eq!(peer.count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_can_be_reached_is_enough() {
    let (net, [one, two]) = Net::of();
    one.door(Door::Hanging);
    let begun = Instant::now();
    let mut client = client(&net);
    for _ in 0..10 {
        client.flaky_once(request("a")).await.unwrap();
    }
    assert_eq!(two.count(), 10);
    assert!(begun.elapsed() < ms(10), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_made_again() {
    let (net, [peer]) = Net::of();
    let mut client = client(&net);
    for round in 1..=5 {
        client.flaky_once(request("a")).await.unwrap();
        peer.command(Command::Close);
        peer.until(|log| log.dials.len() == round + 1).await;
    }
    client.flaky_once(request("a")).await.unwrap();
}

/// A connection that breaks ends what is on it; what can be repeated is.
#[tokio::test(start_paused = true)]
async fn a_broken_connection_is_survived_by_what_can_be_repeated() {
    let (net, peers) = Net::of::<2>();
    let channel = channel_with(
        &net,
        contract(|contract| contract.circuit_breaker = NO_BREAKER),
        |_| {},
    );
    ready(&channel, 2).await;
    for peer in &peers {
        peer.always(Answer::Never);
    }
    let calls: Vec<_> = (0..10)
        .map(|_| {
            let mut client = over(&channel);
            tokio::spawn(async move { client.flaky(request("a")).await })
        })
        .collect();
    let all = || peers[0].count() + peers[1].count();
    while all() < 10 {
        tokio::time::sleep(ms(1)).await;
    }
    for peer in &peers {
        peer.always(Answer::Echo);
    }
    for peer in &peers {
        peer.command(Command::Close);
    }
    for call in calls {
        soon(call).await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_dropped_closes_its_connections() {
    let (net, [peer]) = Net::of();
    let channel = channel_with(&net, CONTRACT, |_| {});
    over(&channel).flaky_once(request("a")).await.unwrap();
    let mut stream = {
        peer.next([Answer::after(ms(500), Answer::Messages(1, Code::Ok))]);
        over(&channel)
            .flaky_stream(request("b"))
            .await
            .unwrap()
            .into_inner()
    };
    drop(channel);
    // A response that is still read keeps its own.
    assert_eq!(stream.message().await.unwrap().unwrap().id, "0");
    assert!(stream.message().await.unwrap().is_none());
    drop(stream);
    peer.until(|log| log.open == 0).await;
    let dials = peer.log().dials.len();
    tokio::time::sleep(ms(10_000)).await;
    assert_eq!(peer.log().dials.len(), dials);
}

/// One of three is killed under load, again and again, with the contract's breaker, throttle and budget in place.
#[tokio::test(start_paused = true)]
async fn no_call_that_can_be_repeated_fails_while_endpoints_are_killed() {
    let (net, peers) = Net::of::<3>();
    let channel = channel_with(&net, CONTRACT, |_| {});
    ready(&channel, 3).await;
    for peer in &peers {
        peer.always(Answer::after(ms(5), Answer::Echo));
    }
    let calls: Vec<_> = (0..30)
        .map(|_| {
            let mut client = over(&channel);
            tokio::spawn(async move {
                for _ in 0..200 {
                    client.flaky(request("a")).await.unwrap();
                }
            })
        })
        .collect();
    for peer in peers.iter().take(3) {
        tokio::time::sleep(ms(150)).await;
        peer.door(Door::Refused);
        peer.command(Command::Close);
        tokio::time::sleep(ms(150)).await;
        peer.door(Door::Open);
    }
    for call in calls {
        soon(call).await.unwrap();
    }
    assert_eq!(channel.status().breaker, "closed");
    let sent: usize = peers.iter().map(crate::peer::Peer::count).sum();
    assert!(sent < 6_000 * 12 / 10, "{sent}");
}
