//! The official cases between our channel and our server. `cargo xtask interop` plays them against grpc-go.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use scribemed_client::Channel;
use scribemed_testing::interop::{CASES, contracts, serve};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn every_case_holds() {
    let shutdown = CancellationToken::new();
    let (address, serving) = serve(shutdown.clone()).await.unwrap();
    let target = format!("static:///{address}").parse().unwrap();
    for case in CASES {
        let channel = Channel::new(&target, &contracts(), None).unwrap();
        let played = tokio::time::timeout(Duration::from_secs(20), case.play(channel)).await;
        assert!(
            played.as_ref().is_ok_and(Result::is_ok),
            "{}: {played:?}",
            case.name
        );
    }
    shutdown.cancel();
    serving.await.unwrap();
}
