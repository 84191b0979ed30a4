#![allow(clippy::unwrap_used, reason = "a test may panic")]
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::sync::Arc;

use clap::Parser;
use scribemed_tls::Files;
use tempfile::TempDir;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier as _;
use tokio_rustls::rustls::pki_types::{ServerName, UnixTime};
use tokio_rustls::rustls::server::WebPkiClientVerifier;

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

struct World(TempDir);

impl World {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("certs").join(name)
    }

    fn certs(&self, arguments: &[&str]) -> Result<String, String> {
        let out = self.path("");
        let common = ["certs", "--out", out.to_str().unwrap()];
        let all = common.into_iter().chain(arguments.iter().copied());
        let parsed = Line::try_parse_from(all).map_err(|error| error.to_string())?;
        make(&parsed.args).map_err(|error| format!("{error:#}"))
    }

    fn read(&self) -> BTreeMap<String, Vec<u8>> {
        let files = std::fs::read_dir(self.path("")).unwrap();
        files
            .map(|file| {
                let file = file.unwrap();
                let name = file.file_name().into_string().unwrap();
                (name, std::fs::read(file.path()).unwrap())
            })
            .collect()
    }

    /// Whether the certificate of this service holds, as a server under `host` and as a client; and whose it is.
    fn verify(&self, service: &str, host: &str) -> Result<SpiffeId, String> {
        let material = Files {
            identity: Some(IdentityFiles {
                certificate: self.path(&format!("{service}.pem")),
                key: self.path(&format!("{service}.key")),
            }),
            authorities: Some(self.path("ca.pem")),
        };
        let material = material.read().map_err(|error| error.with_causes())?;
        let (roots, provider) = (
            material.authorities.unwrap().roots(),
            scribemed_tls::provider(),
        );
        let certificate = material.identity.unwrap().certified().cert[0].clone();
        WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider))
            .build()
            .unwrap()
            .verify_server_cert(
                &certificate,
                &[],
                &ServerName::try_from(host).unwrap(),
                &[],
                UnixTime::now(),
            )
            .map_err(|error| error.to_string())?;
        WebPkiClientVerifier::builder_with_provider(roots, provider)
            .build()
            .unwrap()
            .verify_client_cert(&certificate, &[], UnixTime::now())
            .map_err(|error| error.to_string())?;
        let domain = "scribemed.local".parse().unwrap();
        SpiffeId::of_certificate(&certificate, &domain).map_err(|error| error.to_string())
    }
}

#[test]
fn each_service_gets_a_certificate_that_holds() {
    let world = World::new();
    let text = world
        .certs(&[
            "--service",
            "auth",
            "--service",
            "note-taker",
            "--host",
            "10.1.2.3",
        ])
        .unwrap();
    assert!(
        text.contains("auth.pem: spiffe://scribemed.local/service/auth, 90 days"),
        "{text}"
    );
    for host in ["auth", "localhost", "127.0.0.1", "::1", "10.1.2.3"] {
        assert_eq!(world.verify("auth", host).unwrap().service(), "auth");
    }
    assert_eq!(
        world.verify("note-taker", "note-taker").unwrap().service(),
        "note-taker"
    );
    assert!(
        world
            .verify("auth", "note-taker")
            .unwrap_err()
            .contains("not valid for name")
    );
    for (name, mode) in [
        ("ca.key", 0o600),
        ("auth.key", 0o600),
        ("ca.pem", 0o644),
        ("", 0o700),
    ] {
        let found = std::fs::metadata(world.path(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(found & 0o777 & mode, found & 0o777, "{name}");
    }
    // The tool that operators have says the same, where it is there.
    let openssl = Command::new("openssl")
        .args([
            "verify",
            "-x509_strict",
            "-purpose",
            "sslserver",
            "-verify_hostname",
            "auth",
            "-CAfile",
        ])
        .args([world.path("ca.pem"), world.path("auth.pem")])
        .output();
    if let Ok(said) = openssl {
        assert!(
            said.status.success(),
            "{}",
            String::from_utf8_lossy(&said.stderr)
        );
    }
}

#[test]
fn what_is_there_is_renewed_only_when_asked_and_by_the_same_authority() {
    let world = World::new();
    world.certs(&["--service", "auth"]).unwrap();
    let first = world.read();
    let error = world
        .certs(&["--service", "new", "--service", "auth"])
        .unwrap_err();
    assert!(
        error.contains("auth.pem is there already; --force replaces it"),
        "{error}"
    );
    assert_eq!(world.read(), first, "nothing is begun that cannot be ended");

    let text = world
        .certs(&["--service", "auth", "--force", "--days", "7"])
        .unwrap();
    assert!(!text.contains("the authority"), "{text}");
    let second = world.read();
    let same = |name: &str| first[name] == second[name];
    assert!(same("ca.pem") && same("ca.key") && !same("auth.pem") && !same("auth.key"));
    assert_eq!(second.len(), 4, "no drafts are left");
    assert_eq!(world.verify("auth", "auth").unwrap().service(), "auth");
}

#[test]
fn what_cannot_be_made_says_why() {
    let world = World::new();
    for (arguments, said) in [
        (&["--service", "Auth"][..], "is no id of a service"),
        (
            &["--service", "ca"],
            "ca.pem and ca.key are the authority's",
        ),
        (&["--days", "0"], "0 is not in 1..=825"),
        (&["--trust-domain", "spiffe://a"], "it is no trust domain"),
        (&["--host", "ä b"], "a --host is no name and no address"),
    ] {
        let error = world.certs(arguments).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
    world.certs(&["--service", "auth"]).unwrap();
    std::fs::remove_file(world.path("ca.key")).unwrap();
    let error = world.certs(&["--service", "other"]).unwrap_err();
    assert!(
        error.contains("the authority that is there cannot be used") && error.contains("ca.key"),
        "{error}"
    );
}
