//! Retries by policy (gRFC A6).

use greeter::v1::ResilienceResponse;
use scribemed_rpc::CallContext;
use scribemed_rpc::policy::{Idempotency, Reattempt};
use tokio::time::Instant;
use tonic::{Code, Status};

use crate::answer::Answer;
use crate::net::Net;
use crate::support::{client, client_with, contract, contract_of, error, id, ms, report, request, soon};

#[tokio::test(start_paused = true)]
async fn a_call_is_sent_again_until_it_is_answered() {
    let (net, [peer]) = Net::of();
    peer.next([Answer::Fail(Code::Unavailable), Answer::Fail(Code::Unavailable)]);
    let answer = client(&net).flaky(request("a")).await.unwrap().into_inner();
    assert_eq!((answer.id.as_str(), answer.attempt), ("a", 3));
    let calls = peer.calls();
    let previous: Vec<_> = calls.iter().map(|call| call.previous()).collect();
    assert_eq!(previous, [None, Some("1"), Some("2")]);
    for call in &calls {
        assert_eq!(call.path, "/greeter.v1.ResilienceService/Flaky");
        assert_eq!(call.messages, ["a"]);
        assert_eq!(call.header("te"), Some("trailers"));
        assert_eq!(call.header("x-request-id"), calls[0].header("x-request-id"));
        // One deadline spans all attempts: what is left shrinks.
        assert_eq!(call.at + call.timeout(), calls[0].at + ms(5_000));
    }
    let waits = [calls[1].at - calls[0].at, calls[2].at - calls[1].at];
    assert!((ms(8)..=ms(13)).contains(&waits[0]), "{waits:?}");
    assert!((ms(12)..=ms(25)).contains(&waits[1]), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn there_are_no_more_attempts_than_the_contract_has() {
    let (net, [peer]) = Net::of();
    peer.always(Answer::Fail(Code::Unavailable));
    let status = error(client(&net).flaky(request("a")).await);
    assert_eq!((status.code(), status.message()), (Code::Unavailable, "as scripted"));
    assert_eq!(peer.count(), 3);
    let report = report(&status);
    assert_eq!(report.target(), net.target().to_string());
    assert_eq!(report.attempts(), 3);
    assert_eq!(report.endpoint(), Some("10.0.0.1:50052"));
    assert!(report.may_have_been_sent());
    let last = report.last_failure().unwrap();
    assert!(last.starts_with("Unavailable: as"), "{last}");
}

#[tokio::test(start_paused = true)]
async fn a_code_that_is_not_retryable_ends_the_call() {
    for number in 1..=16 {
        let code = Code::from_i32(number);
        let (net, [peer]) = Net::of();
        peer.next([Answer::Fail(code)]);
        let answer = client(&net).flaky(request("a")).await;
        let sent = peer.count();
        if code == Code::Unavailable {
            assert_eq!((id(answer.unwrap()).as_str(), sent), ("a", 2));
            continue;
        }
        let status = error(answer);
        assert_eq!((status.code(), sent), (code, 1));
        assert_eq!(report(&status).attempts(), 1);
        assert!(report(&status).may_have_been_sent());
    }
}

/// The error's own metadata and details reach the caller beside the report.
#[tokio::test(start_paused = true)]
async fn what_the_service_says_with_an_error_is_kept() {
    let (net, [peer]) = Net::of();
    peer.next([Answer::FailWith(Code::NotFound, vec![("x-hint", "left".into())])]);
    let status = error(client(&net).flaky(request("a")).await);
    assert_eq!(status.metadata().get("x-hint").unwrap(), "left");
}

/// gRFC A6, "When Retries are Valid": what has a head is committed.
#[tokio::test(start_paused = true)]
async fn a_call_whose_answer_has_begun_is_not_sent_again() {
    for (answer, code) in [
        (Answer::HeadThen(Code::Unavailable), Code::Unavailable),
        (Answer::Messages(1, Code::Unavailable), Code::Unavailable),
        (Answer::MessagesThenReset(0, h2::Reason::REFUSED_STREAM), Code::Unavailable),
        (Answer::Break, Code::Unavailable),
    ] {
        let (net, [peer]) = Net::of();
        peer.next([answer.clone()]);
        let status = error(client(&net).flaky(request("a")).await);
        assert_eq!((status.code(), peer.count()), (code, 1), "{answer:?}");
        let report = report(&status);
        assert_eq!(report.attempts(), 1);
        assert_eq!(report.endpoint(), Some("10.0.0.1:50052"));
        assert!(report.may_have_been_sent());
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_goes_to_another_endpoint() {
    let (net, peers) = Net::of::<2>();
    let mut client = client(&net);
    for _ in 0..10 {
        // Whoever is asked first fails.
        for peer in &peers {
            peer.always(Answer::FailWith(
                Code::Unavailable,
                vec![("grpc-retry-pushback-ms", "0".into())],
            ));
        }
        let before: Vec<_> = peers.iter().map(crate::peer::Peer::count).collect();
        let call = {
            let mut client = client.clone();
            tokio::spawn(async move { client.flaky(request("a")).await })
        };
        let _ = soon(call).await.unwrap();
        let asked: Vec<_> = std::iter::zip(&peers, before)
            .map(|(peer, before)| peer.count() - before)
            .collect();
        // Three attempts: never twice in a row at one of two.
        assert!(asked == [1, 2] || asked == [2, 1], "{asked:?}");
        for peer in &peers {
            peer.always(Answer::Echo);
        }
        // Successes keep the breaker closed.
        client.flaky(request("b")).await.unwrap();
    }
}

/// Only the layer nearest to a failure sends again.
#[tokio::test(start_paused = true)]
async fn a_call_made_by_a_further_attempt_is_sent_once() {
    for (previous, sent) in [(0, 3), (1, 1), (4, 1)] {
        let (net, [peer]) = Net::of();
        peer.always(Answer::Fail(Code::Unavailable));
        let mut client = client(&net);
        let context = CallContext::background().with_previous_attempts(previous);
        let status = error(context.scope(client.flaky(request("a"))).await);
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(peer.count(), sent, "{previous}");
        assert_eq!(peer.calls()[0].previous(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_has_its_own_limit() {
    let hasty = contract_of("Flaky", |method| {
        if let Reattempt::Retry(retry) = &mut method.reattempt {
            retry.per_attempt_timeout = Some(ms(100));
        }
    });
    let (net, [peer]) = Net::of();
    peer.next([Answer::Never]);
    let begun = Instant::now();
    let mut client = client_with(&net, hasty, |_| {});
    assert_eq!(id(client.flaky(request("a")).await.unwrap()), "a");
    let took = begun.elapsed();
    assert!((ms(108)..ms(115)).contains(&took), "{took:?}");
    // The slow one is told that nobody waits for it any more.
    peer.until(|log| log.calls[0].reset == Some(h2::Reason::CANCEL)).await;

    peer.always(Answer::Never);
    let status = error(client.flaky(request("a")).await);
    assert_eq!((status.code(), peer.count()), (Code::Unavailable, 2 + 3));
    assert!(status.message().contains("per_attempt_timeout"), "{status:?}");
    assert!(report(&status).may_have_been_sent());
}

/// Invariant: what is not idempotent by contract is never sent twice, whatever the policy says.
#[tokio::test(start_paused = true)]
async fn what_is_not_idempotent_is_not_sent_twice() {
    let reckless = contract_of("Flaky", |method| method.idempotency = Idempotency::Unknown);
    let (net, [peer]) = Net::of();
    peer.always(Answer::Fail(Code::Unavailable));
    let status = error(client_with(&net, reckless, |_| {}).flaky(request("a")).await);
    assert_eq!((status.code(), peer.count()), (Code::Unavailable, 1));
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_retried_before_its_first_message_only() {
    let (net, [peer]) = Net::of();
    peer.next([Answer::Fail(Code::Unavailable), Answer::Messages(2, Code::Unavailable)]);
    let mut client = client(&net);
    let mut stream = client.flaky_stream(request("a")).await.unwrap().into_inner();
    let mut next = async || -> Result<Option<ResilienceResponse>, Status> { stream.message().await };
    let first = next().await.unwrap().unwrap();
    assert_eq!((first.id.as_str(), first.attempt), ("0", 2));
    assert_eq!(next().await.unwrap().unwrap().id, "1");
    let status = next().await.unwrap_err();
    assert_eq!((status.code(), peer.count()), (Code::Unavailable, 2));
    assert_eq!(report(&status).attempts(), 2);
}
