//! What must hold for any input that comes from outside: no panic, no endless work, and the promises of each parser.
//!
//! One function for each fuzz target, which panics where something does not hold. libFuzzer calls it from `fuzz_targets`; an
//! ordinary test calls it with the seeds of `fuzz/corpus` and many changes of them. The stable compiler does for both, as
//! long as no sanitizer is asked for, which code without `unsafe` has little use for:
//!
//! ```sh
//! cargo test --package scribemed-fuzz-harness
//! mkdir -p fuzz/found
//! cargo fuzz run --sanitizer none target_uri fuzz/found fuzz/corpus/target_uri
//! ```
//!
//! An input that shows a fault lies in `fuzz/artifacts`; it moves to `fuzz/corpus` together with the repair.

#![allow(
    clippy::missing_panics_doc,
    reason = "to panic is how each target tells: see `Harness`"
)]

mod config;
mod header;
mod target;
mod token;

pub use config::service_config;
pub use header::{grpc_timeout, metadata, pushback};
pub use target::target_uri;
pub use token::token;

/// A fuzz target: it panics where the input shows that something does not hold.
pub type Harness = fn(&[u8]);

/// Each target, by its name in `fuzz_targets` and `corpus`.
pub const TARGETS: [(&str, Harness); 6] = [
    ("grpc_timeout", grpc_timeout),
    ("metadata", metadata),
    ("pushback", pushback),
    ("service_config", service_config),
    ("target_uri", target_uri),
    ("token", token),
];

/// An error tells something, on one line, and not all that it was given.
fn check_error(error: &str) {
    assert!(
        !error.is_empty() && error.len() < 2_000,
        "{} bytes",
        error.len()
    );
    assert!(!error.chars().any(char::is_control), "{error:?}");
}
