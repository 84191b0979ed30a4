//! What the contract tool writes, and that others can take it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod browser;
mod calls;
mod docs;
mod examples;
mod explain;
mod golden;
mod grpcurl;
mod input;
mod openapi;
mod peer;
mod python;
mod service_config;
mod support;
