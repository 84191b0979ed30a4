#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, AtomicU64};

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, SendStream};
use http::{Request, Response};
use scribemed_rpc::policy::{Access, Idempotency, Reattempt};
use tokio::sync::Semaphore;
use tokio::time::{advance, sleep};
use tokio_util::sync::CancellationToken;
use tonic_types::StatusExt as _;
use tower::service_fn;

use super::*;
use crate::stack::Stack;

const fn policy(path: &'static str, criticality: Criticality, streams: bool) -> MethodPolicy {
    MethodPolicy {
        path,
        name: path,
        client_streaming: false,
        server_streaming: streams,
        timeout: Duration::from_secs(60),
        idempotency: Idempotency::Unknown,
        reattempt: Reattempt::Never,
        access: Access::Public,
        criticality,
        max_request_bytes: 1024,
        max_response_bytes: 1024,
        bulk_field: None,
        lifecycle: None,
        wait_for_ready: false,
    }
}

const POLICIES: &[MethodPolicy] = &[
    policy("/t.T/Sheddable", Criticality::Sheddable, false),
    policy("/t.T/Plus", Criticality::SheddablePlus, false),
    policy("/t.T/Critical", Criticality::Critical, false),
    policy("/t.T/Must", Criticality::CriticalPlus, false),
    policy("/t.T/Watch", Criticality::Critical, true),
    policy("/t.T/Slow", Criticality::Critical, false),
];

/// A server and a connection to it.
struct Running {
    gate: Arc<Gate>,
    requests: SendRequest<Bytes>,
    /// Lets calls end, but those of `Slow`.
    open: Arc<Semaphore>,
    /// How long those take, in milliseconds.
    takes: Arc<AtomicU64>,
    handled: Arc<AtomicU32>,
}

async fn start(min: u32, max: u32) -> Running {
    let open = Arc::new(Semaphore::new(0));
    let takes = Arc::new(AtomicU64::new(100));
    let handled = Arc::new(AtomicU32::new(0));
    let handle = {
        let shared = (Arc::clone(&open), Arc::clone(&takes), Arc::clone(&handled));
        move |request: Request<Body>| {
            let (open, takes, handled) = shared.clone();
            async move {
                handled.fetch_add(1, Ordering::Relaxed);
                if request.uri().path() == "/t.T/Slow" {
                    sleep(Duration::from_millis(takes.load(Ordering::Relaxed))).await;
                } else {
                    open.acquire().await.unwrap().forget();
                }
                // As with an answer that holds a message: the status comes with the trailers.
                Ok::<_, Infallible>(Response::new(Body::empty()))
            }
        }
    };
    let mut routes = Routes::default();
    routes.add(POLICIES, service_fn(handle));
    let health = |_: Request<Body>| async { Ok::<_, Infallible>(Status::ok("").into_http()) };
    routes.add_open("grpc.health.v1.Health", service_fn(health));
    let config = limit::Config {
        min,
        max,
        ..limit::Config::default()
    };
    let gate = Gate::new(Some(config), "test.scribemed");
    let stack = Arc::new(Stack {
        gate: Arc::clone(&gate),
        ..Stack::bare(routes)
    });
    let (client, server) = tokio::io::duplex(1024 * 1024);
    tokio::spawn(crate::serve::serve(
        stack,
        tokio_stream::once(Ok((server, crate::Peer::default()))),
        CancellationToken::new(),
        Duration::ZERO,
        (crate::Limits::default(), Duration::ZERO),
        None,
    ));
    let (requests, connection) = h2::client::handshake(client).await.unwrap();
    tokio::spawn(connection);
    Running {
        gate,
        requests: requests.ready().await.unwrap(),
        open,
        takes,
        handled,
    }
}

impl Running {
    fn begin(&mut self, path: &str, timeout: &str) -> (ResponseFuture, SendStream<Bytes>) {
        let request = Request::post(format!("http://server{path}"))
            .header("content-type", "application/grpc")
            .header("grpc-timeout", timeout)
            .body(())
            .unwrap();
        self.requests.send_request(request, true).unwrap()
    }

    /// Begins so many calls; returns when the server has them.
    async fn hold(&mut self, path: &str, calls: u32) -> Vec<ResponseFuture> {
        let before = self.handled();
        let held = (0..calls).map(|_| self.begin(path, "1M").0).collect();
        until(|| self.handled() == before + calls).await;
        held
    }

    fn handled(&self) -> u32 {
        self.handled.load(Ordering::Relaxed)
    }

    fn in_flight(&self) -> u32 {
        self.gate.limit.as_ref().unwrap().in_flight()
    }

    async fn status(&mut self, path: &str) -> Status {
        status(self.begin(path, "1M").0).await
    }
}

async fn status(response: ResponseFuture) -> Status {
    let head = response.await.unwrap().into_parts().0.headers;
    Status::from_header_map(&head).unwrap_or_else(|| Status::ok(""))
}

/// Lets the other tasks run until this is so.
async fn until(mut done: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if done() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it does not come to that");
}

#[tokio::test(start_paused = true)]
async fn the_least_important_goes_first() {
    let mut server = start(4, 4).await;
    let check = async |server: &mut Running, taken: &[&str], refused: &[&str]| {
        for path in refused {
            assert_eq!(
                server.status(path).await.code(),
                Code::ResourceExhausted,
                "{path}"
            );
        }
        for path in taken {
            let (response, mut stream) = server.begin(path, "1M");
            let before = server.handled();
            until(|| server.handled() > before).await;
            // Its place is free when the caller goes away.
            let places = server.in_flight();
            stream.send_reset(Reason::CANCEL);
            drop(response);
            until(|| server.in_flight() < places).await;
        }
    };
    let mut held = server.hold("/t.T/Critical", 1).await;
    let all = ["/t.T/Must", "/t.T/Critical", "/t.T/Plus", "/t.T/Sheddable"];
    check(&mut server, &all, &[]).await;
    for filled in 1..=3 {
        held.extend(server.hold("/t.T/Critical", 1).await);
        check(&mut server, &all[..4 - filled], &all[4 - filled..]).await;
    }
    held.extend(server.hold("/t.T/Must", 2).await);
    check(&mut server, &[], &all).await;
    server.open.add_permits(6);
    for response in held {
        assert_eq!(response.await.unwrap().status(), 200);
    }
    assert_eq!(server.in_flight(), 0);
    check(&mut server, &all, &[]).await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_tells_when_to_come_again() {
    let mut server = start(1, 1).await;
    let _held = server.hold("/t.T/Critical", 1).await;
    let mut waits = Vec::new();
    for _ in 0..WAITS {
        let status = server.status("/t.T/Critical").await;
        assert_eq!(status.code(), Code::ResourceExhausted);
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str()),
            ("OVERLOADED", "test.scribemed")
        );
        assert_eq!(info.metadata["criticality"], "CRITICAL");
        let wait = details.retry_info().unwrap().retry_delay.unwrap();
        let pushback = status.metadata().get("grpc-retry-pushback-ms").unwrap();
        let pushback: u64 = pushback.to_str().unwrap().parse().unwrap();
        assert_eq!(
            pushback,
            u64::try_from(wait.as_millis().max(1)).unwrap()
                + u64::from(wait.subsec_nanos() % 1_000_000 > 0)
        );
        assert!(status.metadata().contains_key("x-request-id"));
        waits.push(wait);
    }
    waits.sort_unstable();
    assert_eq!(waits[0], Duration::from_millis(500));
    assert_eq!(waits[WAITS - 1], Duration::from_millis(1500));
    assert!(waits.windows(2).all(|pair| pair[0] < pair[1]), "{waits:?}");
    assert_eq!(server.handled(), 1, "no handler was called for those");
}

#[tokio::test(start_paused = true)]
async fn health_is_answered_whatever_else_there_is_to_do() {
    let mut server = start(1, 1).await;
    let _held = server.hold("/t.T/Must", 2).await;
    assert_eq!(
        server.status("/t.T/Must").await.code(),
        Code::ResourceExhausted
    );
    for _ in 0..100 {
        assert_eq!(
            server.status("/grpc.health.v1.Health/Check").await.code(),
            Code::Ok
        );
        assert_eq!(
            server.status("/t.T/Nothing").await.code(),
            Code::Unimplemented
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_refused_like_others_and_takes_no_place() {
    let mut server = start(1, 1).await;
    let _watches = server.hold("/t.T/Watch", 50).await;
    assert_eq!(server.in_flight(), 0);
    let _held = server.hold("/t.T/Critical", 1).await;
    assert_eq!(
        server.status("/t.T/Watch").await.code(),
        Code::ResourceExhausted
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_gives_its_places_back() {
    let mut server = start(4, 4).await;
    let held = server.hold("/t.T/Critical", 4).await;
    let gate = Arc::clone(&server.gate);
    drop((held, server));
    until(|| gate.limit.as_ref().unwrap().in_flight() == 0).await;
}

/// The client's end of the pipe wakes the server at once, so a call waits only where the test makes it wait.
#[tokio::test(start_paused = true)]
async fn a_call_that_cannot_be_answered_in_time_is_not_begun() {
    let mut server = start(20, 20).await;
    let slow = |server: &mut Running, timeout: &str| status(server.begin("/t.T/Slow", timeout).0);
    // Nothing is known yet: it is begun, and cut off.
    let cut_off = slow(&mut server, "50m").await;
    assert_eq!(
        (cut_off.code(), server.handled()),
        (Code::DeadlineExceeded, 1)
    );
    assert_eq!(slow(&mut server, "1S").await.code(), Code::Ok);
    advance(Duration::from_secs(30)).await;
    assert_eq!(slow(&mut server, "1S").await.code(), Code::Ok);
    assert_eq!(server.handled(), 3);
    let refused = slow(&mut server, "50m").await;
    assert_eq!(
        (refused.code(), server.handled()),
        (Code::DeadlineExceeded, 3)
    );
    assert!(refused.message().contains("not begun"), "{refused:?}");
    let details = refused.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "DEADLINE_EXCEEDED");
    // 100 ms are as long as it takes, and a stream is not judged so.
    assert_eq!(slow(&mut server, "101m").await.code(), Code::Ok);
    // What was quick or slow a minute ago says nothing now.
    advance(Duration::from_secs(90)).await;
    let cut_off = slow(&mut server, "50m").await;
    assert_eq!(
        (cut_off.code(), server.handled()),
        (Code::DeadlineExceeded, 5)
    );
    assert_eq!(server.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_limit_falls_and_recovers_within_seconds() {
    let mut server = start(2, 64).await;
    let limit = |server: &Running| server.gate.limit.as_ref().unwrap().limit();
    for _ in 0..20 {
        assert_eq!(server.status("/t.T/Slow").await.code(), Code::Ok);
    }
    assert_eq!(limit(&server), 64);
    server.takes.store(1_000, Ordering::Relaxed);
    for _ in 0..5 {
        let calls = limit(&server);
        for held in server.hold("/t.T/Slow", calls).await {
            assert_eq!(status(held).await.code(), Code::Ok);
        }
    }
    let fallen = limit(&server);
    assert!(fallen < 16, "{fallen}");
    let _held = server.hold("/t.T/Must", fallen).await;
    assert_eq!(
        server.status("/t.T/Slow").await.code(),
        Code::ResourceExhausted
    );
    server.open.add_permits(usize::try_from(fallen).unwrap());
    until(|| server.in_flight() == 0).await;
    server.takes.store(100, Ordering::Relaxed);
    let begun = Instant::now();
    while limit(&server) < 64 {
        let calls = limit(&server);
        for held in server.hold("/t.T/Slow", calls).await {
            assert_eq!(status(held).await.code(), Code::Ok);
        }
        assert!(
            begun.elapsed() < Duration::from_secs(3),
            "{}",
            limit(&server)
        );
    }
}
