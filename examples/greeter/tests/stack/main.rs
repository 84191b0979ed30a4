//! The whole stack over loopback: generated clients over the channel, and bare HTTP/2 where a client would hide something.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod calls;
mod channelz;
mod context;
mod deadline;
mod delegation;
mod drain;
mod errors;
mod health;
mod hostile;
mod identity;
mod limits;
mod metadata;
mod overload;
mod peer;
mod process;
mod raw;
mod reflection;
mod restarts;
mod rotation;
mod spans;
mod support;
mod tls;
mod tokens;
mod told;
mod trouble;
mod upstream;
mod versions;
