//! Following a note until it is generated.

use futures_util::Stream;
use futures_util::stream::try_unfold;
use tokio::sync::broadcast::{self, error::RecvError};
use uuid::Uuid;

use super::Core;
use crate::error::Error;
use crate::note::{Etag, Note, StateName};

/// A watcher that is further behind than this reads its note anew, which is all that a change asks of it.
const CAPACITY: usize = 1024;

/// Tells which notes have ceased to be generated. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Changes {
    sender: broadcast::Sender<Uuid>,
}

impl Changes {
    pub(crate) fn new() -> Self {
        Self {
            sender: broadcast::Sender::new(CAPACITY),
        }
    }

    /// Tells every watcher that this note has changed. For after the commit.
    pub(crate) fn tell(&self, note: Uuid) {
        // An error says that nobody watches.
        let _ = self.sender.send(note);
    }
}

struct Watch {
    core: Core,
    changes: broadcast::Receiver<Uuid>,
    id: Uuid,
    /// What was read when the watch began, until it is sent.
    first: Option<Note>,
    sent: Option<Etag>,
    ended: bool,
}

impl Core {
    /// The note as it is now, then again after each change, until it is not being generated any more.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`]; in the stream also [`Error::ShuttingDown`].
    pub async fn watch(
        &self,
        id: Uuid,
    ) -> Result<impl Stream<Item = Result<Note, Error>> + Send + use<>, Error> {
        // Listen before looking, or a change in between would be missed.
        let changes = self.changes.sender.subscribe();
        let watch = Watch {
            first: Some(self.get(id).await?),
            core: self.clone(),
            changes,
            id,
            sent: None,
            ended: false,
        };
        Ok(try_unfold(watch, |mut watch| async move {
            if watch.ended {
                return Ok(None);
            }
            let note = watch.next().await?;
            watch.ended = note.state_name() != StateName::Generating;
            watch.sent = Some(note.etag());
            Ok(Some((note, watch)))
        }))
    }
}

impl Watch {
    /// The note as it is when it has changed.
    async fn next(&mut self) -> Result<Note, Error> {
        if let Some(first) = self.first.take() {
            return Ok(first);
        }
        loop {
            let told = tokio::select! {
                told = self.changes.recv() => told,
                () = self.core.shutdown.cancelled() => return Err(Error::ShuttingDown),
            };
            match told {
                Ok(id) if id != self.id => continue,
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Err(Error::ShuttingDown),
            }
            let note = self.core.get(self.id).await?;
            if self.sent.as_ref() != Some(&note.etag()) {
                return Ok(note);
            }
        }
    }
}
