//! What is counted by status code.

use std::sync::OnceLock;
use std::time::Duration;

use prometheus::Histogram;
use scribemed_rpc::code::NAMES;

const UNKNOWN: usize = 2;

/// The name of a gRPC status code, as A66 spells it: `NOT_FOUND`. A code that is none is UNKNOWN.
pub fn code_name(code: i32) -> &'static str {
    NAMES[index(code)]
}

fn index(code: i32) -> usize {
    usize::try_from(code)
        .ok()
        .filter(|code| *code < NAMES.len())
        .unwrap_or(UNKNOWN)
}

/// A handle for each status code, made when that code is first seen.
pub(super) struct ByCode<T>([OnceLock<T>; NAMES.len()]);

/// The calls, or the attempts, that ended with one code.
pub(super) struct Ended {
    pub(super) duration: Histogram,
    pub(super) sent: Histogram,
    pub(super) received: Histogram,
}

impl<T> ByCode<T> {
    pub(super) fn new() -> Self {
        Self([const { OnceLock::new() }; NAMES.len()])
    }

    /// The handle for `code`, made by `make` from its name; a code that is none counts as UNKNOWN.
    pub(super) fn get(&self, code: i32, make: impl FnOnce(&'static str) -> T) -> &T {
        let code = index(code);
        self.0[code].get_or_init(|| make(NAMES[code]))
    }
}

impl Ended {
    pub(super) fn observe(&self, duration: Duration, sent_bytes: u64, received_bytes: u64) {
        self.duration.observe(duration.as_secs_f64());
        self.sent.observe(bytes(sent_bytes));
        self.received.observe(bytes(received_bytes));
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "exact below 8 PiB, and a sum of sizes beyond that"
)]
fn bytes(count: u64) -> f64 {
    count as f64
}
