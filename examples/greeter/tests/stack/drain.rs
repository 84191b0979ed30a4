//! The end of a server.

use std::time::Duration;

use greeter::v1::TroubleRequest;
use tokio::net::TcpStream;
use tonic::Code;

use crate::support::{reason, soon, start, start_with};
use crate::trouble::Event;

#[tokio::test]
async fn calls_in_flight_are_finished_and_no_more_are_taken() {
    let mut server = start().await;
    let mut trouble = server.trouble();
    let call = tokio::spawn(async move { trouble.gate(TroubleRequest {}).await });
    assert_eq!(server.event().await, Event::Entered("Gate"));
    server.shutdown.cancel();
    // The listener is closed while the call goes on.
    soon(async { while TcpStream::connect(server.address).await.is_ok() {} }).await;
    assert!(!server.served.is_finished());
    server.gate.add_permits(1);
    assert!(soon(call).await.unwrap().is_ok());
    soon(&mut server.served).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_call_that_outlasts_the_grace_period_is_cut_off() {
    let mut server = start_with(None, Duration::from_millis(50)).await;
    let mut trouble = server.trouble();
    let call = tokio::spawn(async move { trouble.hang_long(TroubleRequest {}).await });
    assert_eq!(server.event().await, Event::Entered("HangLong"));
    server.shutdown.cancel();
    assert_eq!(server.event().await, Event::Dropped("HangLong"));
    let status = soon(call).await.unwrap().unwrap_err();
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::Unavailable, "UNREACHABLE")
    );
    soon(&mut server.served).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_the_server_up() {
    let mut server = start().await;
    let _raw = server.raw().await;
    let _silent = TcpStream::connect(server.address).await.unwrap();
    server.shutdown.cancel();
    soon(&mut server.served).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_server_that_is_dropped_lets_go_of_its_connections() {
    let mut server = start().await;
    let mut trouble = server.trouble();
    let call = tokio::spawn(async move { trouble.hang_long(TroubleRequest {}).await });
    assert_eq!(server.event().await, Event::Entered("HangLong"));
    server.served.abort();
    assert_eq!(server.event().await, Event::Dropped("HangLong"));
    assert_eq!(
        soon(call).await.unwrap().unwrap_err().code(),
        Code::Unavailable
    );
}
