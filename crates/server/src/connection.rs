//! Accepting connections, and letting go of them.

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::stack::Stack;

/// How long a peer may stay silent before it is asked whether it is there, and how long it has to answer.
const PING_INTERVAL: Duration = Duration::from_secs(60);
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a peer may take to say its first word.
const FIRST_WORD: Duration = Duration::from_secs(10);
/// Calls at a time on one connection.
const MAX_STREAMS: u32 = 200;
/// The wait after a failed accept, which happens when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown`, then tells every peer to go elsewhere (GOAWAY) and waits for the calls in flight, at most
/// `grace`. Returns whether all of them were done.
pub(crate) async fn serve(
    stack: Arc<Stack>,
    listener: TcpListener,
    shutdown: CancellationToken,
    grace: Duration,
) -> bool {
    let connections = TaskTracker::new();
    let abort = CancellationToken::new();
    // Whoever drops the server ends its connections.
    let _abort = abort.clone().drop_guard();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        match accepted {
            Ok((stream, _peer)) => {
                let serve = connection(Arc::clone(&stack), stream, shutdown.clone());
                let abort = abort.clone();
                connections.spawn(async move {
                    tokio::select! {
                        () = serve => {}
                        () = abort.cancelled() => {}
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    let done = tokio::time::timeout(grace, connections.wait())
        .await
        .is_ok();
    if !done {
        tracing::warn!(
            connections = connections.len(),
            "calls in flight are cut off: the grace period has passed"
        );
        abort.cancel();
        connections.wait().await;
    }
    done
}

async fn connection(stack: Arc<Stack>, stream: TcpStream, shutdown: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    // A peer that connects and says nothing costs little, but must not hold up a shutdown, and must not stay for ever.
    let mut first = [0];
    let spoke = tokio::select! {
        spoke = tokio::time::timeout(FIRST_WORD, stream.peek(&mut first)) => spoke,
        () = shutdown.cancelled() => return,
    };
    if !matches!(spoke, Ok(Ok(1..))) {
        tracing::debug!("a peer connected and said nothing");
        return;
    }
    let service = service_fn(move |request| {
        let stack = Arc::clone(&stack);
        async move { Ok::<_, std::convert::Infallible>(stack.serve(request).await) }
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(1024 * 1024)
        .initial_connection_window_size(4 * 1024 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        // A peer that vanished, or that does not speak HTTP/2.
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            "a connection failed"
        );
    }
}
