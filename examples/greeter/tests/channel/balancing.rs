//! Which endpoint a call goes to.

use scribemed_client::Channel;
use scribemed_rpc::policy::LoadBalancing;
use tonic::Code;

use crate::answer::Answer;
use crate::net::Net;
use crate::peer::{Command, Door, Peer};
use crate::support::{NO_BREAKER, channel_with, client, config, contract, in_state, ms, over, ready, request, soon, until};

fn counts(peers: &[Peer]) -> Vec<usize> {
    peers.iter().map(Peer::count).collect()
}

fn by(balancing: LoadBalancing) -> &'static scribemed_rpc::ServicePolicy {
    contract(|contract| {
        contract.load_balancing = balancing;
        contract.circuit_breaker = NO_BREAKER;
    })
}

/// So many callers, each with so many calls, one after the other.
async fn load(channel: &Channel, callers: usize, calls: usize) {
    let callers: Vec<_> = (0..callers)
        .map(|_| {
            let mut client = over(channel);
            tokio::spawn(async move {
                for _ in 0..calls {
                    let _ = client.flaky_once(request("a")).await;
                }
            })
        })
        .collect();
    for caller in callers {
        soon(caller).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn round_robin_is_exact() {
    let (net, peers) = Net::of::<3>();
    let channel = channel_with(&net, by(LoadBalancing::RoundRobin), |_| {});
    ready(&channel, 3).await;
    for round in 1..=10 {
        for _ in 0..3 {
            over(&channel).flaky_once(request("a")).await.unwrap();
        }
        assert_eq!(counts(&peers), [round; 3]);
    }
    assert_eq!(channel.status().load_balancing, "round_robin");
}

#[tokio::test(start_paused = true)]
async fn pick_first_stays_with_the_first_and_moves_on_when_it_fails() {
    let (net, peers) = Net::of::<3>();
    let channel = channel_with(&net, by(LoadBalancing::PickFirst), |_| {});
    ready(&channel, 3).await;
    load(&channel, 4, 5).await;
    assert_eq!(counts(&peers), [20, 0, 0]);
    peers[0].door(Door::Refused);
    peers[0].command(Command::Close);
    until(&channel, |status| in_state(status, "ready") == 2).await;
    load(&channel, 4, 5).await;
    assert_eq!(counts(&peers), [20, 20, 0]);
}

#[tokio::test(start_paused = true)]
async fn equal_endpoints_get_equal_shares() {
    let (net, peers) = Net::of::<4>();
    let channel = channel_with(&net, by(LoadBalancing::PeakEwma), |_| {});
    ready(&channel, 4).await;
    tokio::time::advance(ms(11_000)).await;
    for peer in &peers {
        peer.always(Answer::after(ms(10), Answer::Echo));
    }
    load(&channel, 16, 50).await;
    let counts = counts(&peers);
    assert!(counts.iter().all(|count| (140..260).contains(count)), "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_endpoint_gets_little() {
    let (net, peers) = Net::of::<3>();
    let channel = channel_with(&net, by(LoadBalancing::PeakEwma), |_| {});
    ready(&channel, 3).await;
    tokio::time::advance(ms(11_000)).await;
    for (peer, delay) in std::iter::zip(&peers, [5, 5, 200]) {
        peer.always(Answer::after(ms(delay), Answer::Echo));
    }
    load(&channel, 8, 100).await;
    let counts = counts(&peers);
    assert!(counts[2] < 40, "{counts:?}");
    assert!(counts[0] > 300 && counts[1] > 300, "{counts:?}");
}

/// An endpoint that fails is quick about it, and must not look good for that.
#[tokio::test(start_paused = true)]
async fn a_failing_endpoint_gets_little() {
    let (net, peers) = Net::of::<3>();
    let channel = channel_with(&net, by(LoadBalancing::PeakEwma), |_| {});
    ready(&channel, 3).await;
    tokio::time::advance(ms(11_000)).await;
    for peer in &peers {
        peer.always(Answer::after(ms(5), Answer::Echo));
    }
    peers[1].always(Answer::Fail(Code::Internal));
    load(&channel, 8, 100).await;
    let counts = counts(&peers);
    assert!(counts[1] < 40, "{counts:?}");
}

/// Slow start: an endpoint that joins others gets a growing share.
#[tokio::test(start_paused = true)]
async fn an_endpoint_that_joins_comes_up_slowly() {
    let (net, peers) = Net::of::<2>();
    peers[1].door(Door::Refused);
    let channel = channel_with(&net, by(LoadBalancing::PeakEwma), |_| {});
    for peer in &peers {
        peer.always(Answer::after(ms(10), Answer::Echo));
    }
    load(&channel, 4, 20).await;
    peers[1].door(Door::Open);
    ready(&channel, 2).await;
    // About a second.
    load(&channel, 4, 100).await;
    let early = peers[1].count();
    assert!(early < 160, "{early}");
    tokio::time::advance(ms(11_000)).await;
    load(&channel, 4, 100).await;
    let late = peers[1].count() - early;
    assert!(late > 160 && late > early, "{early} {late}");
}

/// The same seed makes the same choices.
#[tokio::test(start_paused = true)]
async fn a_seed_makes_the_choices_repeatable() {
    let mut runs = Vec::new();
    for seed in [1, 1, 2] {
        let (net, peers) = Net::of::<3>();
        let channel = channel_with(&net, by(LoadBalancing::PeakEwma), |config| config.seed = Some(seed));
        ready(&channel, 3).await;
        let mut choices = Vec::new();
        for _ in 0..40 {
            let before = counts(&peers);
            over(&channel).flaky_once(request("a")).await.unwrap();
            choices.push(counts(&peers).iter().zip(before).position(|(now, then)| *now > then));
        }
        runs.push(choices);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}
