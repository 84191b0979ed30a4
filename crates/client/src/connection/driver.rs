//! Keeping a connection going, and noticing that the peer is gone.

use std::future::{Future as _, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use h2::{Ping, PingPong};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::{Connection, Traffic};
use crate::connect::Io;

/// The windows that hyper's client has: enough for 1 MiB messages over 20 ms.
const STREAM_WINDOW: u32 = 2 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 5 * 1024 * 1024;
/// gRPC's limit on what a peer may send as metadata is 8 KiB each way; the error details of a failing peer want some more.
const MAX_HEADER_LIST: u32 = 16 * 1024;
/// The frame header and payload of a ping's answer.
const PONG_BYTES: u64 = 17;

/// When a silent peer is asked whether it is there.
#[derive(Debug, Clone)]
pub(crate) struct Probing {
    /// While calls are in flight: after this much silence. Doubled for each answer to a ping that nothing else followed.
    pub(crate) busy: Duration,
    /// While there are none.
    pub(crate) idle: Duration,
    /// A ping that is not answered for so long makes the connection suspect.
    pub(crate) suspect_after: Duration,
    /// And for so long, dead.
    pub(crate) dead_after: Duration,
    /// Whether this is the only endpoint that calls can go to.
    pub(crate) alone: Arc<AtomicBool>,
    /// How often the peer has said that it is pinged too much (ENHANCE_YOUR_CALM): silence is borne twice as long for each
    /// time (gRFC A8).
    pub(crate) calm: Arc<AtomicU32>,
}

/// Why a driver stopped.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The peer said GOAWAY. Calls in flight go on.
    GoAway,
    /// A ping was not answered in time. Calls in flight go on, as long as the peer may still answer.
    Suspect,
    /// The connection is closed; calls in flight have failed.
    Closed(String),
}

/// Counts what is read, so that silence can be told from work.
struct Heard<T> {
    io: T,
    bytes: Arc<AtomicU64>,
}

impl<T: AsyncRead + Unpin> AsyncRead for Heard<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buf);
        let read = buf.filled().len() - before;
        if read > 0 {
            self.bytes.fetch_add(read as u64, Relaxed);
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Heard<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// The one who owns the transport and must be polled for anything to happen on it.
pub(crate) struct Driver {
    transport: h2::client::Connection<Heard<Box<dyn Io>>, Bytes>,
    /// Learns of a GOAWAY first. Given up then, for h2 closes when nobody can send any more.
    sentinel: Option<SendRequest<Bytes>>,
    ping: PingPong,
    bytes: Arc<AtomicU64>,
    traffic: Arc<Traffic>,
    probing: Probing,
    timer: Pin<Box<Sleep>>,
    seen: u64,
    heard_at: Instant,
    /// The peer's ENHANCE_YOUR_CALM was heeded.
    heeded: bool,
    /// Others were let go first.
    gathering: bool,
    /// Calls that had been begun when this was last looked at.
    begun: u32,
    /// Whether the timer stands for calls in flight.
    busy: bool,
    /// How often in a row a ping was answered and nothing else came.
    quiet: u32,
    pinged: Option<Pinged>,
}

/// A ping that is not answered yet.
struct Pinged {
    at: Instant,
    seen: u64,
}

/// Agrees on HTTP/2 with the peer of `io`. It is done when the peer has answered a ping: a peer that takes the bytes and says
/// nothing, or something else, is not connected to. The caller bounds the time.
///
/// # Errors
/// What the peer did instead.
pub(crate) async fn establish(
    io: Box<dyn Io>,
    probing: Probing,
) -> Result<(Arc<Connection>, Driver), String> {
    let bytes = Arc::new(AtomicU64::new(0));
    let io = Heard {
        io,
        bytes: Arc::clone(&bytes),
    };
    let (send, mut transport) = h2::client::Builder::new()
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(MAX_HEADER_LIST)
        .handshake::<_, Bytes>(io)
        .await
        .map_err(|error| not_http2(&error))?;
    let mut ping = transport
        .ping_pong()
        .ok_or_else(|| "the connection cannot be pinged".to_owned())?;
    ping.send_ping(Ping::opaque())
        .map_err(|error| not_http2(&error))?;
    poll_fn(|cx| {
        match Pin::new(&mut transport).poll(cx) {
            Poll::Ready(Ok(())) => {
                return Poll::Ready(Err("the peer closed the connection at once".to_owned()));
            }
            Poll::Ready(Err(error)) => return Poll::Ready(Err(not_http2(&error))),
            Poll::Pending => {}
        }
        ping.poll_pong(cx)
            .map(|pong| pong.map(drop).map_err(|error| not_http2(&error)))
    })
    .await?;
    let now = Instant::now();
    let seen = bytes.load(Relaxed);
    let handle = Arc::new(Connection::new(send.clone()));
    let driver = Driver {
        transport,
        sentinel: Some(send),
        ping,
        bytes,
        traffic: Arc::clone(&handle.traffic),
        timer: Box::pin(tokio::time::sleep_until(now + probing.idle)),
        probing,
        seen,
        heard_at: now,
        heeded: false,
        gathering: false,
        begun: 0,
        busy: false,
        quiet: 0,
        pinged: None,
    };
    Ok((handle, driver))
}

fn not_http2(error: &h2::Error) -> String {
    match error.get_io() {
        Some(io) => format!("the peer broke off: {io}"),
        None => format!("the peer does not speak HTTP/2 as it should: {error}"),
    }
}

impl Driver {
    /// Drives until the connection takes no more calls. A suspect or leaving one is driven on with [`finish`](Self::finish).
    pub(crate) async fn run(&mut self) -> Ended {
        poll_fn(|cx| self.poll(cx)).await
    }

    /// Drives what is left of a connection that takes no more calls, until its last call is over or the peer is dead.
    pub(crate) async fn finish(mut self) {
        self.sentinel = None;
        poll_fn(|cx| self.poll(cx)).await;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        // Whoever woke this task is one of many, as a rule: tokio runs a woken task next, and one call would be written at a
        // time. Letting those go first that are ready to run turns their calls into one write, and a write costs more than a
        // call does otherwise.
        self.gathering = !self.gathering;
        if self.gathering {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Poll::Ready(result) = Pin::new(&mut self.transport).poll(cx) {
            return Poll::Ready(Ended::Closed(match result {
                Ok(()) => "the peer closed the connection".to_owned(),
                Err(error) => {
                    self.heed(&error);
                    error.to_string()
                }
            }));
        }
        if let Some(sentinel) = &mut self.sentinel
            && let Poll::Ready(Err(error)) = sentinel.poll_ready(cx)
        {
            self.heed(&error);
            self.sentinel = None;
            return Poll::Ready(Ended::GoAway);
        }
        self.listen();
        self.probe(cx)
    }

    /// A peer that is pinged too much says so, and is pinged less from then on.
    fn heed(&mut self, error: &h2::Error) {
        if error.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM)
            && !std::mem::replace(&mut self.heeded, true)
        {
            self.probing.calm.fetch_add(1, Relaxed);
        }
    }

    /// `wait`, as long as this peer wants it.
    fn calmly(&self, wait: Duration) -> Duration {
        wait.saturating_mul(1 << self.probing.calm.load(Relaxed).min(16))
    }

    /// Notes what was heard and begun since the last time.
    fn listen(&mut self) {
        let seen = self.bytes.load(Relaxed);
        let heard = seen != self.seen;
        if heard {
            self.seen = seen;
            self.heard_at = Instant::now();
        }
        let begun = self.traffic.begun.load(Relaxed);
        let called = begun != self.begun;
        self.begun = begun;
        // The timer may stand far ahead: nothing was in flight, or what is in flight has been quiet for long. Work or an
        // answer makes silence count from here on.
        let far = !self.busy || self.quiet > 0;
        if self.pinged.is_none() && far && (called || (heard && self.busy)) {
            self.busy = true;
            self.quiet = 0;
            let patience = self.patience();
            self.timer.as_mut().reset(Instant::now() + patience);
        }
    }

    /// How much silence is borne now.
    fn patience(&self) -> Duration {
        let idle = self.calmly(self.probing.idle);
        if self.busy {
            self.calmly(self.probing.busy)
                .saturating_mul(1 << self.quiet.min(16))
                .min(idle)
        } else {
            idle
        }
    }

    /// How long a ping may go unanswered before calls go elsewhere: where there is nowhere else to go, as long as it can
    /// still be answered.
    fn suspect_after(&self) -> Duration {
        if self.probing.alone.load(Relaxed) {
            self.probing.dead_after
        } else {
            self.probing.suspect_after
        }
    }

    fn probe(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        loop {
            if let Some(pinged) = &self.pinged {
                match self.ping.poll_pong(cx) {
                    Poll::Ready(Ok(_)) => {
                        let only_the_pong = self.seen <= pinged.seen + PONG_BYTES;
                        self.quiet = if only_the_pong { self.quiet + 1 } else { 0 };
                        self.pinged = None;
                        self.heard_at = Instant::now();
                        self.traffic.suspect.store(false, Relaxed);
                        let next = self.heard_at + self.patience();
                        self.timer.as_mut().reset(next);
                    }
                    // The transport has the error, and says it when it is polled.
                    Poll::Ready(Err(_)) | Poll::Pending => {}
                }
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            // Peers seldom change what they allow.
            let max = self.transport.max_concurrent_send_streams();
            self.traffic.set_max_streams(max);
            if let Some(pinged) = &self.pinged {
                if now >= pinged.at + self.probing.dead_after {
                    return Poll::Ready(Ended::Closed(format!(
                        "the peer did not answer a ping for {:?}",
                        self.probing.dead_after
                    )));
                }
                let first = !self.traffic.suspect.swap(true, Relaxed);
                let next = pinged.at + self.probing.dead_after;
                self.timer.as_mut().reset(next);
                if first && self.sentinel.is_some() {
                    return Poll::Ready(Ended::Suspect);
                }
                continue;
            }
            self.busy = self.traffic.calls.load(Relaxed) > 0;
            let due = self.heard_at + self.patience();
            if now < due {
                self.timer.as_mut().reset(due);
                continue;
            }
            // An error here is one of the transport, too.
            if self.ping.send_ping(Ping::opaque()).is_ok() {
                self.pinged = Some(Pinged {
                    at: now,
                    seen: self.seen,
                });
            }
            let next = now + self.suspect_after();
            self.timer.as_mut().reset(next);
            // The ping leaves with the next poll of the transport, for which it has woken this task.
        }
    }
}
