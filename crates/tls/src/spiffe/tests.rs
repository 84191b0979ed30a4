#![allow(clippy::unwrap_used, reason = "a test may panic")]
use rcgen::{CertificateParams, KeyPair, SanType};

use super::*;

fn domain() -> TrustDomain {
    "scribemed.local".parse().unwrap()
}

/// What is read in a certificate with these URIs.
fn read(uris: &[&str]) -> Result<SpiffeId, String> {
    let mut params = CertificateParams::new(vec!["auth".to_owned()]).unwrap();
    for uri in uris {
        params
            .subject_alt_names
            .push(SanType::URI((*uri).try_into().unwrap()));
    }
    let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    SpiffeId::of_certificate(certificate.der(), &domain()).map_err(|error| error.to_string())
}

#[test]
fn an_id_names_domain_and_service() {
    let id = read(&["spiffe://scribemed.local/service/auth"]).unwrap();
    assert_eq!((id.domain(), id.service()), ("scribemed.local", "auth"));
    assert_eq!(id.as_str(), "spiffe://scribemed.local/service/auth");
    assert_eq!(domain().service("auth"), Ok(id));
    assert!(domain().service("../auth").is_err());
}

#[test]
fn a_certificate_that_is_of_no_service_is_refused() {
    let auth = "spiffe://scribemed.local/service/auth";
    for (uris, said) in [
        (&[][..], "no URI"),
        (
            &[auth, "spiffe://scribemed.local/service/b"],
            "more than one",
        ),
        (&[auth, auth], "more than one"),
        (
            &["https://scribemed.local/service/auth"],
            "no id of a service",
        ),
        (
            &["spiffe://other.local/service/auth"],
            "other.local/service/auth, which",
        ),
        (&["spiffe://scribemed.local/auth"], "no id of a service"),
        (&["spiffe://scribemed.local/service/"], "no id of a service"),
        (
            &["spiffe://scribemed.local/service/auth/"],
            "no id of a service",
        ),
        (
            &["spiffe://scribemed.local/service/a/service/b"],
            "no id of a service",
        ),
        (
            &["spiffe://scribemed.local/service/Auth"],
            "no id of a service",
        ),
        (
            &["spiffe://scribemed.local:1/service/auth"],
            "no id of a service",
        ),
        (&["spiffe:///service/auth"], "no id of a service"),
    ] {
        let error = read(uris).unwrap_err();
        assert!(error.contains(said), "{uris:?}: {error}");
    }
    assert!(SpiffeId::of_certificate(b"no certificate", &domain()).is_err());
}

#[test]
fn a_trust_domain_is_a_name() {
    for good in ["scribemed.local", "a", "prod-1_x"] {
        assert_eq!(good.parse::<TrustDomain>().unwrap().as_str(), good);
    }
    for bad in ["", "spiffe://a", "A", "a/b", "a:1", "ä", &"a".repeat(256)] {
        assert_eq!(bad.parse::<TrustDomain>(), Err(InvalidTrustDomain), "{bad}");
    }
}
