#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use reqwest::Certificate;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::*;

fn config(folder: Option<&Path>, hosts: &[&str]) -> Config {
    Config {
        folder: folder.map(Path::to_owned),
        hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
        max_bytes: 1_000,
        ..Config::default()
    }
}

fn refusal(sources: &Sources, url: &str) -> String {
    let error = sources.check(url).unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{url}: {error}");
    assert!(!error.is_retryable());
    error.to_string()
}

#[test]
fn only_listed_hosts_are_reached() {
    let hosts = [
        "audio.example.org",
        "Lab.Example.org:8443",
        "10.0.0.5",
        "[::1]",
    ];
    let sources = Sources::new(config(None, &hosts)).unwrap();
    for url in [
        "https://audio.example.org/visit.wav?token=1",
        "https://AUDIO.example.org:443/",
        "https://lab.example.org:8443/x",
    ] {
        sources.check(url).unwrap();
    }
    for url in [
        "http://audio.example.org/",
        "ftp://audio.example.org/",
        "data:audio/wav;base64,AAAA",
        "gopher://audio.example.org",
        "https://audio.example.org:8443/",
        "https://lab.example.org/",
        "https://audio.example.org.evil.example/",
        "https://evil.example/?https://audio.example.org/",
        "https://audio.example.org@evil.example/",
        "https://user@audio.example.org/",
        "https://:password@audio.example.org/",
        "https://169.254.169.254/latest/meta-data/",
        "https://0xA9FEA9FE/",
        "https://[::ffff:169.254.169.254]/",
        "https://localhost/",
        // Listed, but not public.
        "https://10.0.0.5/",
        "https://167772165/",
        "https://[::1]/",
        "file:///etc/passwd",
    ] {
        let message = refusal(&sources, url);
        assert!(
            message.contains("https://audio.example.org/..."),
            "{message}"
        );
        assert!(
            message.contains("https://lab.example.org:8443/..."),
            "{message}"
        );
    }
    for url in ["", "visit.wav", "https://", "https://a b/", "/etc/passwd"] {
        let error = sources.check(url).unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{url}: {error}");
    }
    let nothing = Sources::new(Config::default()).unwrap();
    assert!(refusal(&nothing, "https://a.example/").contains("send the audio itself"));
}

#[test]
fn a_host_is_a_host() {
    for entry in [
        "",
        "https://a.example",
        "a.example/",
        "a.example/x",
        "u@a.example",
        "a b",
        "a:b",
    ] {
        assert!(Sources::new(config(None, &[entry])).is_err(), "{entry}");
    }
}

#[tokio::test]
async fn only_files_below_the_folder_are_read() {
    let root = tempfile::tempdir().unwrap();
    let outside = root.path().join("secret.wav");
    let folder = root.path().join("recordings");
    std::fs::create_dir_all(folder.join("2026")).unwrap();
    std::fs::write(&outside, "secret").unwrap();
    std::fs::write(folder.join("2026/visit one.wav"), "audio").unwrap();
    std::fs::write(folder.join("large.wav"), vec![0; 1_001]).unwrap();
    std::os::unix::fs::symlink(&outside, folder.join("link.wav")).unwrap();
    std::os::unix::fs::symlink(root.path(), folder.join("up")).unwrap();
    std::os::unix::fs::symlink("2026/visit one.wav", folder.join("inside.wav")).unwrap();
    let sources = Sources::new(config(Some(&folder), &[])).unwrap();
    let url = |path: &str| format!("file://{}/{path}", folder.display());
    let fetch = async |path: &str| sources.fetch(&sources.check(&url(path)).unwrap()).await;

    assert_eq!(fetch("2026/visit%20one.wav").await.unwrap(), "audio");
    assert_eq!(fetch("inside.wav").await.unwrap(), "audio");
    let local = url("inside.wav").replace("file://", "file://localhost");
    assert!(sources.check(&local).is_ok());

    for path in [
        "../secret.wav",
        "%2e%2e/secret.wav",
        "..%2Fsecret.wav",
        "2026/../../secret.wav",
        "",
    ] {
        let message = refusal(&sources, &url(path));
        assert!(message.contains("recordings/..."), "{message}");
    }
    refusal(&sources, "file:///etc/passwd");
    refusal(&sources, &format!("file://{}2/x", folder.display()));
    refusal(
        &sources,
        &url("x").replace("file://", "file://other.example"),
    );

    let check = |result: Result<Bytes, Error>, reason: &str| {
        let error = result.unwrap_err();
        assert_eq!(error.reason(), reason, "{error}");
        assert!(!error.is_retryable());
    };
    check(fetch("link.wav").await, "AUDIO_URL_NOT_ALLOWED");
    check(fetch("up/secret.wav").await, "AUDIO_URL_NOT_ALLOWED");
    check(fetch("2026").await, "AUDIO_URL_NOT_ALLOWED");
    check(fetch("large.wav").await, "AUDIO_TOO_LARGE");
    check(fetch("nothing.wav").await, "AUDIO_NOT_FOUND");
}

/// Names that lead to a port of this machine, whatever they are called.
struct Names(u16);

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let (port, name) = (self.0, name.as_str().to_owned());
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = match name.as_str() {
                "audio.example" | "other.example" => vec![([127, 0, 0, 1], port).into()],
                // The second answer is what an attacker puts in beside an innocent one.
                "mixed.example" => vec![
                    ([127, 0, 0, 1], port).into(),
                    ([169, 254, 169, 254], port).into(),
                ],
                "inner.example" => vec![([10, 0, 0, 1], port).into()],
                _ => return Err("no such name".into()),
            };
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn only_this_machine(address: IpAddr) -> bool {
    address.is_loopback()
}

/// A host that answers each request by its path, and a client that trusts it.
async fn host() -> Sources {
    let names = [
        "audio.example",
        "other.example",
        "mixed.example",
        "inner.example",
    ];
    let made = rcgen::generate_simple_self_signed(names.map(str::to_owned)).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let server = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that does not like where it got to hangs up: no failure of the host.
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                let request = String::from_utf8(request).unwrap();
                let path = request.split(' ').nth(1).unwrap();
                let _ = stream.write_all(&answer(path)).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    let listed = [
        "audio.example",
        "mixed.example",
        "inner.example",
        "lost.example",
    ];
    let network = Network {
        permitted: only_this_machine,
        resolver: Arc::new(Names(port)),
        roots: vec![Certificate::from_der(made.cert.der()).unwrap()],
    };
    Sources::on(config(None, &listed), network).unwrap()
}

fn answer(path: &str) -> Vec<u8> {
    let moved = |to: &str| {
        format!(
            "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )
    };
    let plain = |status: &str, body: &str| {
        format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    match path {
        "/audio" => plain("200 OK", "audio"),
        "/large" => plain("200 OK", &"x".repeat(1_001)),
        // No length: the end of the connection is the end of the body.
        "/endless" => format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}",
            "x".repeat(5_000)
        ),
        "/moved/1" => moved("/audio"),
        "/moved/2" => moved("/moved/1"),
        "/moved/3" => moved("https://audio.example/moved/2"),
        "/moved/4" => moved("/moved/3"),
        "/loop" => moved("/loop"),
        "/to/http" => moved("http://audio.example/audio"),
        "/to/metadata" => moved("https://169.254.169.254/latest/meta-data/"),
        "/to/other" => moved("https://other.example/audio"),
        "/to/inner" => moved("https://inner.example/audio"),
        "/to/port" => moved("https://audio.example:8443/audio"),
        "/busy" => plain("503 Later", ""),
        _ => plain("404 Not Found", ""),
    }
    .into_bytes()
}

#[tokio::test]
async fn downloads_go_where_they_are_allowed_to() {
    let sources = host().await;
    let fetch = async |url: &str| sources.fetch(&sources.check(url).unwrap()).await;
    for path in ["audio", "moved/1", "moved/2", "moved/3"] {
        let url = format!("https://audio.example/{path}");
        assert_eq!(fetch(&url).await.unwrap(), "audio", "{path}");
    }
    for (url, reason, says) in [
        (
            "https://audio.example/moved/4",
            "AUDIO_URL_NOT_ALLOWED",
            "three redirects",
        ),
        (
            "https://audio.example/loop",
            "AUDIO_URL_NOT_ALLOWED",
            "three redirects",
        ),
        (
            "https://audio.example/to/http",
            "AUDIO_URL_NOT_ALLOWED",
            "\"http\"",
        ),
        (
            "https://audio.example/to/metadata",
            "AUDIO_URL_NOT_ALLOWED",
            "169.254.169.254",
        ),
        (
            "https://audio.example/to/other",
            "AUDIO_URL_NOT_ALLOWED",
            "other.example",
        ),
        (
            "https://audio.example/to/port",
            "AUDIO_URL_NOT_ALLOWED",
            "8443",
        ),
        (
            "https://audio.example/to/inner",
            "AUDIO_URL_NOT_ALLOWED",
            "10.0.0.1",
        ),
        (
            "https://inner.example/audio",
            "AUDIO_URL_NOT_ALLOWED",
            "10.0.0.1",
        ),
        (
            "https://mixed.example/audio",
            "AUDIO_URL_NOT_ALLOWED",
            "not public",
        ),
        ("https://audio.example/large", "AUDIO_TOO_LARGE", "1000"),
        ("https://audio.example/endless", "AUDIO_TOO_LARGE", "1000"),
        ("https://audio.example/nothing", "AUDIO_NOT_FOUND", "404"),
    ] {
        let error = fetch(url).await.unwrap_err();
        assert_eq!(error.reason(), reason, "{url}: {error}");
        assert!(error.to_string().contains(says), "{url}: {error}");
        assert!(!error.is_retryable(), "{url}");
    }
    for url in ["https://audio.example/busy", "https://lost.example/audio"] {
        let error = fetch(url).await.unwrap_err();
        assert!(error.is_retryable(), "{url}: {error}");
        assert!(!error.to_string().contains("audio.example/"), "{error}");
    }
}

#[tokio::test]
async fn this_machine_is_not_reached_by_name() {
    // The real rules and the real resolver.
    let sources = Sources::new(config(None, &["localhost"])).unwrap();
    let checked = sources.check("https://localhost/").unwrap();
    let error = sources.fetch(&checked).await.unwrap_err();
    assert_eq!(error.reason(), "AUDIO_URL_NOT_ALLOWED", "{error}");
}
