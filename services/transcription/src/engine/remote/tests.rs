#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;
use crate::audio::{Limits, Pcm, decode};

const ANSWER: &str = r#"{"task":"transcribe","duration":2.0,"text":" Hello. [BLANK_AUDIO]","segments":[
    {"id":0,"start":0.0,"end":0.9,"text":" Hello.","avg_logprob":-0.105,"no_speech_prob":0.01},
    {"id":1,"start":0.9,"end":1.0,"text":"[BLANK_AUDIO]","avg_logprob":-0.1},
    {"id":2,"start":1.5,"end":30.0,"text":" Bye."}]}"#;

fn recording() -> Arc<Pcm> {
    let samples = (0..32_000).map(|i| if i % 40 < 20 { 9_000_i16 } else { -9_000 });
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3E\0\0\0\x7D\0\0\x02\0\x10\0data\xFF\xFF\xFF\xFF"
        .to_vec();
    file.extend(samples.flat_map(i16::to_le_bytes));
    Arc::new(decode(&file, &Limits::default()).unwrap())
}

/// A server that answers one request and hands it over.
async fn peer(status: &str, body: Vec<u8>) -> (Url, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap());
    let head = format!(
        "HTTP/1.1 {status}\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        let mut wanted = usize::MAX;
        while request.len() < wanted {
            assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
            if let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "))
                    .unwrap();
                wanted = end + 4 + length.parse::<usize>().unwrap();
            }
        }
        stream.write_all(head.as_bytes()).await.unwrap();
        // Whoever stops reading closes the connection: no failure of the server.
        let _ = stream.write_all(&body).await;
        request
    });
    (base.parse().unwrap(), serving)
}

fn config(base: Url) -> RemoteConfig {
    RemoteConfig {
        base,
        model: "whisper-1".to_owned(),
        key: Some("sk-secret".to_owned()),
        language: Some("en".to_owned()),
        timeout: Duration::from_secs(20),
    }
}

async fn ask(status: &str, body: Vec<u8>) -> (Result<Vec<Segment>, Error>, Vec<u8>) {
    let (base, serving) = peer(status, body).await;
    let remote = Remote::new(config(base)).unwrap();
    let window = recording().windows(Duration::from_secs(60)).remove(0);
    let result = remote.ask(&window).await;
    (result, serving.await.unwrap())
}

#[tokio::test]
async fn a_window_is_sent_and_the_answer_is_read() {
    let (result, request) = ask("200 OK", ANSWER.into()).await;
    let segments = result.unwrap();
    let end = request.windows(4).position(|w| w == b"RIFF").unwrap();
    let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
    assert!(
        head.starts_with("post /v1/audio/transcriptions http/1.1"),
        "{head}"
    );
    assert!(head.contains("authorization: bearer sk-secret"));
    for field in [
        "whisper-1",
        "verbose_json",
        "name=\"language\"",
        "filename=\"audio.wav\"",
    ] {
        assert!(head.contains(field), "{field} in {head}");
    }
    let sent = decode(&request[end..end + 64_044], &Limits::default()).unwrap();
    assert_eq!(sent, *recording());

    let texts: Vec<_> = segments
        .iter()
        .map(|s| (s.index, s.text.as_str()))
        .collect();
    assert_eq!(texts, [(0, "Hello."), (1, "Bye.")]);
    assert!((segments[0].confidence.unwrap() - 0.9).abs() < 0.001);
    assert_eq!(segments[1].confidence, None);
    assert_eq!(segments[1].start, Duration::from_millis(1_500));
    assert_eq!(segments[1].end, Duration::from_secs(2));
}

#[tokio::test]
async fn an_answer_with_text_only_is_one_segment() {
    let (result, _) = ask("200 OK", br#"{"text":"Hello."}"#.to_vec()).await;
    let segments = result.unwrap();
    assert_eq!(segments.len(), 1);
    assert_eq!(segments[0].end, Duration::from_secs(2));
    assert_eq!(segments[0].confidence, None);
}

#[tokio::test]
async fn refusals_are_final_and_outages_are_not() {
    for (status, retryable) in [
        ("400 Bad Request", false),
        ("401 Unauthorized", false),
        ("413 Too Large", false),
        ("302 Found", false),
        ("408 Timeout", true),
        ("429 Slow Down", true),
        ("500 Oops", true),
        ("503 Later", true),
    ] {
        let (result, _) = ask(status, b"chest pain".to_vec()).await;
        let error = result.unwrap_err();
        assert_eq!(error.is_retryable(), retryable, "{status}: {error}");
        let printed = format!("{error} {error:?}");
        assert!(printed.contains(&status[..3]), "{printed}");
        assert!(!printed.contains("chest"), "{printed}");
    }
}

#[tokio::test]
async fn answers_that_make_no_sense_are_refused() {
    for body in [
        &b"<html>"[..],
        b"{}",
        br#"{"segments":[{"start":0}]}"#,
        &vec![b' '; MAX_ANSWER + 1],
    ] {
        let (result, _) = ask("200 OK", body.to_vec()).await;
        assert!(!result.unwrap_err().is_retryable());
    }
    let odd = br#"{"segments":[{"start":-1.0,"end":1e300,"text":"Hi"},{"start":1.5,"end":0.5,"text":"ho","avg_logprob":9.0}]}"#;
    let segments = ask("200 OK", odd.to_vec()).await.0.unwrap();
    assert_eq!(segments[0].start, Duration::ZERO);
    assert_eq!(segments[0].end, Duration::from_secs(2));
    assert!(segments[1].end >= segments[1].start);
    assert_eq!(segments[1].confidence, Some(1.0));
}

#[tokio::test]
async fn nobody_there_is_an_outage() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let remote = Remote::new(config(base.parse().unwrap())).unwrap();
    let window = recording().windows(Duration::from_secs(60)).remove(0);
    assert!(remote.ask(&window).await.unwrap_err().is_retryable());
}

#[test]
fn the_key_stays_where_it_belongs() {
    let remote = |base: &str| Remote::new(config(base.parse().unwrap()));
    assert!(remote("http://speech.example.org").is_err());
    assert!(remote("https://me:pw@speech.example.org").is_err());
    assert!(remote("ftp://speech.example.org").is_err());
    let built = remote("https://speech.example.org/v1/").unwrap();
    assert_eq!(
        built.endpoint.as_str(),
        "https://speech.example.org/v1/audio/transcriptions"
    );
    let config = config("https://speech.example.org".parse().unwrap());
    assert!(!format!("{config:?} {built:?}").contains("secret"));
}
