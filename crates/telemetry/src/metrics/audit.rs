//! The audit log, looked at when the metrics are read.

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{IntGauge, Opts};

/// What the metrics tell of an audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditState {
    /// The number of the last record that is on the disk.
    pub sequence: u64,
    /// Whether the disk takes nothing at the moment.
    pub failing: bool,
}

/// Two gauges that are set when they are read.
pub(super) struct Audit<F> {
    look: F,
    sequence: IntGauge,
    failing: IntGauge,
}

impl<F: Fn() -> AuditState> Audit<F> {
    pub(super) fn new(look: F) -> prometheus::Result<Self> {
        let gauge = |name, help| IntGauge::with_opts(Opts::new(name, help));
        Ok(Self {
            look,
            sequence: gauge(
                "scribemed_audit_sequence",
                "The number of the last record of the audit log that is on the disk.",
            )?,
            failing: gauge(
                "scribemed_audit_failing",
                "1 while the audit log cannot be written, and calls are refused for it.",
            )?,
        })
    }
}

impl<F: Fn() -> AuditState + Send + Sync> Collector for Audit<F> {
    fn desc(&self) -> Vec<&Desc> {
        [&self.sequence, &self.failing]
            .into_iter()
            .flat_map(Collector::desc)
            .collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let AuditState { sequence, failing } = (self.look)();
        self.sequence
            .set(i64::try_from(sequence).unwrap_or(i64::MAX));
        self.failing.set(failing.into());
        [&self.sequence, &self.failing]
            .into_iter()
            .flat_map(Collector::collect)
            .collect()
    }
}
