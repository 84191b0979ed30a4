//! Endpoints that come and go.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use scribemed_client::{Channel, ChannelStatus};
use scribemed_discovery::{Address, BoxFuture, Resolution, Resolve, ResolveError, Target};
use tonic::Code;

use crate::answer::Answer;
use crate::net::Net;
use crate::peer::{Command, Door, Peer};
use crate::support::{CONTRACT, client, config, error, id, in_state, ms, over, ready, reason, report, request, soon, until};

/// Names as a test says.
#[derive(Clone, Default)]
struct Names {
    answer: Arc<Mutex<Option<Result<Vec<Address>, ResolveError>>>>,
    asked: Arc<std::sync::atomic::AtomicUsize>,
}

impl Names {
    fn are(&self, peers: &[&Peer]) {
        let addresses = peers.iter().map(|peer| peer.address().into()).collect();
        *self.answer.lock().unwrap() = Some(Ok(addresses));
    }

    fn fail(&self, error: ResolveError) {
        *self.answer.lock().unwrap() = Some(Err(error));
    }

    fn asked(&self) -> usize {
        self.asked.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn now(&self) -> Option<Result<Vec<Address>, ResolveError>> {
        self.answer.lock().unwrap().clone()
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, _target: &'a Target) -> BoxFuture<'a, Result<Resolution, ResolveError>> {
        self.asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Box::pin(async {
            match self.now() {
                Some(answer) => answer.map(|addresses| Resolution {
                    addresses,
                    ttl: Some(Duration::from_secs(5)),
                }),
                None => std::future::pending().await,
            }
        })
    }
}

fn channel(net: &Net, names: &Names) -> Channel {
    Channel::builder(&"dns:///inn:50052".parse().unwrap(), &[CONTRACT])
        .connector(Arc::new(net.clone()))
        .resolver(Arc::new(names.clone()))
        .config(config(|_| {}))
        .build()
        .unwrap()
}

fn addresses(status: &ChannelStatus) -> Vec<String> {
    status.endpoints.iter().map(|endpoint| endpoint.address.clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn new_endpoints_are_found_and_old_ones_go_when_the_new_are_ready() {
    let (net, [one, two, three]) = Net::of();
    let names = Names::default();
    names.are(&[&one]);
    let channel = channel(&net, &names);
    over(&channel).flaky_once(request("a")).await.unwrap();
    assert_eq!(one.calls()[0].headers.get("host"), None);

    // One more.
    names.are(&[&one, &two]);
    ready(&channel, 2).await;

    // Another, which cannot be reached at first. The old ones stay until it can.
    three.door(Door::Refused);
    names.are(&[&three]);
    until(&channel, |status| in_state(status, "leaving") == 2).await;
    tokio::time::sleep(ms(60_000)).await;
    for _ in 0..10 {
        over(&channel).flaky_once(request("b")).await.unwrap();
    }
    assert_eq!(one.count() + two.count(), 11);
    three.door(Door::Open);
    until(&channel, |status| addresses(status) == ["10.0.0.3:50052"]).await;
    over(&channel).flaky_once(request("c")).await.unwrap();
    assert_eq!(three.count(), 1);
    for old in [&one, &two] {
        old.until(|log| log.open == 0).await;
    }
}

/// Calls on an endpoint that leaves go on.
#[tokio::test(start_paused = true)]
async fn calls_in_flight_at_an_endpoint_that_leaves_are_answered() {
    let (net, [one, two]) = Net::of();
    let names = Names::default();
    names.are(&[&one]);
    let channel = channel(&net, &names);
    one.next([Answer::after(ms(4_500), Answer::Echo)]);
    let mut client = over(&channel);
    let call = tokio::spawn(async move { client.flaky_once(request("a")).await });
    one.until(|log| log.calls.len() == 1).await;
    names.are(&[&two]);
    one.command(Command::GoAway);
    until(&channel, |status| addresses(status) == ["10.0.0.2:50052"]).await;
    assert!(!call.is_finished());
    assert_eq!(id(soon(call).await.unwrap().unwrap()), "a");
}

/// Once there are addresses there always are (the lesson of 2025-10-20).
#[tokio::test(start_paused = true)]
async fn a_name_that_is_gone_changes_nothing() {
    let (net, [one]) = Net::of();
    for error in [
        ResolveError::not_found("inn"),
        ResolveError::empty("inn"),
        ResolveError::failed("inn", "SERVFAIL"),
    ] {
        let names = Names::default();
        names.are(&[&one]);
        let channel = channel(&net, &names);
        over(&channel).flaky_once(request("a")).await.unwrap();
        names.fail(error);
        until(&channel, |status| status.resolver_error.is_some()).await;
        tokio::time::sleep(ms(120_000)).await;
        over(&channel).flaky_once(request("b")).await.unwrap();
        // An empty answer is a failure, too.
        names.are(&[]);
        tokio::time::sleep(ms(120_000)).await;
        over(&channel).flaky_once(request("c")).await.unwrap();
        assert_eq!(addresses(&channel.status()).len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_never_resolved_is_an_error_that_says_so() {
    let net = Net::default();
    let names = Names::default();
    names.fail(ResolveError::not_found("inn"));
    let channel = channel(&net, &names);
    let never = channel.resolved(ms(500)).await.unwrap_err();
    assert!(never.to_string().contains("dns:///inn:50052"), "{never}");
    assert!(std::error::Error::source(&never).unwrap().to_string().contains("inn"));
    let status = error(over(&channel).flaky(request("a")).await);
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "UNREACHABLE"));
    assert!(status.message().contains("inn"), "{}", status.message());

    // It appears: found without anybody's doing.
    let peer = net.add();
    names.are(&[&peer]);
    channel.resolved(ms(60_000)).await.unwrap();
    over(&channel).flaky_once(request("b")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn calls_wait_for_the_first_look_up() {
    let (net, [one]) = Net::of();
    let names = Names::default();
    let channel = channel(&net, &names);
    let status = error(over(&channel).flaky_once(request("a")).await);
    // A look-up that is not answered is given up when the call's time is over, too.
    assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Unavailable), "{status:?}");
    assert!(!report(&status).may_have_been_sent());
    names.are(&[&one]);
    channel.resolved(ms(60_000)).await.unwrap();
    over(&channel).flaky_once(request("b")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_asks_again_at_once() {
    let (net, [one, two]) = Net::of();
    let names = Names::default();
    names.are(&[&one]);
    let channel = channel(&net, &names);
    over(&channel).flaky_once(request("a")).await.unwrap();
    tokio::time::sleep(ms(1_500)).await;
    let asked = names.asked();
    names.are(&[&two]);
    one.door(Door::Refused);
    one.command(Command::Close);
    let begun = tokio::time::Instant::now();
    until(&channel, |status| addresses(status).contains(&"10.0.0.2:50052".to_owned())).await;
    assert!(names.asked() > asked);
    assert!(begun.elapsed() < ms(300), "{:?}", begun.elapsed());
    over(&channel).patient(request("b")).await.unwrap();
    assert_eq!(two.count(), 1);
}
