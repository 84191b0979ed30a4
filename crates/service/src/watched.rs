//! What is known of a channel from outside: whether its name can be resolved.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use scribemed_client::ChannelStatus;
use scribemed_discovery::Target;
use tokio::time::Instant;

/// How long is waited after a look-up that failed.
const PAUSE: Duration = Duration::from_millis(250);

/// A channel's target, looked up by us. Clones share what was found.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    service: &'static str,
    target: Target,
    found: Arc<Mutex<Found>>,
}

#[derive(Debug, Default)]
struct Found {
    at: Option<Instant>,
    error: Option<String>,
}

/// The name was not resolved in time. Shows what the resolver said last.
#[derive(Debug)]
pub(crate) struct NeverResolved(String);

impl fmt::Display for NeverResolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Watched {
    pub(crate) fn new(service: &'static str, target: &Target) -> Self {
        Self {
            service,
            target: target.clone(),
            found: Arc::default(),
        }
    }

    /// Looks the name up until there is an address.
    pub(crate) async fn resolved(&self, within: Duration) -> Result<(), NeverResolved> {
        let look_up = async {
            loop {
                let found = tokio::net::lookup_host(self.target.authority())
                    .await
                    .map(|mut addresses| addresses.next());
                let error = match found {
                    Ok(Some(_)) => break,
                    Ok(None) => "no address".to_owned(),
                    Err(error) => error.to_string(),
                };
                self.lock().error = Some(error);
                tokio::time::sleep(PAUSE).await;
            }
            *self.lock() = Found {
                at: Some(Instant::now()),
                error: None,
            };
        };
        tokio::time::timeout(within, look_up).await.map_err(|_| {
            let said = self.lock().error.clone();
            NeverResolved(said.unwrap_or_else(|| "the resolver did not answer".to_owned()))
        })
    }

    pub(crate) fn status(&self) -> ChannelStatus {
        let found = self.lock();
        ChannelStatus {
            service: self.service.to_owned(),
            target: self.target.to_string(),
            load_balancing: "pick_first",
            breaker: "closed",
            breaker_open_for_seconds: 0.0,
            retry_tokens: None,
            attempt_budget: 0,
            throttled_share: 0.0,
            resolver_error: found.error.clone(),
            resolved_seconds_ago: found.at.map(|at| at.elapsed().as_secs_f64()),
            endpoints: Vec::new(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Found> {
        // Nothing panics while it is held.
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
