//! Handshakes that go wrong, and what they cost others.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use scribemed_server::{ClientCertificates, IdentityFiles, ServerTls, TlsConfig};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::support::{CHECK, Running, SERVING, WHOLE, receive, send, start_as};

/// Files with a certificate for `server`, which signs itself.
struct Signed {
    folder: TempDir,
    certificate: CertificateDer<'static>,
}

impl Signed {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = sign(&folder);
        Self {
            folder,
            certificate,
        }
    }

    fn start(&self) -> Running {
        let identity = IdentityFiles {
            certificate: self.folder.path().join("tls.pem"),
            key: self.folder.path().join("tls.key"),
        };
        let clients = ClientCertificates::None;
        let tls = ServerTls::open(TlsConfig { identity, clients }).unwrap();
        start_as(|server| server.tls(tls))
    }
}

/// Writes a new certificate and its key.
fn sign(folder: &TempDir) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["server".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let write = |name, what, content: &[u8]| {
        let pem = pem::encode(&pem::Pem::new(what, content));
        std::fs::write(folder.path().join(name), pem).unwrap();
    };
    write("tls.pem", "CERTIFICATE", certificate.der());
    write("tls.key", "PRIVATE KEY", &key.serialize_der());
    certificate.der().clone()
}

fn start() -> (Running, CertificateDer<'static>) {
    let signed = Signed::new();
    (signed.start(), signed.certificate)
}

/// What connecting with these protocols comes to.
async fn connect(
    io: DuplexStream,
    root: &CertificateDer<'static>,
    protocols: &[&[u8]],
) -> std::io::Result<TlsStream<DuplexStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let name = ServerName::try_from("server").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, io).await
}

#[tokio::test(start_paused = true)]
async fn a_slow_handshake_holds_up_nobody_and_ends_after_ten_seconds() {
    let (server, root) = start();
    let begun = Instant::now();
    // One says nothing, and one half of its first record.
    let (mut mute, _) = server.connect();
    let (mut slow, _) = server.connect();
    slow.write_all(&[22, 3, 1, 1, 0, 1]).await.unwrap();

    let (io, _) = server.connect();
    let secure = connect(io, &root, &[b"h2"]).await.unwrap();
    let (requests, connection) = h2::client::handshake(secure).await.unwrap();
    tokio::spawn(connection);
    let mut requests = requests.ready().await.unwrap();
    let response = send(&mut requests, CHECK, &[], WHOLE).await.unwrap();
    assert_eq!(receive(response).await, (SERVING, "0".to_owned()));
    assert_eq!(begun.elapsed(), Duration::ZERO);

    for waiting in [&mut mute, &mut slow] {
        assert_eq!(waiting.read(&mut [0]).await.unwrap(), 0);
        let took = begun.elapsed();
        let exact = Duration::from_secs(10)..Duration::from_millis(10_010);
        assert!(exact.contains(&took), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_http2_is_spoken() {
    let (server, root) = start();
    let (io, _) = server.connect();
    let error = connect(io, &root, &[b"http/1.1"]).await.unwrap_err();
    assert!(
        error.to_string().contains("NoApplicationProtocol"),
        "{error}"
    );

    // Who offers nothing gets a handshake and then the end, in order (close_notify).
    let (io, _) = server.connect();
    let mut stream = connect(io, &root, &[]).await.unwrap();
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_does_not_hold_up_the_shutdown() {
    let (server, _) = start();
    let (mut mute, _) = server.connect();
    tokio::task::yield_now().await;
    let begun = Instant::now();
    server.shutdown.cancel();
    server.served.await.unwrap().unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(mute.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_server_follows_its_files() {
    let signed = Signed::new();
    let server = signed.start();
    let new = sign(&signed.folder);
    let begun = Instant::now();
    // Who trusts the new certificate only is served once the server shows it.
    loop {
        let (io, _) = server.connect();
        if connect(io, &new, &[b"h2"]).await.is_ok() {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(begun.elapsed() >= Duration::from_secs(29));
}
