//! The auth service over the wire: a real server, the generated client, a database in a temporary folder.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed unwrap is a failed test"
)]

mod delegation;
mod exchange;
mod operation;
mod rotation;
mod support;
