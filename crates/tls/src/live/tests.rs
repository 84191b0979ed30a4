#![allow(clippy::unwrap_used, reason = "a test may panic")]
use std::path::PathBuf;

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::*;
use crate::files::IdentityFiles;

struct World {
    folder: TempDir,
    /// How many configurations were made is what is in force.
    live: Arc<Live<Vec<u8>>>,
}

/// A certificate and its key, in PEM.
fn pair() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["auth".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let pem = |what: &str, content: &[u8]| pem::encode(&pem::Pem::new(what, content));
    (
        pem("CERTIFICATE", certificate.der()),
        pem("PRIVATE KEY", &key.serialize_der()),
    )
}

fn path(folder: &TempDir, name: &str) -> PathBuf {
    folder.path().join(name)
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = pair();
        std::fs::write(path(&folder, "tls.pem"), certificate).unwrap();
        std::fs::write(path(&folder, "tls.key"), key).unwrap();
        let files = Files {
            identity: Some(IdentityFiles {
                certificate: path(&folder, "tls.pem"),
                key: path(&folder, "tls.key"),
            }),
            authorities: None,
        };
        let live = Live::open(files, |material| {
            let identity = material.identity.as_ref().unwrap();
            Ok(identity.certified().cert[0].to_vec())
        });
        Self {
            folder,
            live: Arc::new(live.unwrap()),
        }
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(path(&self.folder, name), content).unwrap();
    }
}

#[test]
fn a_changed_pair_is_taken_and_half_of_one_is_not() {
    let world = World::new();
    let first = world.live.current();
    assert!(!world.live.reload().unwrap());

    let (certificate, key) = pair();
    world.write("tls.pem", &certificate[..certificate.len() / 2]);
    assert!(
        world
            .live
            .reload()
            .unwrap_err()
            .to_string()
            .contains("tls.pem")
    );
    world.write("tls.pem", &certificate);
    let error = world.live.reload().unwrap_err().to_string();
    assert!(error.contains("tls.key does not belong to"), "{error}");
    assert_eq!(world.live.current(), first);

    world.write("tls.key", &key);
    assert!(world.live.reload().unwrap());
    assert_ne!(world.live.current(), first);
    assert!(!world.live.reload().unwrap());
}

#[tokio::test(start_paused = true)]
async fn files_are_looked_at_every_thirty_seconds() {
    let world = World::new();
    let first = world.live.current();
    let follow = tokio::spawn(Arc::clone(&world.live).follow());
    let (certificate, key) = pair();
    world.write("tls.pem", &certificate);
    world.write("tls.key", &key);
    let begun = Instant::now();
    // The clock stands still while a file is read, so this ends when the first look has.
    while world.live.current() == first && begun.elapsed() < Duration::from_secs(300) {
        tokio::time::advance(Duration::from_secs(1)).await;
        tokio::task::yield_now().await;
        tokio::task::spawn_blocking(|| {}).await.unwrap();
    }
    let took = begun.elapsed();
    assert!(
        (Duration::from_secs(30)..Duration::from_secs(120)).contains(&took),
        "{took:?}"
    );
    follow.abort();
}
