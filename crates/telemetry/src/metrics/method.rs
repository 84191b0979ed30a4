//! The metrics of one method's calls.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use prometheus::{Histogram, HistogramVec, IntCounter};

use super::ended::{ByCode, Ended};
use super::families::Families;

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
    attempts: ByCode<Ended>,
    calls: ByCode<Histogram>,
    retries: OnceLock<Histogram>,
    transparent_retries: OnceLock<Histogram>,
    hedges: OnceLock<Histogram>,
    retry_delay: OnceLock<Histogram>,
    deprecated: OnceLock<IntCounter>,
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
                attempts: ByCode::new(),
                calls: ByCode::new(),
                retries: OnceLock::new(),
                transparent_retries: OnceLock::new(),
                hedges: OnceLock::new(),
                retry_delay: OnceLock::new(),
                deprecated: OnceLock::new(),
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
        let Shared {
            families, attempts, ..
        } = &*self.shared;
        attempts
            .get(code, |status| Ended {
                duration: self.shared.ended(&families.attempt_duration, status),
                sent: self.shared.ended(&families.attempt_sent, status),
                received: self.shared.ended(&families.attempt_received, status),
            })
            .observe(duration, sent_bytes, received_bytes);
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
        calls
            .get(code, |status| {
                self.shared.ended(&families.call_duration, status)
            })
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

    /// The service said that the method goes away (RFC 9745).
    pub fn deprecated(&self) {
        let Shared {
            families,
            target,
            method,
            ..
        } = &*self.shared;
        let labels = [*method, target];
        self.shared
            .deprecated
            .get_or_init(|| families.deprecated.with_label_values(&labels))
            .inc();
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
