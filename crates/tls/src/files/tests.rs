#![allow(clippy::unwrap_used, reason = "a test may panic")]
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tempfile::TempDir;

use super::*;

/// A certificate and its key, in PEM.
fn pair(until: i32) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["auth".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    let pem = |what: &str, content: &[u8]| ::pem::encode(&::pem::Pem::new(what, content));
    (
        pem("CERTIFICATE", certificate.der()),
        pem("PRIVATE KEY", &key.serialize_der()),
    )
}

struct Folder(TempDir);

impl Folder {
    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// What is wrong with this certificate and key.
    fn error(&self, certificate: &str, key: &str) -> Error {
        let files = Files {
            identity: Some(IdentityFiles {
                certificate: self.file("tls.pem", certificate),
                key: self.file("tls.key", key),
            }),
            authorities: None,
        };
        files.read().unwrap_err()
    }
}

#[test]
fn what_is_wrong_names_the_file_and_what_would_be_right() {
    let folder = Folder(tempfile::tempdir().unwrap());
    let (certificate, key) = pair(2100);
    let (_, other) = pair(2100);
    let (expired, its_key) = pair(2021);
    let garbage = ::pem::encode(&::pem::Pem::new("CERTIFICATE", *b"no certificate"));
    for (error, part, said) in [
        (
            folder.error("", &key),
            Part::Certificate,
            "tls.pem holds no certificate in PEM; name a readable file with -----BEGIN CERTIFICATE-----",
        ),
        (
            folder.error(&certificate, &certificate),
            Part::Key,
            "tls.key holds no private key in PEM; name a readable file with -----BEGIN PRIVATE KEY-----",
        ),
        (
            folder.error(&certificate, &other),
            Part::Key,
            "tls.key does not belong to the first certificate in",
        ),
        (
            folder.error(&expired, &its_key),
            Part::Certificate,
            "tls.pem has expired, on Jan  1 00:00:00 2021",
        ),
        (
            folder.error(&garbage, &key),
            Part::Certificate,
            "tls.pem cannot be used",
        ),
        (
            folder.error(&certificate[..certificate.len() / 2], &key),
            Part::Certificate,
            "tls.pem holds no certificate",
        ),
    ] {
        assert_eq!(error.part(), Some(part), "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
    let missing = Files {
        identity: None,
        authorities: Some(folder.0.path().join("nothing.pem")),
    };
    let error = missing.read().unwrap_err();
    assert_eq!(error.part(), Some(Part::Authorities));
    assert!(
        error.with_causes().contains("nothing.pem") && error.with_causes().contains("No such file"),
        "{}",
        error.with_causes()
    );
}

#[test]
fn a_certificate_is_due_in_the_last_tenth_of_its_time() {
    let folder = Folder(tempfile::tempdir().unwrap());
    // 1 January 2020 to 1 January 2120.
    let (certificate, key) = pair(2120);
    let identity = Identity::read(&IdentityFiles {
        certificate: folder.file("tls.pem", &certificate),
        key: folder.file("tls.key", &key),
    })
    .unwrap();
    let days = |days: u64| UNIX_EPOCH + Duration::from_secs(days * 24 * 3600);
    // 1 January 2109 and 2111.
    assert!(!identity.is_due(days(50_769)));
    assert!(identity.is_due(days(51_499)));
    assert_eq!(identity.left(days(200_000)), Duration::ZERO);
    assert!(!format!("{identity:?}").contains("key"));
}
