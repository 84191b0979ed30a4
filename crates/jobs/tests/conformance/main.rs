//! What a job store promises, on a real database and with processes that are really killed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop there"
)]

#[cfg(unix)]
mod crash;
mod database;
mod leases;
mod outcomes;
mod running;
mod store;
mod support;
