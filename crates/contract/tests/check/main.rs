//! The check sees each kind of break, and nothing else.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod allow;
mod buf;
mod command;
mod contract;
mod golden;
mod harmless;
mod mutations;
mod rules;
