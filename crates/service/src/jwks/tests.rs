#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write as _;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

const KEY: &str =
    r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"a"}"#;

/// Answers every request with these bytes, and then closes or, where there are none, says nothing.
async fn serve(answer: String) -> JwksUrl {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut silent = Vec::new();
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = [0; 4096];
            if socket.read(&mut request).await.is_err() {
                continue;
            }
            if answer.is_empty() {
                silent.push(socket);
            } else if let Err(error) = socket.write_all(answer.as_bytes()).await {
                // A client that has seen enough goes away.
                assert!(answer.len() > 64 * 1024, "{error}");
            }
        }
    });
    url.parse().unwrap()
}

fn ok(headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
    )
}

async fn fetch(url: JwksUrl) -> Result<KeySet, String> {
    HttpsKeys::new(url).unwrap().fetch().await.map_err(|error| {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            write!(text, ": {error}").unwrap();
            cause = error.source();
        }
        text
    })
}

#[tokio::test]
async fn keys_are_fetched_with_their_age() {
    let body = format!(r#"{{"keys":[{KEY},{{"kty":"oct","k":"AAAA"}}]}}"#);
    let check = async |headers: &str, expect: Option<u64>| {
        let keys = fetch(serve(ok(headers, &body)).await).await.unwrap();
        assert_eq!(keys.len(), 1);
        assert_eq!(keys.max_age().map(|age| age.as_secs()), expect, "{headers}");
    };
    check("", None).await;
    check("cache-control: public, max-age=600\r\n", Some(600)).await;
    check("Cache-Control: Max-Age=\"600\"\r\n", Some(600)).await;
    check("cache-control: max-age=600\r\nage: 100\r\n", Some(500)).await;
    check("cache-control: max-age=600\r\nage: 700\r\n", Some(0)).await;
    check("cache-control: max-age=600, no-cache\r\n", Some(0)).await;
    check("cache-control: no-store\r\n", Some(0)).await;
    check("cache-control: max-age=soon\r\n", None).await;
    check(
        "cache-control: max-age=600\r\ncache-control: max-age=60\r\n",
        Some(60),
    )
    .await;
}

#[tokio::test]
async fn what_is_no_key_set_is_refused_with_the_url() {
    let check = async |answer: String, expect: &str| {
        let url = serve(answer).await;
        let shown = url.to_string();
        let error = fetch(url).await.unwrap_err();
        assert!(
            error.contains(expect) && error.contains(&shown),
            "{expect}: {error}"
        );
    };
    check(ok("", "<html>"), "not a JSON Web Key Set").await;
    check(ok("", r#"{"keys":7}"#), "not a JSON Web Key Set").await;
    check(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n".to_owned(),
        "answered 503",
    )
    .await;
    let elsewhere = serve(ok("", &format!(r#"{{"keys":[{KEY}]}}"#))).await;
    check(
        format!("HTTP/1.1 302 Found\r\nlocation: {elsewhere}\r\ncontent-length: 0\r\n\r\n"),
        "redirects are not followed",
    )
    .await;
    // With a length and without one, and when it comes bit by bit.
    let padding = " ".repeat(64 * 1024);
    let large = format!(r#"{{"keys":[{KEY}]}}{padding}"#);
    check(ok("", &large), "more than the 65536 bytes").await;
    check(
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{large}"),
        "more than the 65536 bytes",
    )
    .await;
    check("SSH-2.0-OpenSSH_9.2\r\n".to_owned(), "cannot be fetched").await;
}

#[tokio::test]
async fn nobody_there_and_plain_text_where_tls_is_due_are_failures() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("http://{address}/keys").parse().unwrap();
    assert!(fetch(url).await.unwrap_err().contains("cannot be fetched"));

    let plain = serve(ok("", r#"{"keys":[]}"#)).await.to_string();
    let secure = plain.replace("http://", "https://").parse().unwrap();
    let error = fetch(secure).await.unwrap_err();
    assert!(error.contains("cannot be fetched"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_says_nothing_is_given_up() {
    let url = serve(String::new()).await;
    let begun = tokio::time::Instant::now();
    let error = fetch(url).await.unwrap_err();
    assert!(error.contains("cannot be fetched"), "{error}");
    // The connection is real and the clock is not: it may be given up before it is made.
    assert!(begun.elapsed() <= ANSWER, "{:?}", begun.elapsed());
}
