//! Peers that fall silent: they are asked whether they are there, and let go of when they do not answer.

use std::time::Duration;

use h2::{Ping, PingPong};
use tokio::time::Instant;

use crate::wire::Vitals;

/// How long a peer may stay silent before it is asked whether it is there, and how long it has to answer.
const PING_INTERVAL: Duration = Duration::from_secs(60);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// Comes back when the peer is gone: when it answered no ping for 20 s after 60 s without a byte from it.
pub(crate) async fn gone(mut ping: PingPong, vitals: Vitals) {
    loop {
        let due = vitals.heard() + PING_INTERVAL;
        if Instant::now() < due {
            tokio::time::sleep_until(due).await;
            continue;
        }
        match tokio::time::timeout(PING_TIMEOUT, ping.ping(Ping::opaque())).await {
            Ok(Ok(_pong)) => {}
            // The connection is failing, and says so itself.
            Ok(Err(_)) => std::future::pending().await,
            Err(_elapsed) => return,
        }
    }
}
