//! Outlier detection (gRFC A50).

use scribemed_resilience::outlier::{Config, FailurePercentage};
use scribemed_rpc::policy::LoadBalancing;
use tonic::Code;

use crate::answer::Answer;
use crate::net::Net;
use crate::support::{NO_BREAKER, channel_with, config, contract, error, ms, over, ready, request, until};

#[tokio::test(start_paused = true)]
async fn who_fails_where_the_others_do_not_is_left_alone_for_a_while() {
    let (net, peers) = Net::of::<5>();
    let by_turns = contract(|contract| contract.load_balancing = LoadBalancing::RoundRobin);
    let channel = channel_with(&net, by_turns, |config| {
        config.outlier = Config {
            success_rate: None,
            failure_percentage: Some(FailurePercentage {
                request_volume: 10,
                ..FailurePercentage::default()
            }),
            ..Config::default()
        };
    });
    ready(&channel, 5).await;
    peers[2].always(Answer::Fail(Code::Internal));
    let calls = async |count: usize| {
        let mut failed = 0;
        for _ in 0..count {
            failed += usize::from(over(&channel).flaky_once(request("a")).await.is_err());
        }
        failed
    };
    assert_eq!(calls(100).await, 20);
    until(&channel, |status| status.endpoints[2].ejected).await;
    let status = channel.status();
    let ejected: Vec<_> = status.endpoints.iter().map(|endpoint| endpoint.ejected).collect();
    assert_eq!(ejected, [false, false, true, false, false]);
    assert_eq!((status.endpoints[2].failures, status.endpoints[2].successes), (20, 0));
    // Its connection is kept, and its failures are over.
    assert_eq!(status.endpoints[2].connections, 1);
    assert_eq!(calls(100).await, 0);
    assert_eq!(peers[2].count(), 20);

    peers[2].always(Answer::Echo);
    tokio::time::advance(ms(30_000)).await;
    until(&channel, |status| !status.endpoints[2].ejected).await;
    assert_eq!(calls(100).await, 0);
    assert_eq!(peers[2].count(), 40);
}

#[tokio::test(start_paused = true)]
async fn where_all_fail_nobody_is_an_outlier_for_long() {
    let (net, peers) = Net::of::<5>();
    let by_turns = contract(|contract| {
        contract.load_balancing = LoadBalancing::RoundRobin;
        contract.circuit_breaker = NO_BREAKER;
    });
    let channel = channel_with(&net, by_turns, |_| {});
    ready(&channel, 5).await;
    for peer in &peers {
        peer.always(Answer::Fail(Code::Internal));
    }
    for _ in 0..500 {
        error(over(&channel).flaky_once(request("a")).await);
    }
    tokio::time::advance(ms(11_000)).await;
    tokio::time::sleep(ms(1)).await;
    let ejected = channel.status().endpoints.iter().filter(|endpoint| endpoint.ejected).count();
    assert!(ejected <= 1, "{ejected}");
}
