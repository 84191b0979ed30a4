//! Checks: what a service needs, looked at again and again.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tokio::sync::Notify;

use super::Health;
use crate::builder::Builder;

/// Between two looks while a check passes.
const INTERVAL: Duration = Duration::from_secs(5);
/// What has not answered by then has failed.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Between two looks after a failure, and at least between any two: callers that heed the health stay away meanwhile, so
/// no call of theirs would show that it works again.
const RETRY: Duration = Duration::from_secs(1);
/// So many failures in a row make NOT_SERVING, so that one slow disk write takes nobody out of rotation. One success is
/// enough for the way back: it was a real one, of all that is needed.
const FAILURES: u32 = 2;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Look = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

/// Something that services need and that can be missing: a store that can be written, a model that is loaded, keys that
/// are fresh. While the server runs it is looked at every 5 s, and 1 s after a failure. Two failures in a row make its
/// services NOT_SERVING, with a reason for the operator ([`Health::reasons`]); one success makes them serve again.
///
/// The first look comes before the first connection is accepted, and counts at once: what cannot do its work at the start
/// never says that it serves.
///
/// A look must have no effect that is seen. What it says on failure goes into the log and to `/readyz`, never to callers,
/// and must not hold what patients said.
pub struct Check {
    name: &'static str,
    services: Vec<&'static str>,
    interval: Duration,
    timeout: Duration,
    look: Box<dyn Fn() -> Look + Send + Sync>,
    prompt: Prompt,
}

/// Asks for a look before its time, for whoever has just seen something fail. Clones are one.
#[derive(Debug, Clone, Default)]
pub struct Prompt {
    asked: Arc<Notify>,
}

impl Prompt {
    /// Has the check look now, or 1 s after its last look. Never waits.
    pub fn now(&self) {
        self.asked.notify_one();
    }
}

impl Check {
    /// A check of this name, which fails when `look` does, panics, or takes longer than its time. It concerns every service
    /// of its server.
    pub fn new<F, T, E>(name: &'static str, look: F) -> Self
    where
        F: Fn() -> T + Send + Sync + 'static,
        T: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        Self {
            name,
            services: Vec::new(),
            interval: INTERVAL,
            timeout: TIMEOUT,
            look: Box::new(move || Box::pin(look().map(|seen| seen.map_err(Into::into)))),
            prompt: Prompt::default(),
        }
    }

    /// Concerns only these services, by full name.
    #[must_use]
    pub fn of(mut self, services: impl IntoIterator<Item = &'static str>) -> Self {
        self.services = services.into_iter().collect();
        self
    }

    /// How long to wait between two looks while it passes. Default 5 s, and never less than 1 s.
    #[must_use]
    pub fn every(mut self, interval: Duration) -> Self {
        self.interval = interval.max(RETRY);
        self
    }

    /// How long a look may take. Default 2 s.
    #[must_use]
    pub fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Looks when `prompt` asks for it, besides.
    #[must_use]
    pub fn prompted_by(mut self, prompt: &Prompt) -> Self {
        self.prompt = prompt.clone();
        self
    }

    /// Why it fails; `None`: it passes.
    async fn failure(&self) -> Option<String> {
        // Making the future may panic as well as polling it.
        let look = async { (self.look)().await };
        let look = AssertUnwindSafe(look).catch_unwind();
        match tokio::time::timeout(self.timeout, look).await {
            Ok(Ok(Ok(()))) => None,
            Ok(Ok(Err(error))) => Some(with_causes(&*error)),
            Ok(Err(_panic)) => Some("the check panicked; the log tells where".to_owned()),
            Err(_elapsed) => Some(format!("no answer within {:?}", self.timeout)),
        }
    }
}

impl Builder {
    /// Keeps looking at something that services of this server need. See [`Check`].
    #[must_use]
    pub fn check(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("name", &self.name)
            .field("services", &self.services)
            .field("interval", &self.interval)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// A check at work.
pub(crate) struct Kept {
    check: Check,
    health: Health,
    /// Failures in a row.
    failures: u32,
}

impl Kept {
    /// Looks once. So many failures in a row count.
    async fn look(&mut self, enough: u32) {
        let Check { name, services, .. } = &self.check;
        let Some(reason) = self.check.failure().await else {
            self.failures = 0;
            if self.health.pass(name) {
                tracing::info!(check = name, "a health check passes again");
            }
            return;
        };
        self.failures = self.failures.saturating_add(1);
        if self.failures < enough {
            tracing::debug!(check = name, reason, "a health check failed once");
        } else if self.health.fail(name, services, reason.clone()) {
            tracing::warn!(check = name, reason, "NOT_SERVING: a health check fails");
        }
    }

    async fn run(mut self) -> Infallible {
        loop {
            tokio::time::sleep(RETRY).await;
            if self.failures == 0 {
                let rest = self.check.interval.saturating_sub(RETRY);
                tokio::select! {
                    () = tokio::time::sleep(rest) => {}
                    () = self.check.prompt.asked.notified() => {}
                }
            }
            self.look(FAILURES).await;
        }
    }
}

/// Looks at everything once, together. A failure counts at once.
pub(crate) async fn begin(checks: Vec<Check>, health: &Health) -> Vec<Kept> {
    let begin = |check| async {
        let mut kept = Kept {
            check,
            health: health.clone(),
            failures: 0,
        };
        kept.look(1).await;
        kept
    };
    join_all(checks.into_iter().map(begin)).await
}

/// Keeps looking.
pub(crate) async fn keep(checks: Vec<Kept>) {
    join_all(checks.into_iter().map(Kept::run)).await;
    // None of them ends, and without any there is nothing to do.
    std::future::pending::<()>().await;
}

/// An error and what it came from, on one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
