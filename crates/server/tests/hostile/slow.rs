//! Peers that take their time, so that others wait for it.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::Instant;

use crate::attack::{
    DATA, END_HEADERS, END_STREAM, HEADERS, PING, PREFACE, SETTINGS, check_head, frame, scene,
};

const SECOND: Duration = Duration::from_secs(1);

/// How long the connection lasts after `sent`, in seconds.
async fn lasts(mut io: DuplexStream, sent: &[u8]) -> u64 {
    let begun = Instant::now();
    io.write_all(sent).await.unwrap();
    io.read_to_end(&mut Vec::new()).await.unwrap();
    begun.elapsed().as_secs()
}

fn hello() -> Vec<u8> {
    let mut sent = PREFACE.to_vec();
    sent.extend(frame(SETTINGS, 0, 0, &[]));
    sent
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_is_left_unfinished() {
    let head = frame(HEADERS, END_HEADERS | END_STREAM, 1, &check_head());
    let open = frame(HEADERS, 0, 1, &check_head());
    for unfinished in [&head[..1], &head[..12], &open] {
        let mut scene = scene().await;
        let mut sent = hello();
        sent.extend(unfinished);
        let io = scene.server.pipe(1024, None);
        assert_eq!(lasts(io, &sent).await, 30, "{unfinished:?}");
        scene.call().await;
        scene.is_bounded();
    }
}

/// A byte each ten seconds keeps nobody in.
#[tokio::test(start_paused = true)]
async fn a_frame_that_comes_byte_by_byte() {
    let mut scene = scene().await;
    let (mut read, mut write) = tokio::io::split(scene.server.pipe(1024, None));
    write.write_all(&hello()).await.unwrap();
    let begun = Instant::now();
    let reading = tokio::spawn(async move {
        read.read_to_end(&mut Vec::new()).await.unwrap();
        begun.elapsed().as_secs()
    });
    for byte in frame(HEADERS, END_HEADERS | END_STREAM, 1, &check_head()) {
        if write.write_all(&[byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(10 * SECOND).await;
    }
    assert_eq!(reading.await.unwrap(), 30);
    scene.call().await;
}

/// Sends again and again and reads nothing, until the connection ends: after so many seconds.
async fn takes_nothing(next: impl Fn(u32) -> Vec<u8>, seconds: u64) {
    let mut scene = scene().await;
    let mut io = scene.server.pipe(16 * 1024, None);
    let begun = Instant::now();
    io.write_all(&hello()).await.unwrap();
    let mut number = 0;
    while io.write_all(&next(number)).await.is_ok() {
        scene.call().await;
        number += 1;
    }
    assert!(number < 2_000, "{number} were read");
    assert_eq!(begun.elapsed().as_secs(), seconds);
    scene.call().await;
    scene.is_bounded();
}

#[tokio::test(start_paused = true)]
async fn who_asks_and_takes_no_answer() {
    let call = |number| {
        let mut call = frame(HEADERS, END_HEADERS, 2 * number + 1, &check_head());
        call.extend(frame(DATA, END_STREAM, 2 * number + 1, &[0; 5]));
        call
    };
    takes_nothing(call, 30).await;
}

/// Pings are a flood before their answers are too many, and the last words to somebody who does not listen take a second.
#[tokio::test(start_paused = true)]
async fn who_pings_and_takes_no_answer() {
    takes_nothing(|_| frame(PING, 0, 0, &[0; 8]), 1).await;
}
