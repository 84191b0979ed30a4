//! What became of spans.

use prometheus::IntCounter;

use super::families::Families;

/// Counts spans by what became of them. Clones share the counts.
#[derive(Debug, Clone)]
pub struct SpanCounts {
    exported: IntCounter,
    failed: IntCounter,
    dropped: IntCounter,
}

impl SpanCounts {
    pub(super) fn new(families: &Families) -> Self {
        let of = |outcome| families.spans.with_label_values(&[outcome]);
        Self {
            exported: of("exported"),
            failed: of("failed"),
            dropped: of("dropped"),
        }
    }

    /// So many were taken by the collector.
    pub fn exported(&self, count: usize) {
        self.exported.inc_by(count as u64);
    }

    /// So many were not.
    pub fn failed(&self, count: usize) {
        self.failed.inc_by(count as u64);
    }

    /// So many found no room.
    pub fn dropped(&self, count: usize) {
        self.dropped.inc_by(count as u64);
    }
}
