//! The service over real connections, with a real database.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    deprecated,
    reason = "a test fails by panicking, and version 1 is served to its end"
)]

mod accepting;
mod ending;
mod listing;
mod model;
mod refusing;
mod restarting;
mod support;
mod versions;
