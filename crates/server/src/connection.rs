//! A connection: HTTP/2 frames in and out, and the calls that come with them.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use h2::server::{Connection, SendResponse};
use h2::{Reason, RecvStream};
use http::Request;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::begin::Begin;
use crate::doorbell::Doorbell;
use crate::keepalive;
use crate::lifetime::{Lifetime, Terms, Verdict};
use crate::peer::Peer;
use crate::preface::{self, Protocol};
use crate::stack::Stack;
use crate::wire::{Vitals, Wire};

/// How long a peer may take to say its first word, the preface of HTTP/2.
const FIRST_WORD: Duration = Duration::from_secs(10);
/// So many calls that came together are begun before the answers leave that are ready.
const BATCH: usize = 8;
/// Calls at a time on one connection. More are refused, which tells the caller that nothing was done.
const MAX_STREAMS: u32 = 200;
/// How much a caller may send ahead of its handler, in bytes: for each stream, and for all together.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
/// The largest header block of a request, in bytes, counted as RFC 9113, section 6.5.2 has it. A larger one is answered with 431.
const MAX_HEADERS: u32 = 16 * 1024;
/// How much of an answer waits for the caller to take it, in bytes for each stream.
const SEND_BUFFER: usize = 400 * 1024;
/// Calls that were taken back before they were looked at: more at a time than a caller can have open otherwise is the rapid
/// reset attack (CVE-2023-44487) and ends the connection.
const MAX_RESET_UNSEEN: usize = 100;
/// Streams that we had to reset or to refuse because of what the peer sent, over the life of a connection; more end it. A
/// good peer may have calls refused before it has read our settings, so the limit is not small.
const MAX_RESET_BY_US: usize = 1024;
/// Whether the time is over is asked before the calls that came, once in so many turns.
const LOOK_UP: u32 = 16;
/// How long the last words to a peer may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A call that has arrived.
pub(crate) type Arrived = (Request<RecvStream>, SendResponse<Bytes>);

/// Serves a connection until its peer goes away or, after `shutdown` or when its time is over, until its calls are done.
pub(crate) async fn serve<IO>(
    stack: Arc<Stack>,
    io: IO,
    peer: Peer,
    calls: TaskTracker,
    shutdown: CancellationToken,
    terms: Terms,
) where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let vitals = Vitals::now();
    let handshake = greet(io, vitals.clone());
    // A peer that connects and says nothing costs little, but must not hold up a shutdown, and must not stay for ever.
    let greeted = tokio::select! {
        biased;
        () = shutdown.cancelled() => return,
        greeted = tokio::time::timeout(FIRST_WORD, handshake) => greeted,
    };
    let mut connection = match greeted {
        Ok(Some(connection)) => connection,
        Ok(None) => return,
        Err(_elapsed) => return tracing::debug!("a peer connected and said nothing"),
    };
    let _open = stack.metrics.connected();
    let peer_address = peer.address();
    let ping = connection.ping_pong();
    let gone_vitals = vitals.clone();
    let mut gone = pin!(async {
        match ping {
            Some(ping) => keepalive::gone(ping, gone_vitals).await,
            None => std::future::pending().await,
        }
    });
    let mut stopping = pin!(shutdown.cancelled());
    let mut life = Lifetime::begin(terms, Instant::now());
    let mut look = pin!(tokio::time::sleep_until(life.due(Instant::now())));
    let (mut turns, mut seen): (u32, u64) = (0, 0);
    let doorbell = Doorbell::new();
    let mut begin = Begin::new(stack, peer, calls, doorbell.waker().clone());
    let mut arrived = Vec::new();
    loop {
        // Calls come first. Where they never stop coming, this side looks up now and then all the same.
        turns = turns.wrapping_add(1);
        let calls_first = !turns.is_multiple_of(LOOK_UP);
        let event = poll_fn(|cx| {
            for calls in [calls_first, !calls_first] {
                if calls {
                    let more = arrivals(cx, &mut connection, &mut arrived, &doorbell, &vitals);
                    if let Poll::Ready(more) = more {
                        return Poll::Ready(Event::Calls(more));
                    }
                } else if !life.is_leaving() && stopping.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Event::Stop);
                } else if look.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Event::Look);
                }
            }
            gone.as_mut().poll(cx).map(|()| Event::Gone)
        });
        let more = match event.await {
            Event::Calls(more) => more,
            Event::Stop => {
                // What was handed over before leaves first: it may be the health that says why.
                drive(&mut connection, &mut arrived, &doorbell);
                // GOAWAY: no new calls; those that are under way, and those that crossed it, are finished.
                connection.graceful_shutdown();
                let now = Instant::now();
                life.leave(now);
                look.as_mut().reset(life.due(now));
                continue;
            }
            Event::Look => {
                let now = Instant::now();
                match life.look(now, connection.has_streams(), seen) {
                    Verdict::Stay => {}
                    Verdict::Leave => connection.graceful_shutdown(),
                    Verdict::Close => return farewell(connection, Reason::NO_ERROR).await,
                }
                look.as_mut().reset(life.due(now));
                continue;
            }
            Event::Gone => return tracing::debug!("a peer fell silent and answers no ping"),
        };
        seen += arrived.len() as u64;
        let waiting = begin_all(&mut connection, &mut begin, &mut arrived, &doorbell);
        if waiting {
            // The answers that are ready leave before others are looked at again.
            drive(&mut connection, &mut arrived, &doorbell);
            tokio::task::yield_now().await;
            drive(&mut connection, &mut arrived, &doorbell);
            begin.again();
        }
        match more {
            Ok(More::Yes) => {}
            Ok(More::No) => return,
            Ok(More::Flood) => {
                tracing::warn!(
                    peer = peer_address.map(tracing::field::display),
                    "a peer floods its connection with frames that ask for nothing: it is closed"
                );
                return farewell(connection, Reason::ENHANCE_YOUR_CALM).await;
            }
            Err(error) => return failed(&error),
        }
    }
}

/// What a connection wakes for.
enum Event {
    Calls(Result<More, h2::Error>),
    /// The server shuts down.
    Stop,
    /// It is time to look at the life of the connection.
    Look,
    /// The peer is silent for too long.
    Gone,
}

/// Whether calls can still come.
enum More {
    Yes,
    No,
    /// The peer sends too much that asks for nothing.
    Flood,
}

/// Drives the connection. Ready when calls have arrived; collects all that have.
fn arrivals<IO>(
    cx: &mut Context<'_>,
    connection: &mut Connection<Wire<IO>, Bytes>,
    arrived: &mut Vec<Arrived>,
    doorbell: &Doorbell,
    vitals: &Vitals,
) -> Poll<Result<More, h2::Error>>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    doorbell.answer(cx);
    loop {
        match connection.poll_accept(&mut Context::from_waker(doorbell.waker())) {
            Poll::Ready(Some(Ok(call))) => arrived.push(call),
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
            Poll::Ready(None) => return Poll::Ready(Ok(More::No)),
            Poll::Pending if vitals.is_flooding() => return Poll::Ready(Ok(More::Flood)),
            Poll::Pending if !arrived.is_empty() => return Poll::Ready(Ok(More::Yes)),
            Poll::Pending => {
                if !doorbell.may_wait() {
                    // Not looked at here and now: what rang may be tokio, which asks for a pause.
                    doorbell.again(cx);
                }
                return Poll::Pending;
            }
        }
    }
}

/// Begins what has arrived. Returns whether some of it waits.
///
/// What came together is begun together, so that the answers which are ready leave in one write; but not in one for all that
/// came: else a caller with many calls in flight does nothing while they are served, and then this side nothing.
fn begin_all<IO>(
    connection: &mut Connection<Wire<IO>, Bytes>,
    begin: &mut Begin,
    arrived: &mut Vec<Arrived>,
    doorbell: &Doorbell,
) -> bool
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let mut waiting = false;
    for _ in 0..arrived.len().div_ceil(BATCH) {
        let later = arrived.split_off(arrived.len().min(BATCH));
        waiting = begin.all(arrived, doorbell.since());
        if !later.is_empty() {
            drive(connection, arrived, doorbell);
        }
        let new = std::mem::replace(arrived, later);
        arrived.extend(new);
    }
    waiting
}

/// Reads and writes what can be, and waits for nothing. How the connection ends is told by [`arrivals`].
fn drive<IO>(
    connection: &mut Connection<Wire<IO>, Bytes>,
    arrived: &mut Vec<Arrived>,
    doorbell: &Doorbell,
) where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let mut cx = Context::from_waker(doorbell.waker());
    while let Poll::Ready(Some(Ok(call))) = connection.poll_accept(&mut cx) {
        arrived.push(call);
    }
}

/// Agrees on HTTP/2 with the peer of `io`. `None`: it speaks something else, or went away.
async fn greet<IO>(mut io: IO, vitals: Vitals) -> Option<Connection<Wire<IO>, Bytes>>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let protocol = match preface::read(&mut io).await {
        Ok(protocol) => protocol,
        Err(error) => {
            tracing::debug!(%error, "a peer went away before it had said what it speaks");
            return None;
        }
    };
    if protocol != Protocol::Http2 {
        tracing::debug!(?protocol, "a peer does not speak HTTP/2, and is told so");
        if let Err(error) = preface::refuse(protocol, io).await {
            tracing::debug!(%error, "a peer that does not speak HTTP/2 could not be told so");
        }
        return None;
    }
    match http2().handshake(Wire::new(io, vitals)).await {
        Ok(connection) => Some(connection),
        Err(error) => {
            failed(&error);
            None
        }
    }
}

/// Ends a connection: tells the peer why, as far as it listens, and drops the calls that there are.
async fn farewell<IO>(mut connection: Connection<Wire<IO>, Bytes>, reason: Reason)
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    connection.abrupt_shutdown(reason);
    let closed = poll_fn(|cx| connection.poll_closed(cx));
    match tokio::time::timeout(LAST_WORDS, closed).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => failed(&error),
        Err(_elapsed) => tracing::debug!("a peer does not take the last words to it"),
    }
}

fn http2() -> h2::server::Builder {
    let mut builder = h2::server::Builder::new();
    builder
        .max_concurrent_streams(MAX_STREAMS)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(MAX_HEADERS)
        .max_send_buffer_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(MAX_RESET_UNSEEN)
        .max_local_error_reset_streams(Some(MAX_RESET_BY_US));
    builder
}

/// A peer that vanished, or that does not speak HTTP/2.
fn failed(error: &h2::Error) {
    tracing::debug!(
        error = error as &dyn std::error::Error,
        "a connection failed"
    );
}
