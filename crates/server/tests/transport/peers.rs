//! Peers that say nothing, fall silent, or say too much.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::{Instant, timeout};

use crate::support::{CHECK, SERVING, WHOLE, for_ever, receive, send, start, start_with};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_let_go_after_ten_seconds() {
    let server = start();
    for first in ["", "PRI * HTTP/2.0\r\n"] {
        let (mut io, _writes) = server.connect();
        let begun = Instant::now();
        io.write_all(first.as_bytes()).await.unwrap();
        io.read_to_end(&mut Vec::new()).await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), 10, "{first:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_speaks_another_protocol_is_let_go_at_once() {
    let server = start();
    let (mut io, _writes) = server.connect();
    let begun = Instant::now();
    io.write_all(b"GET / HTTP/1.1\r\nhost: server\r\n\r\n")
        .await
        .unwrap();
    io.read_to_end(&mut Vec::new()).await.unwrap();
    assert!(begun.elapsed() < SECOND);
}

#[tokio::test(start_paused = true)]
async fn who_falls_silent_is_asked_and_let_go() {
    let server = start();
    let (io, _writes) = server.connect();
    // The peer is there, but nothing drives it.
    let _peer = h2::client::handshake(io).await.unwrap();
    drop(server.connections);
    let begun = Instant::now();
    let end = timeout(3600 * SECOND, server.served).await;
    end.unwrap().unwrap().unwrap();
    assert_eq!(begun.elapsed().as_secs(), 80);
}

#[tokio::test(start_paused = true)]
async fn who_answers_pings_stays() {
    let server = start_with(for_ever());
    let (mut requests, _writes) = server.http2().await;
    drop(server.connections);
    let mut end = server.served;
    assert!(timeout(3600 * SECOND, &mut end).await.is_err());
    let response = send(&mut requests, CHECK, &[], WHOLE).await.unwrap();
    assert_eq!(receive(response).await.0, SERVING);
    // When the last connection of those that came is gone, there is nothing left to serve.
    drop(requests);
    timeout(SECOND, end).await.unwrap().unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_accept_that_fails_is_not_the_last() {
    let server = start();
    for _ in 0..3 {
        let error = io::Error::other("too many open files");
        server.connections.send(Err(error)).unwrap();
    }
    let begun = Instant::now();
    let (mut requests, _writes) = server.http2().await;
    let response = send(&mut requests, CHECK, &[], WHOLE).await.unwrap();
    assert_eq!(receive(response).await.0, SERVING);
    assert_eq!(begun.elapsed().as_millis() / 100, 3);
    // Nor is a shutdown held up by one.
    let error = io::Error::other("too many open files");
    server.connections.send(Err(error)).unwrap();
    drop(requests);
    server.shutdown.cancel();
    timeout(SECOND, server.served)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

const SETTINGS: u8 = 4;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Reads until GOAWAY: its error code. `None`: the connection went on.
async fn go_away(mut io: DuplexStream) -> Option<u32> {
    loop {
        let mut head = [0; 9];
        let read = timeout(SECOND, io.read_exact(&mut head)).await.ok()?;
        read.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        io.read_exact(&mut payload).await.ok()?;
        if head[3] == GOAWAY {
            return Some(u32::from_be_bytes(payload[4..8].try_into().unwrap()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_takes_back_each_call_at_once_is_let_go() {
    const HEADERS: u8 = 1;
    let server = start();
    for (calls, expect) in [(100, None), (150, Some(ENHANCE_YOUR_CALM))] {
        let (mut io, _writes) = server.connect();
        let mut sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        sent.extend(frame(SETTINGS, 0, 0, &[]));
        for call in 0..calls {
            // POST, http, / from the static table; the head ends, the stream does not. Then CANCEL.
            sent.extend(frame(HEADERS, 4, 2 * call + 1, &[0x83, 0x86, 0x84]));
            sent.extend(frame(RST_STREAM, 0, 2 * call + 1, &[0, 0, 0, 8]));
        }
        io.write_all(&sent).await.unwrap();
        assert_eq!(go_away(io).await, expect, "{calls}");
    }
}

/// More than tokio lets a task read without a pause; a connection that insisted would never let go of the thread.
#[tokio::test(start_paused = true)]
async fn who_sends_much_leaves_room_for_others() {
    const UNKNOWN: u8 = 0xee;
    let server = start();
    let (mut io, _writes) = server.connect();
    let mut sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    sent.extend(frame(SETTINGS, 0, 0, &[]));
    for _ in 0..400 {
        sent.extend(frame(UNKNOWN, 0, 0, &[0; 16_000]));
    }
    io.write_all(&sent).await.unwrap();
    let (mut requests, _writes) = server.http2().await;
    let response = send(&mut requests, CHECK, &[], WHOLE).await.unwrap();
    assert_eq!(receive(response).await.0, SERVING);
}
