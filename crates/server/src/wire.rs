//! The bytes of a connection, watched on their way: when the peer was last heard, whether it takes what is sent to it, and whether
//! what it sends is worth its frames.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use crate::frames::Frames;
use crate::preface::PREFACE;

/// For so long a peer may take nothing of what is sent to it, or leave a frame or a header block unfinished.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is known of a peer by its bytes. Clones are one.
#[derive(Debug, Clone)]
pub(crate) struct Vitals {
    since: Instant,
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// When something was last heard, in microseconds.
    heard: AtomicU64,
    flooding: AtomicBool,
}

impl Vitals {
    pub(crate) fn now() -> Self {
        Self {
            since: Instant::now(),
            inner: Arc::default(),
        }
    }

    /// Something was heard. Returns when, in microseconds.
    fn note(&self) -> u64 {
        let micros = self.since.elapsed().as_micros();
        // 64 bits of microseconds are half a million years.
        let micros = u64::try_from(micros).unwrap_or(u64::MAX);
        self.inner.heard.store(micros, Ordering::Relaxed);
        micros
    }

    /// When something was last heard.
    pub(crate) fn heard(&self) -> Instant {
        self.since + Duration::from_micros(self.inner.heard.load(Ordering::Relaxed))
    }

    /// Whether the peer sends too much that asks for nothing. Nothing more is read from it then.
    pub(crate) fn is_flooding(&self) -> bool {
        self.inner.flooding.load(Ordering::Relaxed)
    }
}

/// How long something has been waited for. Its timer is made when there is first something to wait for, and moved as seldom as
/// can be.
#[derive(Debug, Default)]
struct Patience {
    since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    /// There is nothing to wait for, or what was waited for has come.
    fn rest(&mut self) {
        self.since = None;
    }

    /// Waits. `Err` when it has been for too long.
    fn wait(&mut self, cx: &mut Context<'_>, what: &'static str) -> Result<(), io::Error> {
        let end = *self.since.get_or_insert_with(Instant::now) + PATIENCE;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
        while timer.as_mut().poll(cx).is_ready() {
            if timer.deadline() >= end {
                return Err(io::Error::new(io::ErrorKind::TimedOut, what));
            }
            timer.as_mut().reset(end);
        }
        Ok(())
    }
}

/// A transport that is watched. The preface, which was read by itself, is read from here once more.
#[derive(Debug)]
pub(crate) struct Wire<IO> {
    io: IO,
    vitals: Vitals,
    preface: &'static [u8],
    frames: Frames,
    /// How much was written since something was last read, in bytes.
    written: u64,
    reading: Patience,
    writing: Patience,
}

impl<IO> Wire<IO> {
    /// Over `io`, whose preface was read.
    pub(crate) fn new(io: IO, vitals: Vitals) -> Self {
        Self {
            io,
            vitals,
            preface: PREFACE,
            frames: Frames::default(),
            written: 0,
            reading: Patience::default(),
            writing: Patience::default(),
        }
    }

    fn wrote(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match &polled {
            Poll::Ready(Ok(written)) => {
                self.written += *written as u64;
                self.writing.rest();
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.writing.wait(cx, "the peer takes nothing")?,
        }
        polled
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Wire<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.preface.is_empty() {
            let (now, later) = this
                .preface
                .split_at(this.preface.len().min(buf.remaining()));
            buf.put_slice(now);
            this.preface = later;
            return Poll::Ready(Ok(()));
        }
        if this.vitals.is_flooding() {
            // The connection sees it and takes its leave.
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.io).poll_read(cx, buf);
        if polled.is_pending() && this.frames.is_unfinished() {
            this.reading
                .wait(cx, "the peer has left a frame unfinished")?;
        }
        ready!(polled)?;
        let read = &buf.filled()[before..];
        if !read.is_empty() {
            let now = this.vitals.note();
            let sent = std::mem::take(&mut this.written);
            let followed = this.frames.follow(read, sent, now);
            if followed.ended || !this.frames.is_unfinished() {
                this.reading.rest();
            }
            if followed.flood {
                this.vitals.inner.flooding.store(true, Ordering::Relaxed);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Wire<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, buf);
        self.wrote(cx, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_flush(cx);
        if polled.is_pending() {
            self.writing.wait(cx, "the peer takes nothing")?;
        }
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_shutdown(cx);
        if polled.is_pending() {
            self.writing.wait(cx, "the peer takes nothing")?;
        }
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.wrote(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
