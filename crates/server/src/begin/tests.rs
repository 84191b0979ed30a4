#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::convert::Infallible;

use bytes::Bytes;
use h2::client::SendRequest;
use http::{Request, Response};
use tokio::task::yield_now;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tower::service_fn;

use super::*;
use crate::route::Routes;

/// Moves the paused clock, without a wait.
fn compute(time: Duration) {
    let mut advance = std::pin::pin!(tokio::time::advance(time));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    // It moves the clock when it is first polled, then yields.
    assert!(advance.as_mut().poll(&mut cx).is_pending());
}

/// Answers with the task that it runs on. On the way it does what the path asks for.
async fn handle(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    match request.uri().path() {
        "/t.T/Wait" => tokio::time::sleep(LONG).await,
        "/t.T/Yield" => yield_now().await,
        "/t.T/Compute" => compute(5 * LONG),
        "/t.T/Stall" => compute(2 * TURN),
        "/t.T/Panic" => panic!("it was told to"),
        _ => {}
    }
    let mut response = tonic::Status::ok("").into_http();
    let task = tokio::task::id().to_string();
    response
        .headers_mut()
        .insert("task", task.try_into().unwrap());
    Ok(response)
}

async fn connect() -> SendRequest<Bytes> {
    let mut routes = Routes::default();
    routes.add_open("t.T", service_fn(handle));
    let stack = Arc::new(Stack::bare(routes));
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
    requests.ready().await.unwrap()
}

/// Calls that arrive together; the tasks that they ran on.
async fn tasks(requests: &mut SendRequest<Bytes>, methods: &[&str]) -> Vec<Option<String>> {
    let responses: Vec<_> = methods
        .iter()
        .map(|method| {
            let request = Request::post(format!("http://server/t.T/{method}"))
                .header("content-type", "application/grpc")
                .body(())
                .unwrap();
            requests.send_request(request, true).unwrap().0
        })
        .collect();
    let mut tasks = Vec::new();
    for response in responses {
        let head = response.await.unwrap().into_parts().0;
        let task = head.headers.get("task");
        tasks.push(task.map(|task| task.to_str().unwrap().to_owned()));
    }
    tasks
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_gets_a_task_of_its_own() {
    let mut requests = connect().await;
    let tasks = tasks(&mut requests, &["Go", "Wait", "Yield", "Wait"]).await;
    assert_eq!(tasks[0], tasks[2], "they needed none");
    assert_ne!(tasks[1], tasks[0]);
    assert_ne!(tasks[1], tasks[3]);
}

#[tokio::test(start_paused = true)]
async fn calls_that_compute_are_spread_for_a_second() {
    let mut requests = connect().await;
    // One may be an accident.
    let first = tasks(&mut requests, &["Go", "Compute", "Go", "Go"]).await;
    assert_eq!((&first[2], &first[3]), (&first[0], &first[0]));
    let second = tasks(&mut requests, &["Compute", "Compute", "Go", "Go"]).await;
    assert_ne!(second[2], first[0]);
    assert_ne!(second[2], second[3]);
    let third = tasks(&mut requests, &["Go", "Go"]).await;
    assert_ne!(third[0], third[1]);
    tokio::time::advance(SPAWN_FOR).await;
    let fourth = tasks(&mut requests, &["Go", "Go"]).await;
    assert_eq!((&fourth[0], &fourth[1]), (&first[0], &first[0]));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_uses_up_the_turn_keeps_no_neighbour_waiting() {
    let mut requests = connect().await;
    let first = tasks(&mut requests, &["Go", "Stall", "Go", "Go"]).await;
    assert_ne!(first[2], first[0]);
    assert_ne!(first[2], first[3]);
    let second = tasks(&mut requests, &["Go"]).await;
    assert_eq!(second[0], first[0]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_fails_its_call_and_not_its_neighbours() {
    let mut requests = connect().await;
    let tasks = tasks(&mut requests, &["Go", "Panic", "Go"]).await;
    assert!(tasks[0].is_some());
    assert_eq!((&tasks[1], &tasks[2]), (&None, &tasks[0]));
}
