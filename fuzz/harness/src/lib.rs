//! What must hold for any input that comes from outside: no panic, no endless work, and the promises of each parser.
//!
//! One function for each fuzz target, which panics where something does not hold. libFuzzer calls it from `fuzz_targets`; an
//! ordinary test, which needs no nightly compiler, calls it with the seeds of `fuzz/corpus` and many changes of them:
//!
//! ```sh
//! cargo test --package scribemed-fuzz-harness
//! cargo +nightly fuzz run target_uri
//! ```
//!
//! What libFuzzer finds to be wrong lies in `fuzz/artifacts`; it is moved to `fuzz/corpus` with the repair.
#![allow(
    clippy::missing_panics_doc,
    reason = "to panic is how each target tells: see `Harness`"
)]

mod config;
mod header;
mod target;

pub use config::service_config;
pub use header::{grpc_timeout, metadata, pushback};
pub use target::target_uri;

/// A fuzz target: it panics where the input shows that something does not hold.
pub type Harness = fn(&[u8]);

/// Each target, by its name in `fuzz_targets` and `corpus`.
pub const TARGETS: [(&str, Harness); 5] = [
    ("grpc_timeout", grpc_timeout),
    ("metadata", metadata),
    ("pushback", pushback),
    ("service_config", service_config),
    ("target_uri", target_uri),
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
