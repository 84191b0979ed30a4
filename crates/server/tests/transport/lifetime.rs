//! The end of a connection: by age, for want of calls, by a shutdown.

use std::time::Duration;

use bytes::Bytes;
use scribemed_server::Limits;
use tokio::time::{Instant, timeout};

use crate::raw::{ACK, DATA, Frame, GOAWAY, HEADERS, PING, Raw, SETTINGS};
use crate::support::{CHECK, SERVING, WHOLE, for_ever, receive, send, start, start_with};

const SECOND: Duration = Duration::from_secs(1);
const WATCH: &str = "/grpc.health.v1.Health/Watch";

/// The last stream and the code of a GOAWAY.
fn goaway(frame: &Frame) -> (u32, u32) {
    assert_eq!(frame.kind, GOAWAY, "{frame:?}");
    let number = |at: usize| u32::from_be_bytes(frame.payload[at..at + 4].try_into().unwrap());
    (number(0), number(4))
}

fn aged(seconds: u32) -> Limits {
    for_ever().max_age(Some(seconds * SECOND)).seed(7)
}

#[tokio::test(start_paused = true)]
async fn who_is_old_is_told_in_two_steps_and_finishes_its_calls() {
    // Before the time of a call is over.
    let server = start_with(aged(8));
    let begun = Instant::now();
    let mut raw = Raw::connect(&server).await;
    raw.begin(1, CHECK).await;
    // First for no stream in particular: calls may be on their way (RFC 9113, section 6.8).
    let first = raw.next().await.unwrap();
    assert_eq!(goaway(&first), ((1 << 31) - 1, 0));
    let age = begun.elapsed().as_secs_f64();
    assert!((7.2..=8.8).contains(&age), "{age} s");
    let ping = raw.next().await.unwrap();
    assert_eq!(ping.kind, PING);
    // A call that crosses it is served.
    raw.begin(3, CHECK).await;
    raw.finish(3).await;
    assert_eq!(raw.kinds().await, [HEADERS, DATA, HEADERS]);
    raw.send(PING, ACK, 0, &ping.payload).await;
    assert_eq!(goaway(&raw.next().await.unwrap()), (3, 0));
    // And so is one that was there before.
    raw.finish(1).await;
    assert_eq!(raw.kinds().await, [HEADERS, DATA, HEADERS]);
    assert_eq!(raw.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn connections_that_began_together_do_not_end_together() {
    let ages = || async {
        let server = start_with(aged(50));
        let begun = Instant::now();
        let mut ages = Vec::new();
        let mut raws = Vec::new();
        for _ in 0..5 {
            raws.push(Raw::connect(&server).await);
        }
        for raw in &mut raws {
            goaway(&raw.next().await.unwrap());
            ages.push(begun.elapsed().as_millis());
        }
        ages
    };
    let first = ages().await;
    let mut different = first.clone();
    different.dedup();
    assert!(different.len() > 1, "{first:?}");
    assert_eq!(ages().await, first, "a seed gives the same ages");
}

#[tokio::test(start_paused = true)]
async fn calls_that_outlast_the_grace_are_cut_off() {
    let server = start_with(aged(100).age_grace(20 * SECOND));
    let (mut requests, _writes) = server.http2().await;
    let begun = Instant::now();
    let mut watch = send(&mut requests, WATCH, &[], WHOLE)
        .await
        .unwrap()
        .into_body();
    assert_eq!(watch.data().await.unwrap().unwrap(), SERVING);
    assert!(watch.data().await.unwrap().is_err());
    let seconds = begun.elapsed().as_secs();
    assert!((110..=130).contains(&seconds), "{seconds} s");
}

#[tokio::test(start_paused = true)]
async fn who_has_no_calls_is_sent_away() {
    let server = start_with(for_ever().max_idle(Some(9 * SECOND)));
    let mut raw = Raw::connect(&server).await;
    let begun = Instant::now();
    // A call is no idleness, however long it takes.
    raw.begin(1, CHECK).await;
    tokio::time::sleep(8 * SECOND).await;
    raw.finish(1).await;
    assert_eq!(raw.kinds().await, [HEADERS, DATA, HEADERS]);
    goaway(&raw.next().await.unwrap());
    assert_eq!(begun.elapsed().as_secs(), 18);
    // The ping is not answered: it is not waited for without end.
    assert_eq!(raw.next().await.unwrap().kind, PING);
    assert_eq!(goaway(&raw.next().await.unwrap()), (1, 0));
    assert_eq!(raw.next().await, None);
    assert_eq!(begun.elapsed().as_secs(), 23);
}

#[tokio::test(start_paused = true)]
async fn who_watches_learns_of_the_end_by_its_watch_first() {
    let server = start();
    let mut raw = Raw::connect(&server).await;
    raw.begin(1, WATCH).await;
    raw.finish(1).await;
    assert_eq!(raw.kinds().await, [HEADERS, DATA]);
    server.shutdown.cancel();
    let not_serving = raw.next().await.unwrap();
    assert_eq!(
        (not_serving.kind, &not_serving.payload[..]),
        (DATA, &[0, 0, 0, 0, 2, 8, 2][..])
    );
    assert_eq!(raw.kinds().await, [HEADERS, GOAWAY, PING]);
    // It says nothing more, and has no calls: that is waited for 5 s.
    let begun = Instant::now();
    timeout(60 * SECOND, server.served)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(begun.elapsed().as_secs(), 5);
    assert_eq!(goaway(&raw.next().await.unwrap()), (1, 0));
    assert_eq!(raw.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn who_never_ends_its_calls_is_closed_when_the_grace_is_over() {
    let server = start();
    let mut raw = Raw::connect(&server).await;
    raw.begin(1, WATCH).await;
    // It has arrived when there is an answer to what came behind it.
    raw.send(PING, 0, 0, &[0; 8]).await;
    assert_eq!(raw.next().await.unwrap().kind, PING);
    let begun = Instant::now();
    server.shutdown.cancel();
    timeout(60 * SECOND, server.served)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(begun.elapsed().as_secs(), 20);
}

#[tokio::test(start_paused = true)]
async fn calls_on_a_new_connection_go_on_where_those_on_an_old_one_end() {
    let server = start_with(aged(100));
    let (mut old, _writes) = server.http2().await;
    tokio::time::sleep(115 * SECOND).await;
    let refused = old.send_request(
        http::Request::post("http://server/").body(()).unwrap(),
        true,
    );
    assert!(refused.is_err() || refused.unwrap().0.await.is_err());
    let (mut new, _writes) = server.http2().await;
    let response = send(&mut new, CHECK, &[], Bytes::clone(&WHOLE))
        .await
        .unwrap();
    assert_eq!(receive(response).await.0, SERVING);
}

/// A message that does not come is not waited for without end, also where no contract says how long.
#[tokio::test(start_paused = true)]
async fn a_call_of_health_has_ten_seconds() {
    let server = start();
    let mut raw = Raw::connect(&server).await;
    let begun = Instant::now();
    raw.begin(1, CHECK).await;
    assert_eq!(raw.kinds().await, [HEADERS]);
    assert_eq!(begun.elapsed().as_secs(), 10);
}

/// Who watches and does not take what it is told does not hold up the others.
#[tokio::test(start_paused = true)]
async fn who_cannot_be_told_is_not_waited_for() {
    let server = start();
    let mut raw = Raw::connect(&server).await;
    // SETTINGS_INITIAL_WINDOW_SIZE is 0.
    raw.send(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]).await;
    raw.begin(1, WATCH).await;
    raw.finish(1).await;
    assert_eq!(raw.kinds().await, [HEADERS]);
    let begun = Instant::now();
    server.shutdown.cancel();
    assert_eq!(raw.kinds().await, [GOAWAY]);
    assert!(begun.elapsed().as_millis() <= 100);
}

/// Whichever thread the watches and the connections are on.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_that_watch_learn_of_the_end_by_their_watch_first() {
    for _ in 0..10 {
        let server = start();
        let mut raws = Vec::new();
        for _ in 0..20 {
            let mut raw = Raw::connect(&server).await;
            raw.begin(1, WATCH).await;
            raw.finish(1).await;
            assert_eq!(raw.kinds().await, [HEADERS, DATA]);
            raws.push(raw);
        }
        server.shutdown.cancel();
        for raw in &mut raws {
            assert_eq!(raw.next().await.unwrap().payload, [0, 0, 0, 0, 2, 8, 2]);
        }
    }
}
