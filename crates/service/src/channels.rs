//! The channels of a platform, to be looked at.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use scribemed_client::ChannelStatus;

type Look = Arc<dyn Fn() -> ChannelStatus + Send + Sync>;

/// Every channel that a platform has made, in the order in which it made them. Clones share the list.
#[derive(Clone, Default)]
pub(crate) struct Channels {
    looks: Arc<Mutex<Vec<(Look, SystemTime)>>>,
}

impl Channels {
    /// Adds a channel: `look` tells how it stands.
    pub(crate) fn add(&self, look: impl Fn() -> ChannelStatus + Send + Sync + 'static) {
        self.lock().push((Arc::new(look), SystemTime::now()));
    }

    /// How each channel stands now.
    pub(crate) fn statuses(&self) -> Vec<ChannelStatus> {
        let all = self.statuses_since().into_iter();
        all.map(|(status, _)| status).collect()
    }

    /// As [`statuses`](Self::statuses), each with the time when the channel was made.
    pub(crate) fn statuses_since(&self) -> Vec<(ChannelStatus, SystemTime)> {
        // Looking takes a while, and a channel that is being made must not wait for it.
        let looks = self.lock().clone();
        looks.iter().map(|(look, since)| (look(), *since)).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(Look, SystemTime)>> {
        // Nothing panics while it is held.
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
