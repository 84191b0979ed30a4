//! Keeps what is known of a target up to date.

mod config;
mod schedule;
mod task;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::address::distinct;
use crate::subset::subset;
use crate::target::Kind;
use crate::{Address, Resolve, ResolveError, Target};
pub use config::{Config, Subset};
use task::Task;

/// Keeps what is known of a target up to date. Dropping it ends its task; who subscribed keeps the last view.
///
/// A target is looked up at once, then again when its records have expired, at the latest after [`Config::interval`], and at
/// once on [`refresh`](Self::refresh). A look-up that fails changes nothing but [`View::error`], and is repeated with
/// backoff: **once there are addresses, there always are.** So an empty answer takes no client down.
///
/// A static list and a Unix socket are there from the start and never looked up.
#[derive(Debug)]
pub struct Discovery {
    views: Arc<watch::Sender<View>>,
    refresh: Arc<Notify>,
    /// Ends with this. None for what never changes.
    _task: Option<AbortOnDropHandle<()>>,
}

/// What is known of a target.
#[derive(Clone, Debug)]
pub struct View {
    /// The last good set: one look-up's, as a subset if it is large. Empty only as long as no look-up has worked.
    pub addresses: Arc<[Address]>,
    /// When the last good look-up ended. Subscribers are not woken when only this changes.
    pub resolved_at: Option<Instant>,
    /// What went wrong in the last look-up; `None` when it worked.
    pub error: Option<Arc<ResolveError>>,
}

impl Discovery {
    /// Starts to look `target` up. Values of `config` that are out of their range are brought into it.
    ///
    /// # Panics
    /// Outside of a tokio runtime, unless the target is a static list or a Unix socket.
    pub fn start(target: Target, resolver: Arc<dyn Resolve>, config: Config) -> Self {
        let config = config.in_range();
        let known = match target.kind() {
            Kind::Static(addresses) => Some(addresses.clone()),
            Kind::Unix(path) => Some(vec![Address::Unix(Arc::clone(path))]),
            Kind::Dns { .. } | Kind::Srv { .. } | Kind::Names(_) => None,
        };
        let refresh = Arc::new(Notify::new());
        let Some(known) = known else {
            let views = Arc::new(watch::Sender::new(View {
                addresses: Arc::new([]),
                resolved_at: None,
                error: None,
            }));
            let task = Task::new(
                target,
                resolver,
                config,
                Arc::clone(&views),
                Arc::clone(&refresh),
            );
            return Self {
                views,
                refresh,
                _task: Some(AbortOnDropHandle::new(tokio::spawn(task.run()))),
            };
        };
        let views = Arc::new(watch::Sender::new(View {
            addresses: select(distinct(known), &config).into(),
            resolved_at: Some(Instant::now()),
            error: None,
        }));
        Self {
            views,
            refresh,
            _task: None,
        }
    }

    /// Follows what is known. The receiver is woken when addresses or the error change.
    pub fn subscribe(&self) -> watch::Receiver<View> {
        self.views.subscribe()
    }

    /// Looks up again, at once or [`Config::floor`] after the last look-up. Meant to be called on each lost connection: calls
    /// that come before the look-up starts are one.
    pub fn refresh(&self) {
        self.refresh.notify_one();
    }

    /// What is known now.
    pub fn view(&self) -> View {
        self.views.borrow().clone()
    }
}

/// Those of a good set that this client uses.
fn select(addresses: Vec<Address>, config: &Config) -> Vec<Address> {
    match config.subset {
        Some(Subset { size }) => subset(&addresses, config.seed, size),
        None => addresses,
    }
}
