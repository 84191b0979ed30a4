//! The service as its callers see it: a real server on a port of its own, a transcription service that follows a script,
//! tokens that are really verified.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod fake;
mod generate;
mod list;
mod logs;
mod notes;
mod refusals;
mod sinks;
mod v1;
mod world;
