//! What is wrong with a contract stops the build and is named; what is right is generated.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod can_be;
mod generated;
mod imports;
mod inn;
mod policies;
mod rules;
mod whole;
