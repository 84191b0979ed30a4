//! TLS and mTLS.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use scribemed_client::{Channel, Tls};
use tempfile::TempDir;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tonic::Code;

use crate::net::Net;
use crate::peer::Door;
use crate::support::{CONTRACT, builder, client, error, id, over, reason, report, request};

/// Who signs.
struct Authority {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
    root: String,
}

/// A certificate and its key, in PEM.
struct Pair {
    certificate: String,
    key: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let root = pem("CERTIFICATE", params.self_signed(&key).unwrap().der());
        Self {
            folder: tempfile::tempdir().unwrap(),
            issuer: Issuer::new(params, key),
            root,
        }
    }

    fn sign(&self, name: &str) -> Pair {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Pair {
            certificate: pem("CERTIFICATE", certificate.der()),
            key: pem("PRIVATE KEY", &key.serialize_der()),
        }
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(self.root.as_bytes()).unwrap())
            .unwrap();
        roots
    }

    /// What a channel trusts, and who it says it is.
    fn tls(&self, identity: Option<&Pair>) -> Tls {
        let roots = self.file("root.pem", &self.root);
        let identity = identity.map(|pair| {
            (
                self.file("client.pem", &pair.certificate),
                self.file("client.key", &pair.key),
            )
        });
        let identity = identity
            .as_ref()
            .map(|(chain, key)| (chain.as_path(), key.as_path()));
        Tls::from_files(Some(&roots), identity).unwrap()
    }
}

fn pem(what: &str, content: &[u8]) -> String {
    pem::encode(&pem::Pem::new(what, content))
}

/// A server with this certificate; `clients` says who signs those of its callers.
fn door(pair: &Pair, clients: Option<&Authority>, alpn: &[&[u8]]) -> Door {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        Some(authority) => builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(Arc::new(authority.roots()), provider)
                .build()
                .unwrap(),
        ),
        None => builder.with_no_client_auth(),
    };
    let chain = vec![CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let mut config = builder.with_single_cert(chain, key).unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Door::Tls(TlsAcceptor::from(Arc::new(config)))
}

fn secure(net: &Net, tls: Tls) -> Channel {
    builder(net, CONTRACT, |_| {})
        .tls(Some(tls))
        .build()
        .unwrap()
}

const NAME: &str = "10.0.0.1";

#[tokio::test(start_paused = true)]
async fn a_peer_that_proves_its_name_is_called() {
    let authority = Authority::new("ours");
    let (net, [peer]) = Net::of();
    peer.door(door(&authority.sign(NAME), None, &[b"h2"]));
    let mut client = over(&secure(&net, authority.tls(None)));
    assert_eq!(id(client.flaky(request("a")).await.unwrap()), "a");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_cannot_is_not_and_the_error_says_why() {
    let (authority, stranger) = (Authority::new("ours"), Authority::new("theirs"));
    let good = authority.sign(NAME);
    for (door, tls, said) in [
        // Signed by somebody else, in the name of somebody else, without HTTP/2, without TLS.
        (
            door(&stranger.sign(NAME), None, &[b"h2"]),
            authority.tls(None),
            "UnknownIssuer",
        ),
        (
            door(&authority.sign("10.0.0.2"), None, &[b"h2"]),
            authority.tls(None),
            "not valid for",
        ),
        (door(&good, None, &[]), authority.tls(None), "ALPN h2"),
        (
            door(&good, None, &[b"http/1.1"]),
            authority.tls(None),
            "NoApplicationProtocol",
        ),
        (
            Door::Says(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            authority.tls(None),
            "InvalidContentType",
        ),
        (Door::Mute, authority.tls(None), "within 2s"),
    ] {
        let (net, [peer]) = Net::of();
        peer.door(door);
        let status = error(over(&secure(&net, tls)).flaky(request("a")).await);
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::Unavailable, "UNREACHABLE")
        );
        assert!(
            status.message().contains(said),
            "{said}: {}",
            status.message()
        );
        assert!(!report(&status).may_have_been_sent());
        assert_eq!(peer.count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn both_sides_prove_who_they_are() {
    let (authority, stranger) = (Authority::new("ours"), Authority::new("theirs"));
    let server = || door(&authority.sign(NAME), Some(&authority), &[b"h2"]);
    let (net, [peer]) = Net::of();
    peer.door(server());
    let known = authority.sign("caller");
    let mut client = over(&secure(&net, authority.tls(Some(&known))));
    assert_eq!(id(client.flaky(request("a")).await.unwrap()), "a");

    for identity in [None, Some(stranger.sign("caller"))] {
        let (net, [peer]) = Net::of();
        peer.door(server());
        let channel = secure(&net, authority.tls(identity.as_ref()));
        let status = error(over(&channel).flaky(request("b")).await);
        assert_eq!(status.code(), Code::Unavailable);
        assert!(!report(&status).may_have_been_sent());
        let said = status.message().to_lowercase();
        assert!(
            said.contains("certificate") || said.contains("unknownca"),
            "{said}"
        );
        assert_eq!(peer.count(), 0);
    }
}

/// Nothing is sent in the clear to a peer that wants TLS.
#[tokio::test(start_paused = true)]
async fn a_channel_without_tls_does_not_reach_a_peer_with_it() {
    let authority = Authority::new("ours");
    let (net, [peer]) = Net::of();
    peer.door(door(&authority.sign(NAME), None, &[b"h2"]));
    let status = error(client(&net).flaky(request("a")).await);
    assert_eq!(status.code(), Code::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn a_channel_follows_its_files() {
    let (authority, stranger) = (Authority::new("ours"), Authority::new("theirs"));
    let (net, [peer]) = Net::of();
    peer.door(door(&authority.sign(NAME), Some(&authority), &[b"h2"]));
    let channel = secure(&net, authority.tls(Some(&stranger.sign("caller"))));
    let mut client = over(&channel);
    let status = error(client.flaky(request("a")).await);
    assert_eq!(status.code(), Code::Unavailable);

    let known = authority.sign("caller");
    authority.file("client.pem", &known.certificate);
    authority.file("client.key", &known.key);
    let begun = Instant::now();
    while client.flaky(request("b")).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(begun.elapsed() >= Duration::from_secs(20));
}
