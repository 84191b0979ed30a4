//! Attempts in parallel (gRFC A6, Hedging Policy): every 20 ms, three at most.

use scribemed_rpc::ServicePolicy;
use scribemed_rpc::policy::{LoadBalancing, RetryThrottling};
use tokio::time::Instant;
use tonic::Code;

use crate::answer::Answer;
use crate::net::Net;
use crate::peer::{Command, Door};
use crate::support::{
    NO_BREAKER, channel_with, client, client_with, contract, error, id, ms, over, ready, report,
    request, soon,
};

const FAIL: Answer = Answer::Fail(Code::Unavailable);

#[tokio::test(start_paused = true)]
async fn a_quick_answer_needs_no_second_attempt() {
    let (net, [peer]) = Net::of();
    client(&net).hedged(request("a")).await.unwrap();
    assert_eq!(peer.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_first_good_answer_wins_and_the_others_are_reset() {
    let (net, [peer]) = Net::of();
    peer.next([
        Answer::Never,
        Answer::after(ms(50), Answer::Echo),
        Answer::Never,
    ]);
    let begun = Instant::now();
    let answer = client(&net)
        .hedged(request("a"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.attempt, 2);
    assert!(
        (ms(70)..ms(74)).contains(&begun.elapsed()),
        "{:?}",
        begun.elapsed()
    );
    peer.until(|log| log.calls[0].reset.is_some() && log.calls[2].reset.is_some())
        .await;
    let calls = peer.calls();
    assert_eq!(calls.len(), 3);
    let previous: Vec<_> = calls.iter().map(|call| call.previous()).collect();
    assert_eq!(previous, [None, Some("1"), Some("2")]);
    for (number, call) in calls.iter().enumerate() {
        assert_eq!(call.messages, ["a"]);
        let apart = call.at - calls[0].at;
        let due = ms(20) * u32::try_from(number).unwrap();
        assert!((due..due + ms(3)).contains(&apart), "{apart:?}");
        let reset = (number != 1).then_some(h2::Reason::CANCEL);
        assert_eq!(call.reset, reset);
    }
}

#[tokio::test(start_paused = true)]
async fn a_non_fatal_failure_sends_the_next_at_once() {
    let (net, [peer]) = Net::of();
    peer.next([FAIL, FAIL]);
    let begun = Instant::now();
    client(&net).hedged(request("a")).await.unwrap();
    assert_eq!(peer.count(), 3);
    assert!(begun.elapsed() < ms(5), "{:?}", begun.elapsed());

    peer.next([FAIL, FAIL, FAIL]);
    let status = error(client(&net).hedged(request("a")).await);
    assert_eq!((status.code(), peer.count()), (Code::Unavailable, 3 + 3));
    assert_eq!(report(&status).attempts(), 3);
    assert!(report(&status).may_have_been_sent());
}

#[tokio::test(start_paused = true)]
async fn a_fatal_failure_ends_the_call() {
    let (net, [peer]) = Net::of();
    peer.next([Answer::Never, Answer::Fail(Code::NotFound)]);
    let status = error(client(&net).hedged(request("a")).await);
    assert_eq!((status.code(), peer.count()), (Code::NotFound, 2));
    // Both were sent.
    assert_eq!(report(&status).attempts(), 2);
    peer.until(|log| log.calls[0].reset == Some(h2::Reason::CANCEL))
        .await;
}

#[tokio::test(start_paused = true)]
async fn pushback_says_when_the_next_is_due_or_that_there_is_none() {
    let push = |value: &str| {
        Answer::FailWith(
            Code::Unavailable,
            vec![("grpc-retry-pushback-ms", value.to_owned())],
        )
    };
    let (net, [peer]) = Net::of();
    let mut client = client(&net);
    peer.next([push("300")]);
    client.hedged(request("a")).await.unwrap();
    let calls = peer.calls();
    assert_eq!(calls[1].at - calls[0].at, ms(300));
    peer.next([push("-1")]);
    let status = error(client.hedged(request("a")).await);
    assert_eq!((status.code(), peer.count()), (Code::Unavailable, 2 + 1));
    // Those on their way go on.
    peer.next([Answer::after(ms(50), Answer::Echo), push("-1")]);
    assert_eq!(id(client.hedged(request("b")).await.unwrap()), "b");
    assert_eq!(peer.count(), 3 + 2);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_them_all() {
    let (net, [peer]) = Net::of();
    peer.always(Answer::Never);
    let begun = Instant::now();
    let status = error(client(&net).hedged(request("a")).await);
    assert_eq!(
        (status.code(), begun.elapsed()),
        (Code::DeadlineExceeded, ms(5_000))
    );
    assert_eq!(report(&status).attempts(), 3);
    peer.until(|log| log.calls.iter().all(|call| call.reset.is_some()))
        .await;
}

/// The contract with a throttle that two failures close.
fn throttled() -> &'static ServicePolicy {
    contract(|contract| {
        contract.circuit_breaker = NO_BREAKER;
        contract.retry_throttling = Some(RetryThrottling {
            max_tokens: 4,
            token_ratio: 0.1,
        });
    })
}

#[tokio::test(start_paused = true)]
async fn the_throttle_holds_hedges_back() {
    let (net, [peer]) = Net::of();
    let mut client = client_with(&net, throttled(), |_| {});
    peer.always(FAIL);
    let _ = client.hedged(request("a")).await;
    let before = peer.count();
    assert_eq!(before, 2);
    let _ = client.hedged(request("a")).await;
    assert_eq!(peer.count(), before + 1);
}

/// A stream that was refused was not looked at, and says nothing of how the service fares.
#[tokio::test(start_paused = true)]
async fn the_throttle_knows_nothing_of_refused_streams() {
    let (net, [peer]) = Net::of();
    let mut client = client_with(&net, throttled(), |_| {});
    peer.always(Answer::Reset(h2::Reason::REFUSED_STREAM));
    let _ = client.hedged(request("a")).await;
    assert_eq!(peer.count(), 3);
}

/// What is there must not wait for what is not: the second attempt finds nobody, the first is answered meanwhile.
#[tokio::test(start_paused = true)]
async fn a_hedge_without_an_endpoint_does_not_hold_up_the_answer() {
    let (net, [peer]) = Net::of();
    let mut client = client(&net);
    client.hedged(request("a")).await.unwrap();
    peer.next([Answer::after(ms(100), Answer::Echo)]);
    let begun = Instant::now();
    let call = tokio::spawn(async move { client.hedged(request("b")).await });
    peer.until(|log| log.calls.len() == 2).await;
    // No new streams, and no other connection can be had.
    peer.door(Door::Hanging);
    peer.command(Command::GoAway);
    assert_eq!(id(soon(call).await.unwrap().unwrap()), "b");
    assert!(begun.elapsed() < ms(110), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_hedge_goes_to_another_endpoint() {
    let first = contract(|contract| contract.load_balancing = LoadBalancing::PickFirst);
    let (net, [one, two]) = Net::of();
    let channel = channel_with(&net, first, |_| {});
    ready(&channel, 2).await;
    one.always(Answer::Never);
    let answer = over(&channel)
        .hedged(request("a"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((answer.attempt, one.count(), two.count()), (2, 1, 1));
}
