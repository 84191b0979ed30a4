//! An exporter whose successes and failures are counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use crate::metrics::SpanCounts;

#[derive(Debug)]
pub(super) struct Counted<E> {
    inner: E,
    /// Spans that were taken and are not exported yet.
    waiting: Arc<AtomicUsize>,
    counts: SpanCounts,
    /// The last export failed: the log has it already.
    failing: AtomicBool,
}

impl<E> Counted<E> {
    pub(super) fn new(inner: E, waiting: Arc<AtomicUsize>, counts: SpanCounts) -> Self {
        Self {
            inner,
            waiting,
            counts,
            failing: AtomicBool::new(false),
        }
    }
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        let done = self.inner.export(batch).await;
        self.waiting.fetch_sub(count, Ordering::Relaxed);
        match &done {
            Ok(()) => self.counts.exported(count),
            Err(_) => self.counts.failed(count),
        }
        let failing = done.is_err();
        if self.failing.swap(failing, Ordering::Relaxed) != failing {
            match &done {
                Ok(()) => tracing::info!("spans are exported again"),
                Err(error) => {
                    tracing::warn!(%error, "spans cannot be exported, and are lost until they can");
                }
            }
        }
        done
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
