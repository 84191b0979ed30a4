//! The channel against scripted peers: what its user notices when the peer or the network misbehaves.
//!
//! Peers are HTTP/2 servers on a network in memory, so the clock can be paused: every wait is exact, and takes no time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod answer;
mod bad_peers;
mod balancing;
mod breaker;
mod compression;
mod connections;
mod deadline;
mod discovery;
mod health;
mod hedging;
mod keepalive;
mod limits;
mod net;
mod outlier;
mod peer;
mod pushback;
mod raw;
mod resend;
mod retry;
mod service_config;
mod streaming;
mod support;
mod tls;
mod sockets;
mod upload;
