//! The metrics of one method's calls.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use prometheus::{Histogram, HistogramVec, IntCounter};

use super::families::Families;

/// Status codes by their number, as A66 spells them.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];
const UNKNOWN: usize = 2;

/// The metrics of the calls of one method to one target. Cheap to clone; every method of it costs a few atomic operations.
#[derive(Clone)]
pub struct MethodMetrics {
    shared: Arc<Shared>,
}

struct Shared {
    families: Arc<Families>,
    target: Arc<str>,
    method: &'static str,
    started: IntCounter,
    attempts: [OnceLock<Attempts>; CODES.len()],
    calls: [OnceLock<Histogram>; CODES.len()],
    retries: OnceLock<Histogram>,
    transparent_retries: OnceLock<Histogram>,
    hedges: OnceLock<Histogram>,
    retry_delay: OnceLock<Histogram>,
}

/// The attempts that ended with one code.
struct Attempts {
    duration: Histogram,
    sent: Histogram,
    received: Histogram,
}

impl MethodMetrics {
    pub(super) fn new(families: Arc<Families>, target: Arc<str>, method: &'static str) -> Self {
        let started = families
            .attempt_started
            .with_label_values(&[method, &*target]);
        Self {
            shared: Arc::new(Shared {
                families,
                target,
                method,
                started,
                attempts: [const { OnceLock::new() }; CODES.len()],
                calls: [const { OnceLock::new() }; CODES.len()],
                retries: OnceLock::new(),
                transparent_retries: OnceLock::new(),
                hedges: OnceLock::new(),
                retry_delay: OnceLock::new(),
            }),
        }
    }

    /// An attempt begins: an endpoint is looked for.
    pub fn attempt_started(&self) {
        self.shared.started.inc();
    }

    /// An attempt ended with the gRPC status `code` (0 to 16; any other counts as UNKNOWN), `duration` after it began,
    /// having sent and received so many bytes of messages.
    pub fn attempt_ended(
        &self,
        code: i32,
        duration: Duration,
        sent_bytes: u64,
        received_bytes: u64,
    ) {
        let (code, status) = known(code);
        let Some(handles) = self.shared.attempts.get(code) else {
            return;
        };
        let Attempts {
            duration: durations,
            sent,
            received,
        } = handles.get_or_init(|| {
            let of = |family| self.shared.ended(family, status);
            Attempts {
                duration: of(&self.shared.families.attempt_duration),
                sent: of(&self.shared.families.attempt_sent),
                received: of(&self.shared.families.attempt_received),
            }
        });
        durations.observe(duration.as_secs_f64());
        sent.observe(bytes(sent_bytes));
        received.observe(bytes(received_bytes));
    }

    /// A call ended with the gRPC status `code` (as for [`attempt_ended`](Self::attempt_ended)), `duration` after its
    /// caller made it. `retry_delay` is the time in which no attempt was under way. Retries, hedges and delay are counted
    /// of calls that had any (A96).
    pub fn call_ended(
        &self,
        code: i32,
        duration: Duration,
        retries: u32,
        transparent_retries: u32,
        hedges: u32,
        retry_delay: Duration,
    ) {
        let Shared {
            families, calls, ..
        } = &*self.shared;
        let (code, status) = known(code);
        let Some(handle) = calls.get(code) else {
            return;
        };
        handle
            .get_or_init(|| self.shared.ended(&families.call_duration, status))
            .observe(duration.as_secs_f64());
        let some = |handle: &OnceLock<Histogram>, family: &HistogramVec, value: f64| {
            if value > 0.0 {
                handle
                    .get_or_init(|| self.shared.call(family))
                    .observe(value);
            }
        };
        some(&self.shared.retries, &families.retries, retries.into());
        some(
            &self.shared.transparent_retries,
            &families.transparent_retries,
            transparent_retries.into(),
        );
        some(&self.shared.hedges, &families.hedges, hedges.into());
        some(
            &self.shared.retry_delay,
            &families.retry_delay,
            retry_delay.as_secs_f64(),
        );
    }
}

impl Shared {
    fn ended(&self, family: &HistogramVec, status: &str) -> Histogram {
        family.with_label_values(&[self.method, &*self.target, status])
    }

    fn call(&self, family: &HistogramVec) -> Histogram {
        family.with_label_values(&[self.method, &*self.target])
    }
}

impl std::fmt::Debug for MethodMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MethodMetrics")
            .field("method", &self.shared.method)
            .field("target", &self.shared.target)
            .finish_non_exhaustive()
    }
}

fn known(code: i32) -> (usize, &'static str) {
    usize::try_from(code)
        .ok()
        .and_then(|code| Some((code, *CODES.get(code)?)))
        .unwrap_or((UNKNOWN, "UNKNOWN"))
}

#[allow(
    clippy::cast_precision_loss,
    reason = "exact below 8 PiB, and a sum of sizes beyond that"
)]
fn bytes(count: u64) -> f64 {
    count as f64
}
