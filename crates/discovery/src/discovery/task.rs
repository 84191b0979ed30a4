//! The loop that looks up.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::schedule::Schedule;
use super::{Config, View, select};
use crate::address::{distinct, interleave};
use crate::target::Kind;
use crate::{Address, Resolution, Resolve, ResolveError, Target};

/// Looks up, tells, waits; until it is dropped.
pub(super) struct Task {
    target: Target,
    resolver: Arc<dyn Resolve>,
    config: Config,
    schedule: Schedule,
    views: Arc<watch::Sender<View>>,
    refresh: Arc<Notify>,
}

impl Task {
    pub(super) fn new(
        target: Target,
        resolver: Arc<dyn Resolve>,
        config: Config,
        views: Arc<watch::Sender<View>>,
        refresh: Arc<Notify>,
    ) -> Self {
        Self {
            target,
            resolver,
            schedule: Schedule::new(&config),
            config,
            views,
            refresh,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            let Some(wait) = self.step().await else {
                return;
            };
            let done = Instant::now();
            self.wait(done, wait).await;
        }
    }

    /// One look-up; then how long to wait. `None`: the answer holds for ever.
    async fn step(&mut self) -> Option<Duration> {
        let limit = self.config.timeout;
        let answer = match timeout(limit, self.resolver.resolve(&self.target)).await {
            Ok(Ok(answer)) if answer.addresses.is_empty() => {
                Err(ResolveError::empty(self.target.to_string()))
            }
            Ok(answer) => answer,
            Err(_) => Err(ResolveError::timeout(self.target.to_string(), limit)),
        };
        match answer {
            Ok(Resolution { addresses, ttl }) => {
                self.publish(addresses);
                ttl.map(|ttl| self.schedule.after_success(ttl))
            }
            Err(error) => {
                self.fail(error);
                Some(self.schedule.after_failure())
            }
        }
    }

    /// Waits, shorter if somebody asks, but never shorter than the floor.
    async fn wait(&self, since: Instant, wait: Duration) {
        let until = since + wait;
        tokio::select! {
            biased;
            () = sleep_until(until) => {}
            () = self.refresh.notified() => sleep_until(until.min(since + self.config.floor)).await,
        }
        // Whoever asked until now gets the look-up that begins now.
        tokio::select! {
            biased;
            () = self.refresh.notified() => {}
            () = std::future::ready(()) => {}
        }
    }

    fn publish(&self, addresses: Vec<Address>) {
        let addresses = self.choose(addresses);
        self.views.send_if_modified(|view| {
            view.resolved_at = Some(Instant::now());
            let changed = *view.addresses != *addresses;
            let recovered = view.error.take().is_some();
            if changed {
                tracing::info!(
                    target = %self.target,
                    before = view.addresses.len(),
                    after = addresses.len(),
                    "addresses changed"
                );
                view.addresses = addresses.into();
            }
            changed || recovered
        });
    }

    fn fail(&self, error: ResolveError) {
        self.views.send_if_modified(|view| {
            let first = view.addresses.is_empty() && !error.partial().is_empty();
            if first {
                view.addresses = self.choose(error.partial().to_vec()).into();
            }
            if view.error.as_deref() == Some(&error) {
                return first;
            }
            tracing::warn!(target = %self.target, kept = view.addresses.len(), %error, "look-up failed");
            view.error = Some(Arc::new(error));
            true
        });
    }

    /// The addresses to use, in an order that a set has only one of, unless the order was given by somebody.
    fn choose(&self, addresses: Vec<Address>) -> Vec<Address> {
        let ordered = match self.target.kind() {
            Kind::Dns { .. } => interleave(addresses),
            Kind::Srv { .. } | Kind::Static(_) | Kind::Names(_) | Kind::Unix(_) => {
                distinct(addresses)
            }
        };
        select(ordered, &self.config)
    }
}
