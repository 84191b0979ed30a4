#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::convert::Infallible;

use bytes::Bytes;
use h2::client::SendRequest;
use http::{Request, Response};
use scribemed_auth::verifier::{CacheConfig, Config};
use scribemed_auth::{CachedKeys, KeySet, SystemClock, Verifier};
use tokio::task::yield_now;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tower::service_fn;

use super::*;
use crate::route::Routes;

/// Answers with the task that it runs on. On the way it does what the path asks for.
async fn handle(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    match request.uri().path() {
        "/t.T/Wait" => yield_now().await,
        // Moves the paused clock, as a handler would that computes for 2 ms.
        "/t.T/Compute" => tokio::time::advance(4 * TURN).await,
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
    let keys = CachedKeys::new(
        Arc::new(KeySet::default()),
        CacheConfig::default(),
        Arc::new(SystemClock),
    );
    let stack = Arc::new(Stack {
        routes,
        verifier: Verifier::new(Config::new("issuer", "test"), keys, Arc::new(SystemClock)),
        domain: "test.scribemed",
    });
    let (client, server) = tokio::io::duplex(1024 * 1024);
    tokio::spawn(crate::serve::serve(
        stack,
        tokio_stream::once(Ok(server)),
        CancellationToken::new(),
        Duration::ZERO,
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
    let tasks = tasks(&mut requests, &["Go", "Wait", "Go", "Wait"]).await;
    assert_eq!(tasks[0], tasks[2], "they needed none");
    assert_ne!(tasks[1], tasks[0]);
    assert_ne!(tasks[1], tasks[3]);
}

#[tokio::test(start_paused = true)]
async fn after_a_call_that_computes_calls_are_spread_for_a_second() {
    let mut requests = connect().await;
    let first = tasks(&mut requests, &["Go", "Compute", "Go", "Go"]).await;
    assert_ne!(
        first[2], first[0],
        "its neighbours do not wait for each other"
    );
    assert_ne!(first[2], first[3]);
    let second = tasks(&mut requests, &["Go", "Go"]).await;
    assert_ne!(second[0], second[1]);
    tokio::time::advance(SPAWN_FOR).await;
    let third = tasks(&mut requests, &["Go", "Go"]).await;
    assert_eq!(third[0], first[0]);
    assert_eq!(third[1], first[0]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_fails_its_call_and_not_its_neighbours() {
    let mut requests = connect().await;
    let tasks = tasks(&mut requests, &["Go", "Panic", "Go"]).await;
    assert!(tasks[0].is_some());
    assert_eq!((&tasks[1], &tasks[2]), (&None, &tasks[0]));
}
