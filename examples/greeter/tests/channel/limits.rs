//! What bounds the attempts of many calls together: throttle, budget, and the client's own throttling.

use scribemed_rpc::policy::RetryThrottling;
use scribemed_resilience::{adaptive, budget};
use tonic::Code;

use crate::answer::Answer;
use crate::net::Net;
use crate::peer::Peer;
use crate::support::{CONTRACT, Client, NO_BREAKER, channel_with, client, client_with, config, contract, error, ms, over, reason, report, request};

async fn attempts_of(client: &mut Client, peer: &Peer) -> usize {
    let before = peer.count();
    let _ = client.flaky(request("a")).await;
    peer.count() - before
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_much_gets_no_retries() {
    let throttled = contract(|contract| {
        contract.circuit_breaker = NO_BREAKER;
        contract.retry_throttling = Some(RetryThrottling {
            max_tokens: 4,
            token_ratio: 1.0,
        });
    });
    let (net, [peer]) = Net::of();
    let mut client = client_with(&net, throttled, |_| {});
    peer.always(Answer::Fail(Code::Unavailable));
    // Tokens 4, 3: allowed. 2 is half: no more.
    assert_eq!(attempts_of(&mut client, &peer).await, 2);
    assert_eq!(attempts_of(&mut client, &peer).await, 1);
    assert_eq!(attempts_of(&mut client, &peer).await, 1);
    // Tokens 0. Three successes bring it above half again.
    peer.always(Answer::Echo);
    for _ in 0..4 {
        client.flaky(request("a")).await.unwrap();
    }
    peer.next([Answer::Fail(Code::Unavailable)]);
    assert_eq!(attempts_of(&mut client, &peer).await, 2);
}

#[tokio::test(start_paused = true)]
async fn retries_are_a_share_of_the_calls() {
    let patient = contract(|contract| {
        contract.circuit_breaker = NO_BREAKER;
        contract.retry_throttling = None;
    });
    let (net, [peer]) = Net::of();
    let mut client = client_with(&net, patient, |config| {
        config.budget = budget::Config {
            ratio: 0.2,
            min_per_second: 0,
            ..budget::Config::default()
        };
    });
    peer.always(Answer::Fail(Code::Unavailable));
    let calls = 100;
    for _ in 0..calls {
        let _ = client.flaky(request("a")).await;
    }
    let retries = peer.count() - calls;
    assert!((15..=20).contains(&retries), "{retries}");
}

#[tokio::test(start_paused = true)]
async fn without_a_budget_there_are_no_retries_and_no_hedges() {
    let (net, [peer]) = Net::of();
    let mut client = client_with(&net, CONTRACT, |config| {
        config.budget = budget::Config {
            ratio: 0.0,
            min_per_second: 0,
            ..budget::Config::default()
        };
    });
    peer.next([Answer::Fail(Code::Unavailable)]);
    let status = error(client.flaky(request("a")).await);
    assert_eq!((status.code(), peer.count()), (Code::Unavailable, 1));
    peer.next([Answer::after(ms(500), Answer::Echo)]);
    client.hedged(request("b")).await.unwrap();
    assert_eq!(peer.count(), 2);
}

/// Client-side throttling (SRE book): what the service would refuse is turned away here.
#[tokio::test(start_paused = true)]
async fn a_service_that_refuses_most_calls_is_spared() {
    let (net, [peer]) = Net::of();
    let channel = channel_with(&net, contract(|contract| contract.circuit_breaker = NO_BREAKER), |config| {
        config.adaptive = adaptive::Config::default();
    });
    let mut client = over(&channel);
    peer.always(Answer::Fail(Code::ResourceExhausted));
    let calls = 400;
    let mut turned_away = 0;
    for _ in 0..calls {
        let status = error(client.flaky_once(request("a")).await);
        if status.code() == Code::Unavailable {
            assert_eq!(reason(&status), "OVERLOADED");
            assert_eq!(report(&status).attempts(), 0);
            assert!(!report(&status).may_have_been_sent());
            turned_away += 1;
        }
    }
    assert_eq!(peer.count() + turned_away, calls);
    assert!(turned_away > calls * 9 / 10, "{turned_away}");
    assert!(channel.status().throttled_share > 0.9);
    // Two minutes later all is forgotten.
    tokio::time::advance(ms(121_000)).await;
    peer.always(Answer::Echo);
    for _ in 0..50 {
        client.flaky_once(request("a")).await.unwrap();
    }
}
