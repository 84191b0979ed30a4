//! Health follows the store: the service serves while it can write.

use std::convert::Infallible;
use std::time::Duration;

use scribemed_proto::auth::v1::auth_service_server::SERVICE_NAME;
use scribemed_server::{Health, Status};
use tokio::sync::Notify;

use crate::error::Error;
use crate::store::Store;

/// How often a store that failed is tried. Callers that heed the health stay away meanwhile, so no call of theirs would
/// show that it works again.
const RETRY: Duration = Duration::from_secs(1);

/// Tells the health what becomes of the store.
pub(crate) struct StoreHealth {
    health: Health,
    failed: Notify,
}

impl StoreHealth {
    pub(crate) fn new(health: Health) -> Self {
        Self {
            health,
            failed: Notify::new(),
        }
    }

    /// Notes a failure of the store.
    pub(crate) fn observe(&self, error: &Error) {
        match error {
            Error::Store(_) => {
                self.health.set(SERVICE_NAME, Status::NotServing);
                self.failed.notify_one();
            }
            Error::Assertion(_)
            | Error::Replayed
            | Error::NotGranted { .. }
            | Error::Signing(_) => {}
        }
    }

    /// After a failure, tries the store until it can be written again.
    pub(crate) async fn mend(&self, store: &Store) -> Infallible {
        loop {
            self.failed.notified().await;
            loop {
                tokio::time::sleep(RETRY).await;
                match store.probe().await {
                    Ok(()) => break,
                    Err(error) => tracing::debug!(
                        error = &error as &dyn std::error::Error,
                        "the store still fails"
                    ),
                }
            }
            tracing::info!("the store works again");
            self.health.set(SERVICE_NAME, Status::Serving);
        }
    }
}
