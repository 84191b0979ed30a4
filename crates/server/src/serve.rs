//! Accepting connections, and letting go of them.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_stream::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connection;
use crate::lifetime::Terms;
use crate::limits::{Limits, jittered};
use crate::peer::Peer;
use crate::places::Places;
use crate::stack::Stack;
use crate::tls::ServerTls;

/// The wait after a failed accept, which happens when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown`, then tells every peer to go elsewhere (GOAWAY) and waits for the calls in flight, at most
/// `grace`. A connection gets so much time for its calls when its age ends before that, unless `limits` say otherwise:
/// `longest`. When `incoming` ends before that, serves the connections that there are.
pub(crate) async fn serve<S, IO>(
    stack: Arc<Stack>,
    incoming: S,
    shutdown: CancellationToken,
    grace: Duration,
    (limits, longest): (Limits, Duration),
    tls: Option<ServerTls>,
) where
    S: Stream<Item = io::Result<(IO, Peer)>> + Send,
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // The tasks of connections, and those of their calls.
    let tasks = TaskTracker::new();
    let abort = CancellationToken::new();
    // Whoever drops the server ends its connections, and they their calls.
    let _abort = abort.clone().drop_guard();
    let places = Places::new(limits.connections, limits.connections_per_peer);
    let seed = limits.seed.unwrap_or_else(rand::random);
    let mut number = 0;
    let connect = |(io, peer)| {
        // Who gets no place is closed at once, by being dropped.
        let Some(place) = places.take(&peer) else {
            return;
        };
        number += 1;
        let terms = Terms {
            age: limits.max_age.map(|age| jittered(age, seed, number)),
            idle: limits.max_idle,
            grace: limits.grace(longest),
        };
        let (stack, calls) = (Arc::clone(&stack), tasks.clone());
        let serve = begin(tls.clone(), stack, io, peer, calls, shutdown.clone(), terms);
        let serve = async move {
            serve.await;
            drop(place);
        };
        tasks.spawn(abort.clone().run_until_cancelled_owned(serve));
    };
    accept(incoming, connect, &shutdown).await;
    tasks.close();
    tokio::select! {
        biased;
        () = shutdown.cancelled() => {}
        () = tasks.wait() => return,
    }
    if tokio::time::timeout(grace, tasks.wait()).await.is_err() {
        tracing::warn!(
            tasks = tasks.len(),
            "calls in flight are cut off: the grace period has passed"
        );
        abort.cancel();
        tasks.wait().await;
    }
}

/// Serves a connection, after the TLS handshake where there is one.
async fn begin<IO>(
    tls: Option<ServerTls>,
    stack: Arc<Stack>,
    io: IO,
    peer: Peer,
    calls: TaskTracker,
    shutdown: CancellationToken,
    terms: Terms,
) where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Some(tls) = tls else {
        return connection::serve(stack, io, peer, calls, shutdown, terms).await;
    };
    // On the heap, so that a connection without TLS is no larger for it.
    let secure = Box::pin(async move {
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            accepted = tls.accept(io, &peer) => accepted,
        };
        if let Some((io, peer)) = accepted {
            connection::serve(stack, io, peer, calls, shutdown, terms).await;
        }
    });
    secure.await;
}

/// Hands each connection to `connect`, until `incoming` ends or `shutdown`. Then `incoming` is dropped.
async fn accept<S, IO>(
    incoming: S,
    mut connect: impl FnMut((IO, Peer)),
    shutdown: &CancellationToken,
) where
    S: Stream<Item = io::Result<(IO, Peer)>>,
{
    let mut incoming = pin!(incoming);
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            accepted = incoming.next() => accepted,
        };
        match accepted {
            Some(Ok(connection)) => connect(connection),
            Some(Err(error)) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::select! {
                    biased;
                    () = shutdown.cancelled() => return,
                    () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                }
            }
            None => return,
        }
    }
}
