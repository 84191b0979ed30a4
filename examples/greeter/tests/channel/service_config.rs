//! The operator's file over the contract.

use std::path::PathBuf;

use scribemed_client::{BuildError, Channel};
use tempfile::TempDir;
use tokio::time::Instant;
use tonic::Code;

use crate::answer::Answer;
use crate::net::Net;
use crate::support::{CONTRACT, builder, client, contract, error, id, ms, over, ready, request, soon, until};

fn file(content: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("greeter.json");
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

fn build(net: &Net, path: &std::path::Path) -> Result<Channel, BuildError> {
    builder(net, CONTRACT, |_| {})
        .service_config(Some(path.to_owned()))
        .build()
}

fn of_flaky(more: &str) -> String {
    format!(
        r#"{{"methodConfig": [{{"name": [{{"service": "greeter.v1.ResilienceService", "method": "Flaky"}}], {more}}}]}}"#
    )
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_shortened() {
    let (net, [peer]) = Net::of();
    let (_folder, path) = file(&of_flaky(r#""timeout": "0.2s""#));
    let channel = build(&net, &path).unwrap();
    peer.always(Answer::Never);
    let begun = Instant::now();
    let status = error(over(&channel).flaky(request("a")).await);
    assert_eq!((status.code(), begun.elapsed()), (Code::DeadlineExceeded, ms(200)));
    // Other methods keep theirs.
    let begun = Instant::now();
    error(over(&channel).flaky_once(request("a")).await);
    assert_eq!(begun.elapsed(), ms(5_000));
}

#[tokio::test(start_paused = true)]
async fn there_are_more_attempts() {
    let (net, [peer]) = Net::of();
    let (_folder, path) = file(&of_flaky(
        r#""retryPolicy": {"maxAttempts": 5, "initialBackoff": "1s", "maxBackoff": "1s", "backoffMultiplier": 1,
            "retryableStatusCodes": ["NOT_FOUND"]}"#,
    ));
    let channel = build(&net, &path).unwrap();
    peer.next(vec![Answer::Fail(Code::NotFound); 3]);
    let begun = Instant::now();
    over(&channel).flaky(request("a")).await.unwrap();
    assert_eq!(peer.count(), 4);
    assert!(begun.elapsed() > ms(2_400), "{:?}", begun.elapsed());
    peer.next([Answer::Fail(Code::Unavailable)]);
    error(over(&channel).flaky(request("a")).await);
}

/// By a throttle that allows none: the standard has no other word for it.
#[tokio::test(start_paused = true)]
async fn retries_are_switched_off() {
    let (net, [peer]) = Net::of();
    let (_folder, path) = file(r#"{"retryThrottling": {"maxTokens": 1, "tokenRatio": 0.001}}"#);
    let channel = build(&net, &path).unwrap();
    peer.always(Answer::Fail(Code::Unavailable));
    error(over(&channel).flaky(request("a")).await);
    assert_eq!(peer.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn balancing_is_chosen() {
    let (net, peers) = Net::of::<3>();
    let (_folder, path) = file(r#"{"loadBalancingConfig": [{"round_robin": {}}]}"#);
    let channel = build(&net, &path).unwrap();
    ready(&channel, 3).await;
    for _ in 0..30 {
        over(&channel).flaky_once(request("a")).await.unwrap();
    }
    assert!(peers.iter().all(|peer| peer.count() == 10));
}

#[tokio::test(start_paused = true)]
async fn a_change_is_taken_over_while_calls_run() {
    let (net, [peer]) = Net::of();
    let (_folder, path) = file("{}");
    let channel = build(&net, &path).unwrap();
    assert_eq!(channel.status().load_balancing, "peak_ewma");
    peer.next([Answer::after(ms(4_000), Answer::Echo)]);
    let mut client = over(&channel);
    let running = tokio::spawn(async move { client.flaky(request("old")).await });
    peer.until(|log| log.calls.len() == 1).await;

    let changed = of_flaky(r#""timeout": "0.1s""#).replacen('{', r#"{"loadBalancingPolicy": "pick_first", "#, 1);
    std::fs::write(&path, &changed).unwrap();
    until(&channel, |status| status.load_balancing == "pick_first").await;
    peer.next([Answer::Never]);
    let begun = Instant::now();
    let status = error(over(&channel).flaky(request("new")).await);
    assert_eq!((status.code(), begun.elapsed()), (Code::DeadlineExceeded, ms(100)));

    // What is broken is not taken over.
    std::fs::write(&path, "{").unwrap();
    tokio::time::sleep(ms(1_500)).await;
    assert_eq!(channel.status().load_balancing, "pick_first");
    // What ran goes on as it began.
    assert_eq!(id(soon(running).await.unwrap().unwrap()), "old");
}

#[tokio::test]
async fn a_wrong_file_is_refused_with_its_place() {
    let (net, _) = Net::of::<1>();
    for (content, place) in [
        ("{", "line 1, column"),
        (r#"{"methodConfig": [{"name": [{}], "timeout": "soon"}]}"#, "methodConfig[0].timeout"),
        (r#"{"retries": 1}"#, "retries"),
        (
            r#"{"methodConfig": [{"name": [{"service": "greeter.v1.ResilienceService", "method": "FlakyOnce"}],
                "retryPolicy": {"maxAttempts": 2, "initialBackoff": "1s", "maxBackoff": "1s", "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"]}}]}"#,
            "methodConfig[0].retryPolicy",
        ),
    ] {
        let (_folder, path) = file(content);
        let refused = build(&net, &path).unwrap_err();
        assert!(refused.to_string().contains(&path.display().to_string()), "{refused}");
        let source = std::error::Error::source(&refused).unwrap().to_string();
        assert!(source.contains(place), "{source}");
    }
    let missing = build(&net, std::path::Path::new("/nowhere/greeter.json")).unwrap_err();
    assert!(missing.to_string().contains("/nowhere/greeter.json"), "{missing}");
}
