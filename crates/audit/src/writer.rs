//! The thread that writes.

use std::io;
use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::entry::{Event, Outcome};
use crate::file::{Appended, End};
use crate::log::{Config, Message, Shared};

/// How long records that nobody waits for are gathered before they are written.
const GATHER: Duration = Duration::from_millis(5);
/// After a failure, the disk is tried again so much later.
const PAUSE: Duration = Duration::from_millis(500);
/// So many records are written at a time.
const BATCH: usize = 1024;
/// Records of strangers in a second; what is above is counted.
const STRANGERS: u32 = 50;

/// What comes next.
enum Next {
    /// More records.
    More,
    /// The end: somebody waits for it, or nobody is left.
    Close(Option<oneshot::Sender<()>>),
}

pub(crate) struct Writer {
    config: Config,
    file: Appended,
    end: End,
    shared: Weak<Shared>,
    /// Lines that are not on the disk, from the end of what is.
    unsynced: Vec<u8>,
    /// How many of their bytes are in the file.
    written: usize,
    /// The number of the first record among them.
    first_unsynced: Option<u64>,
    waiting: Vec<oneshot::Sender<()>>,
    last_sync: Instant,
    failing: bool,
    /// Strangers recorded in the second that began then.
    strangers: (Instant, u32),
    suppressed: u64,
    rotate_at: u64,
}

impl Writer {
    pub(crate) fn new(config: Config, file: Appended, end: End, shared: Weak<Shared>) -> Self {
        let now = Instant::now();
        Self {
            rotate_at: config.rotate_at,
            config,
            file,
            end,
            shared,
            unsynced: Vec::new(),
            written: 0,
            first_unsynced: None,
            waiting: Vec::new(),
            last_sync: now,
            failing: false,
            strangers: (now, 0),
            suppressed: 0,
        }
    }

    /// Writes what comes until it is told to close, or nobody is left.
    pub(crate) fn run(mut self, messages: &Receiver<Message>, torn_bytes: u64) {
        self.put(&Event::Opened { torn_bytes });
        self.flush(true);
        loop {
            let Next::Close(closing) = self.take(messages) else {
                continue;
            };
            self.put_suppressed();
            self.put(&Event::Closed);
            let mut left = self.flush(true);
            while !left && self.shared.upgrade().is_some() {
                std::thread::park_timeout(PAUSE);
                left = self.flush(true);
            }
            // The file can be had by the next.
            drop(self);
            if let Some(closed) = closing {
                // Whoever closed it may have gone.
                let _ = closed.send(());
            }
            return;
        }
    }

    /// Takes what has come, and writes it.
    fn take(&mut self, messages: &Receiver<Message>) -> Next {
        // With nothing left to do, this thread sleeps until somebody comes.
        let mut first = None;
        if self.unsynced.is_empty() && !self.failing && self.suppressed() == 0 {
            match messages.recv() {
                Ok(message) => first = Some(message),
                Err(_nobody) => return Next::Close(None),
            }
        }
        let mut taken = 0;
        let mut closing = None;
        while taken < BATCH {
            let message = match first.take().map_or_else(|| messages.try_recv(), Ok) {
                Ok(message) => message,
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    closing = Some(Next::Close(None));
                    break;
                }
            };
            match message {
                Message::Entry {
                    entry,
                    outcome,
                    written,
                } => {
                    taken += 1;
                    if outcome == Outcome::Stranger && !self.admit() {
                        self.suppressed += 1;
                        continue;
                    }
                    self.put(&Event::Call(entry));
                    self.waiting.extend(written);
                }
                #[cfg(test)]
                Message::Full(full, done) => {
                    let _ = self.file.set_full(full).map(|()| done.send(()));
                }
                Message::Close(closed) => {
                    closing = Some(Next::Close(Some(closed)));
                    break;
                }
            }
        }
        if let Some(closing) = closing {
            self.leave(taken);
            return closing;
        }
        let due = self.last_sync.elapsed() >= self.config.sync_every;
        if due {
            self.put_suppressed();
        }
        let whole = self.flush(due || !self.waiting.is_empty());
        self.leave(taken);
        if !whole {
            std::thread::park_timeout(PAUSE);
        } else if taken < BATCH {
            std::thread::park_timeout(GATHER);
        }
        Next::More
    }

    /// Whether a stranger still gets a record in this second.
    fn admit(&mut self) -> bool {
        if self.strangers.0.elapsed() >= Duration::from_secs(1) {
            self.strangers = (Instant::now(), 0);
        }
        self.strangers.1 += 1;
        self.strangers.1 <= STRANGERS
    }

    /// Calls of strangers that no record tells of yet.
    fn suppressed(&self) -> u64 {
        let elsewhere = self.shared.upgrade();
        let elsewhere = elsewhere.map_or(0, |shared| shared.suppressed.load(Ordering::Relaxed));
        self.suppressed + elsewhere
    }

    fn put_suppressed(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            self.suppressed += shared.suppressed.swap(0, Ordering::Relaxed);
        }
        let count = std::mem::take(&mut self.suppressed);
        if count > 0 {
            self.put(&Event::Suppressed { count });
        }
    }

    /// Appends a record to what is to be written.
    fn put(&mut self, event: &Event) {
        let seq = self.end.seq + 1;
        let Config { service, key, .. } = &self.config;
        match event.write(
            seq,
            service,
            &self.end.hash,
            key.as_ref(),
            &mut self.unsynced,
        ) {
            Ok(hash) => {
                self.first_unsynced.get_or_insert(seq);
                self.end = End { seq, hash };
            }
            // Strings and numbers can always be written.
            Err(error) => {
                tracing::error!(%error, "a record of the audit log cannot be written as JSON");
            }
        }
    }

    /// Writes what there is, and with `sync` to the disk. Whether that went well.
    fn flush(&mut self, sync: bool) -> bool {
        let done = self.try_flush(sync);
        let failing = done.is_err();
        if failing != self.failing {
            self.failing = failing;
            if let Some(shared) = self.shared.upgrade() {
                shared.set_failing(failing);
            }
            let path = self.config.path.display();
            match &done {
                Ok(()) => tracing::info!(%path, "the audit log is written again"),
                Err(error) => {
                    tracing::error!(%path, %error, "the audit log cannot be written: calls are refused until it can");
                }
            }
        }
        // Told last: whoever hears of it finds that the disk takes records.
        if self.unsynced.is_empty() {
            for written in self.waiting.drain(..) {
                // A caller that went away does not wait any more.
                let _ = written.send(());
            }
        }
        !failing
    }

    fn try_flush(&mut self, sync: bool) -> io::Result<()> {
        if self.failing {
            // What of the last try is in the file is not known.
            self.written = 0;
            self.file.rewind()?;
        }
        let Some(first) = self.first_unsynced else {
            return Ok(());
        };
        self.file
            .append(self.written, &self.unsynced[self.written..], first)?;
        self.written = self.unsynced.len();
        if !sync && !self.failing {
            return Ok(());
        }
        self.file.sync(self.written)?;
        self.unsynced.clear();
        self.written = 0;
        self.first_unsynced = None;
        self.last_sync = Instant::now();
        if let Some(shared) = self.shared.upgrade() {
            shared.sequence.store(self.end.seq, Ordering::Relaxed);
        }
        if self.file.len() >= self.rotate_at {
            self.rotate();
        }
        Ok(())
    }

    /// A file that cannot be put aside grows on.
    fn rotate(&mut self) {
        self.rotate_at = match self.file.rotate() {
            Ok(()) => self.config.rotate_at,
            Err(error) => {
                let path = self.config.path.display();
                tracing::warn!(%path, %error, "the audit log is large and cannot be put aside");
                self.file.len() + self.config.rotate_at
            }
        };
    }

    fn leave(&self, count: usize) {
        if let Some(shared) = self.shared.upgrade() {
            shared.leave(count);
        }
    }
}
