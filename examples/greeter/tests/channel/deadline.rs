//! How a call ends that is not answered: by the deadline, with its caller, or because nobody is there.

use scribemed_rpc::{CallContext, Deadline, RequestId, TraceContext};
use scribemed_telemetry::metrics::Metrics;
use tokio::time::Instant;
use tonic::{Code, Request};

use crate::answer::Answer;
use crate::net::Net;
use crate::peer::Door;
use crate::support::{
    CONTRACT, builder, channel_with, client, error, id, ms, over, reason, report, request, soon,
    until,
};

#[tokio::test(start_paused = true)]
async fn the_contract_s_deadline_ends_the_call() {
    let (net, [peer]) = Net::of();
    peer.always(Answer::Never);
    let begun = Instant::now();
    let status = error(client(&net).flaky_once(request("a")).await);
    assert_eq!(begun.elapsed(), ms(5_000));
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(reason(&status), "DEADLINE_EXCEEDED");
    let report = report(&status);
    assert_eq!((report.attempts(), report.may_have_been_sent()), (1, true));
    assert_eq!(report.endpoint(), Some("10.0.0.1:50052"));
    assert_eq!(report.last_failure(), None);
    assert!(
        status.message().contains(&net.target().to_string()),
        "{}",
        status.message()
    );
    peer.until(|log| log.calls[0].reset == Some(h2::Reason::CANCEL))
        .await;
}

#[tokio::test(start_paused = true)]
async fn one_deadline_spans_all_attempts() {
    let (net, [peer]) = Net::of();
    peer.next([
        Answer::after(ms(3_000), Answer::Fail(Code::Unavailable)),
        Answer::Never,
    ]);
    let begun = Instant::now();
    let status = error(client(&net).flaky(request("a")).await);
    assert_eq!(begun.elapsed(), ms(5_000));
    assert_eq!((status.code(), peer.count()), (Code::DeadlineExceeded, 2));
    let report = report(&status);
    assert_eq!(report.attempts(), 2);
    assert!(
        report.last_failure().unwrap().starts_with("Unavailable"),
        "{report}"
    );
    assert!(
        status.message().contains("2 attempts"),
        "{}",
        status.message()
    );
}

#[tokio::test(start_paused = true)]
async fn the_earliest_of_all_deadlines_counts() {
    let (net, [peer]) = Net::of();
    peer.always(Answer::Never);
    let client = client(&net);
    // What the caller asks for, what is left of the call that is being served, and when the call ends.
    for (asked, inherited, ends) in [
        (Some(200), None, 200),
        (None, Some(300), 295),
        (Some(100), Some(300), 100),
        (Some(60_000), Some(90_000), 5_000),
    ] {
        let mut call = Request::new(request("a"));
        if let Some(asked) = asked {
            call.set_timeout(ms(asked));
        }
        let inherited = inherited.map(|left| Deadline::after(ms(left)));
        let context = CallContext::new(inherited, RequestId::generate(), TraceContext::root());
        let begun = Instant::now();
        let mut client = client.clone();
        let status = error(
            context
                .scope(async move { client.flaky_once(call).await })
                .await,
        );
        assert_eq!(status.code(), Code::DeadlineExceeded);
        assert_eq!(begun.elapsed(), ms(ends));
        let seen = peer.calls().pop().unwrap();
        assert_eq!(
            seen.at + seen.timeout(),
            begun + ms(ends),
            "what is left is told"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn without_time_nothing_is_sent() {
    let (net, [peer]) = Net::of();
    let mut client = client(&net);
    client.flaky_once(request("a")).await.unwrap();
    let over = Deadline::after(ms(3));
    let context = CallContext::new(Some(over), RequestId::generate(), TraceContext::root());
    let status = error(context.scope(client.flaky_once(request("b"))).await);
    assert_eq!((status.code(), peer.count()), (Code::DeadlineExceeded, 1));
    let report = report(&status);
    assert_eq!((report.attempts(), report.may_have_been_sent()), (0, false));
}

/// A server that enforces the deadline itself may be first: it is the deadline all the same.
#[tokio::test(start_paused = true)]
async fn a_server_that_ends_it_at_the_deadline_changes_nothing() {
    for answer in [
        Answer::Fail(Code::Cancelled),
        Answer::Reset(h2::Reason::CANCEL),
        Answer::HeadThen(Code::Cancelled),
    ] {
        let (net, [peer]) = Net::of();
        let wait = if matches!(answer, Answer::HeadThen(_)) {
            4_999
        } else {
            5_000
        };
        peer.next([Answer::after(ms(wait), answer.clone())]);
        let status = error(client(&net).flaky_once(request("a")).await);
        assert_eq!(
            status.code(),
            Code::DeadlineExceeded,
            "{answer:?}: {status:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_with_the_call_that_makes_it() {
    let (net, [peer]) = Net::of();
    peer.always(Answer::Never);
    let client = client(&net);
    // While it waits for an answer, and between two attempts.
    for answers in [
        vec![],
        vec![Answer::FailWith(
            Code::Unavailable,
            vec![("grpc-retry-pushback-ms", "4000".into())],
        )],
    ] {
        let waits = !answers.is_empty();
        peer.next(answers);
        let sent = peer.count();
        let context = CallContext::background();
        let over = context.clone();
        let mut client = client.clone();
        let call = tokio::spawn(context.scope(async move { client.flaky(request("a")).await }));
        peer.until(|log| log.calls.len() == sent + 1).await;
        tokio::time::timeout(ms(100), peer.until(|log| log.calls.len() > sent + 1))
            .await
            .unwrap_err();
        over.cancel();
        let status = error(soon(call).await.unwrap());
        assert_eq!(status.code(), Code::Cancelled);
        assert_eq!(reason(&status), "CANCELLED");
        let report = report(&status);
        assert_eq!((report.attempts(), report.may_have_been_sent()), (1, true));
        assert_eq!(report.last_failure().is_some(), waits);
        assert_eq!(peer.count(), sent + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_is_reset() {
    let (net, [peer]) = Net::of();
    peer.always(Answer::Never);
    let mut client = client(&net);
    let call = tokio::spawn(async move { client.flaky(request("a")).await });
    peer.until(|log| log.calls.len() == 1).await;
    call.abort();
    peer.until(|log| log.calls[0].reset == Some(h2::Reason::CANCEL))
        .await;
}

#[tokio::test(start_paused = true)]
async fn where_nobody_is_a_call_fails_at_once() {
    let (net, peers) = Net::of::<2>();
    for peer in &peers {
        peer.door(Door::Refused);
    }
    let begun = Instant::now();
    let status = error(client(&net).flaky(request("a")).await);
    assert!(begun.elapsed() < ms(100), "{:?}", begun.elapsed());
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(reason(&status), "UNREACHABLE");
    for part in [
        &net.target().to_string(),
        "10.0.0.1:50052",
        "connection refused",
    ] {
        assert!(status.message().contains(part), "{}", status.message());
    }
    let report = report(&status);
    assert_eq!((report.attempts(), report.may_have_been_sent()), (0, false));
    assert_eq!(report.endpoint(), None);
}

/// By contract: until its deadline.
#[tokio::test(start_paused = true)]
async fn a_patient_call_waits_for_somebody() {
    let (net, [peer]) = Net::of();
    peer.door(Door::Refused);
    let channel = channel_with(&net, CONTRACT, |_| {});
    let client = over(&channel);
    let patient = || {
        let mut client = client.clone();
        tokio::spawn(async move { client.patient(request("a")).await })
    };
    let call = patient();
    peer.until(|log| log.dials.len() == 3).await;
    assert!(!call.is_finished());
    peer.door(Door::Open);
    assert_eq!(id(soon(call).await.unwrap().unwrap()), "a");

    peer.door(Door::Refused);
    peer.command(crate::peer::Command::Close);
    until(&channel, |status| status.endpoints[0].connections == 0).await;
    let begun = Instant::now();
    let status = error(soon(patient()).await.unwrap());
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(begun.elapsed(), ms(5_000));
    assert!(!report(&status).may_have_been_sent());
}

/// A call that fails before an endpoint is looked for is a call all the same.
#[tokio::test(start_paused = true)]
async fn a_call_that_cannot_begin_is_counted() {
    let (net, [peer]) = Net::of();
    let metrics = Metrics::new();
    let channel = builder(&net, CONTRACT, |_| {})
        .metrics(metrics.clone())
        .build()
        .unwrap();
    let mut malformed = Request::new(request("a"));
    malformed
        .metadata_mut()
        .insert("grpc-timeout", "5 s".parse().unwrap());
    let status = error(over(&channel).flaky_once(malformed).await);
    assert_eq!(
        (status.code(), peer.count()),
        (Code::InvalidArgument, 0),
        "{status:?}"
    );
    let text = metrics.render();
    let counted = text.lines().any(|line| {
        line.starts_with("grpc_client_call_duration_seconds_count")
            && line.contains("INVALID_ARGUMENT")
            && line.ends_with(" 1")
    });
    assert!(counted, "{text}");
}
