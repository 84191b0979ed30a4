//! Whether there are keys to verify with, for a health check.

use super::super::error::Error;
use super::CachedKeys;

impl CachedKeys {
    /// Whether tokens can be verified: there are keys, and they are not older than `max_stale`. Fetches them when there are
    /// none that may be used, so that the first caller need not wait, and asks for new ones in the background when they are
    /// older than `max_age`.
    ///
    /// # Errors
    /// [`Error::is_unavailable`]: no keys that may be used, and none could be fetched.
    ///
    /// # Cancel safety
    /// Cancel safe: a fetch of keys that has begun goes on.
    pub async fn fresh(&self) -> Result<(), Error> {
        let now = self.inner.flight.now();
        let seen = self.inner.flight.value().clone();
        if seen.as_ref().is_some_and(|seen| self.accept(seen, now)) {
            return Ok(());
        }
        self.start(seen.as_ref())?.outcome().await?;
        Ok(())
    }
}
