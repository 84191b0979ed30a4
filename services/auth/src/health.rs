//! Health follows the store: the service serves while it can write.

use scribemed_server::{Check, Prompt};

use crate::error::Error;
use crate::store::Store;

/// Looks at the store from time to time, and soon after a call that failed by it.
pub(crate) struct StoreHealth {
    failed: Prompt,
}

impl StoreHealth {
    pub(crate) fn new() -> Self {
        Self {
            failed: Prompt::default(),
        }
    }

    /// The check of this store.
    pub(crate) fn check(&self, store: &Store) -> Check {
        let store = store.clone();
        let look = move || {
            let store = store.clone();
            async move {
                store.present().await?;
                store.probe().await?;
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
            }
        };
        Check::new("store", look).prompted_by(&self.failed)
    }

    /// Notes a failure of the store.
    pub(crate) fn observe(&self, error: &Error) {
        match error {
            Error::Store(_) => self.failed.now(),
            Error::Assertion(_)
            | Error::Replayed
            | Error::NotGranted { .. }
            | Error::SubjectIncomplete
            | Error::EndUser(_)
            | Error::AccessToken(_)
            | Error::NoUser
            | Error::ChainTooLong
            | Error::NoEndUsers
            | Error::Signing(_) => {}
        }
    }
}
