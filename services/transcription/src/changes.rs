//! Who watches which transcription, within this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use uuid::Uuid;

/// Tells watchers that a transcription has changed. Clones share the watchers.
///
/// It carries no content: whoever is told reads the store. So a watcher that is slow sees the latest state, not each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    watched: Arc<Mutex<HashMap<Uuid, watch::Sender<()>>>>,
}

impl Changes {
    /// Watches a transcription from now on. Subscribe first and read then, or a change in between is missed.
    pub(crate) fn subscribe(&self, id: Uuid) -> Subscription {
        let seen = self.lock().entry(id).or_default().subscribe();
        Subscription {
            changes: self.clone(),
            id,
            seen,
        }
    }

    /// Tells who watches that the transcription has changed. Call it after the commit.
    pub(crate) fn notify(&self, id: Uuid) {
        if let Some(sender) = self.lock().get(&id) {
            sender.send_replace(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, watch::Sender<()>>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A watched transcription.
#[derive(Debug)]
pub(crate) struct Subscription {
    changes: Changes,
    id: Uuid,
    seen: watch::Receiver<()>,
}

impl Subscription {
    /// Waits for a change since the last call.
    ///
    /// # Cancel safety
    /// Dropping the future loses no change.
    pub(crate) async fn changed(&mut self) {
        if self.seen.changed().await.is_err() {
            // The sender stays in the map for as long as anybody watches.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut watched = self.changes.lock();
        // This receiver is still counted.
        if watched
            .get(&self.id)
            .is_some_and(|sender| sender.receiver_count() <= 1)
        {
            watched.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tells_the_watchers_of_one_transcription() {
        let changes = Changes::default();
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut first = changes.subscribe(one);
        let mut second = changes.subscribe(one);
        changes.notify(other);
        changes.notify(one);
        first.changed().await;
        second.changed().await;
        assert!(!first.seen.has_changed().unwrap_or(true));
        drop(first);
        changes.notify(one);
        second.changed().await;
        drop(second);
        assert!(changes.lock().is_empty());
    }
}
