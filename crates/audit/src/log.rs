//! What calls are handed in to.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll};
use std::thread::Thread;
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use crate::chain::Key;
use crate::entry::{Entry, Outcome};
use crate::file::{Appended, OpenError};
use crate::writer::Writer;

/// How an audit log is kept.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file. It, and those that it was before, are never deleted here.
    pub path: PathBuf,
    /// The service whose calls it records.
    pub service: String,
    /// The secret for its hashes. `None`: the chain has none, so whoever can write the file can make it anew.
    pub key: Option<Key>,
    /// A file that is larger, in bytes, is put aside and a new one begun; the chain goes on. Default 64 MiB.
    pub rotate_at: u64,
    /// How many records may wait to be written. Default 16,384: some 5 MiB.
    pub capacity: usize,
    /// How much later than a record the disk may have it, at most. Default 100 ms.
    pub sync_every: Duration,
}

impl Config {
    /// An audit log of `service` in this file, with the defaults.
    pub fn new(path: impl Into<PathBuf>, service: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            service: service.into(),
            key: None,
            rotate_at: 64 * 1024 * 1024,
            capacity: 16 * 1024,
            sync_every: Duration::from_millis(100),
        }
    }
}

/// No record can be taken: the disk is full or too slow. What is to be recorded must not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the audit log takes no record now")]
pub struct Unavailable;

/// The audit log of a service. Clones are one. Calls take no lock and wait for no disk; a thread writes.
#[derive(Debug, Clone)]
pub struct AuditLog {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    sender: mpsc::Sender<Message>,
    /// How many records more may wait.
    room: AtomicUsize,
    /// Calls of strangers without a record of their own.
    pub(crate) suppressed: AtomicU64,
    pub(crate) failing: watch::Sender<bool>,
    is_failing: AtomicBool,
    pub(crate) sequence: AtomicU64,
    writer: std::sync::OnceLock<Thread>,
}

/// What the writer is told.
#[derive(Debug)]
pub(crate) enum Message {
    Entry {
        entry: Entry,
        outcome: Outcome,
        /// Told when the record is on the disk.
        written: Option<oneshot::Sender<()>>,
    },
    Close(oneshot::Sender<()>),
    /// From now on the disk is full, or not.
    #[cfg(test)]
    Full(bool, oneshot::Sender<()>),
}

/// Room for one record. Given back when it is dropped.
#[derive(Debug)]
#[must_use = "a call without a record is what an audit log is there to prevent"]
pub struct Place {
    shared: Option<Arc<Shared>>,
}

/// Ready when a record is on the disk.
///
/// # Cancel safety
/// The record is written all the same.
#[derive(Debug)]
pub struct Written(oneshot::Receiver<()>);

impl Future for Written {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(|told| {
            if told.is_err() {
                tracing::error!("the audit log was closed under a call");
            }
        })
    }
}

impl AuditLog {
    /// Opens the file and begins to write.
    ///
    /// # Errors
    /// Another process has it, it cannot be written, or it ends in what is no record.
    pub fn open(config: Config) -> Result<Self, OpenError> {
        let (file, end, torn_bytes) = Appended::open(&config.path, config.key.as_ref())?;
        let (sender, receiver) = mpsc::channel();
        let shared = Arc::new(Shared {
            sender,
            room: AtomicUsize::new(config.capacity),
            suppressed: AtomicU64::new(0),
            failing: watch::Sender::new(false),
            is_failing: AtomicBool::new(false),
            sequence: AtomicU64::new(end.seq),
            writer: std::sync::OnceLock::new(),
        });
        let path = config.path.clone();
        // The writer does not keep the log open: it ends when nobody is left who could record.
        let writer = Writer::new(config, file, end, Arc::downgrade(&shared));
        let spawned = std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || writer.run(&receiver, torn_bytes))
            .map_err(|source| OpenError::Unusable { path, source })?;
        shared.writer.get_or_init(|| spawned.thread().clone());
        Ok(Self { shared })
    }

    /// Room for the record of a call that is about to begin.
    ///
    /// # Errors
    /// [`Unavailable`] while the disk takes nothing, or is so slow that too many records wait: the call must not begin.
    pub fn reserve(&self) -> Result<Place, Unavailable> {
        if self.shared.is_failing.load(Ordering::Relaxed) {
            return Err(Unavailable);
        }
        self.shared
            .room
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |room| {
                room.checked_sub(1)
            })
            .map_err(|_none| Unavailable)?;
        Ok(Place {
            shared: Some(Arc::clone(&self.shared)),
        })
    }

    /// Records the refusal of a caller that is not known, or counts it where there are too many.
    pub fn refused(&self, entry: Entry) {
        match self.reserve() {
            Ok(place) => place.send(entry, Outcome::Stranger, None),
            Err(Unavailable) => {
                self.shared.suppressed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Whether the disk takes nothing at the moment. Calls are refused then.
    pub fn is_failing(&self) -> bool {
        self.shared.is_failing.load(Ordering::Relaxed)
    }

    /// Tells whenever [`is_failing`](Self::is_failing) changes.
    pub fn failing(&self) -> watch::Receiver<bool> {
        self.shared.failing.subscribe()
    }

    /// The number of the last record that is on the disk; 0: there is none.
    pub fn sequence(&self) -> u64 {
        self.shared.sequence.load(Ordering::Relaxed)
    }

    /// Writes what there is, and the record that the log was closed. While the disk takes nothing it waits; nothing is
    /// recorded afterwards.
    ///
    /// # Cancel safety
    /// It is closed all the same.
    pub async fn close(&self) {
        let (closed, told) = oneshot::channel();
        if self.shared.send(Message::Close(closed)) {
            self.shared.wake();
            // An error means that it was closed already.
            let _ = told.await;
        }
    }
}

#[cfg(test)]
impl AuditLog {
    pub(crate) async fn set_full(&self, full: bool) {
        let (done, told) = oneshot::channel();
        assert!(self.shared.send(Message::Full(full, done)));
        self.shared.wake();
        assert!(told.await.is_ok());
    }
}

impl Shared {
    /// Whether there is somebody to write it.
    fn send(&self, message: Message) -> bool {
        self.sender.send(message).is_ok()
    }

    fn wake(&self) {
        if let Some(writer) = self.writer.get() {
            writer.unpark();
        }
    }

    /// Records were written, or given up.
    pub(crate) fn leave(&self, count: usize) {
        self.room.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn set_failing(&self, failing: bool) {
        self.is_failing.store(failing, Ordering::Relaxed);
        self.failing.send_replace(failing);
    }
}

impl Place {
    /// Records how the call ended. On the disk within the time of [`Config::sync_every`].
    pub fn record(self, entry: Entry) {
        self.send(entry, Outcome::Known, None);
    }

    /// Records how the call ended, and tells when that is on the disk: what the caller must not hear before.
    pub fn record_durably(self, entry: Entry) -> Written {
        let (written, told) = oneshot::channel();
        self.send(entry, Outcome::Known, Some(written));
        Written(told)
    }

    fn send(mut self, entry: Entry, outcome: Outcome, written: Option<oneshot::Sender<()>>) {
        let Some(shared) = self.shared.take() else {
            return;
        };
        let hurry = written.is_some();
        let message = Message::Entry {
            entry,
            outcome,
            written,
        };
        if !shared.send(message) {
            tracing::error!("a call ended after the audit log was closed, and has no record");
        } else if hurry {
            shared.wake();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            shared.leave(1);
        }
    }
}
