#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::*;

/// RFC 8037, appendix A: the key pair of A.1 and A.2, the thumbprint of A.3.
const RFC8037_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const RFC8037_THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
/// The seed of A.1 as PKCS#8, the form in which RFC 8410, section 10.3 writes such keys.
const RFC8037_PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
    -----END PRIVATE KEY-----\n";

#[test]
fn the_thumbprint_is_that_of_rfc_8037() {
    assert_eq!(Jwk::from_x(RFC8037_X).unwrap().kid(), RFC8037_THUMBPRINT);
    let key = SigningKey::from_pem(RFC8037_PEM).unwrap();
    assert_eq!(key.public().x(), RFC8037_X);
    assert_eq!(key.kid(), RFC8037_THUMBPRINT);
}

#[test]
fn the_signature_is_that_of_rfc_8037() {
    // Appendix A.4: Ed25519 is deterministic, so the whole of it can be compared.
    let signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let key = SigningKey::from_pem(RFC8037_PEM).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(key.encoding().as_bytes()).unwrap();
    let expect =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let signature = base64::Engine::encode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        pair.sign(signed.as_bytes()).as_ref(),
    );
    assert_eq!(signature, expect);
}

#[test]
fn a_saved_key_is_the_same_key_and_only_the_owners() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("service.pem");
    let key = SigningKey::create(&path).unwrap();
    assert_eq!(SigningKey::load(&path).unwrap().kid(), key.kid());
    assert_eq!(SigningKey::load_or_create(&path).unwrap().kid(), key.kid());

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
    }
    // The temporary file is gone.
    assert_eq!(folder.path().read_dir().unwrap().count(), 1);
}

#[test]
fn the_file_is_what_other_tools_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("service.pem");
    SigningKey::from_pem(RFC8037_PEM)
        .unwrap()
        .save(&path)
        .unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), RFC8037_PEM);
}

#[test]
fn a_key_that_exists_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("service.pem");
    let first = SigningKey::create(&path).unwrap();
    let error = SigningKey::create(&path).unwrap_err();
    assert!(error.is_io(io::ErrorKind::AlreadyExists), "{error}");
    assert_eq!(SigningKey::load(&path).unwrap().kid(), first.kid());
    assert_eq!(folder.path().read_dir().unwrap().count(), 1);
}

#[test]
fn processes_that_start_together_end_with_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("service.pem");
    let mut kids: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| SigningKey::load_or_create(&path).unwrap().kid().to_owned()))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    kids.dedup();
    assert_eq!(kids.len(), 1);
}

#[cfg(unix)]
#[test]
fn a_key_file_open_to_others_is_refused_with_its_cure() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("service.pem");
    SigningKey::create(&path).unwrap();
    let check = |mode: u32, accepted: bool| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        match SigningKey::load(&path) {
            Ok(_) => assert!(accepted, "{mode:o}"),
            Err(error) => {
                assert!(!accepted, "{mode:o}: {error}");
                let message = error.to_string();
                assert!(
                    message.contains("chmod 600") && message.contains(&format!("{mode:04o}")),
                    "{message}"
                );
            }
        }
    };
    check(0o600, true);
    check(0o400, true);
    check(0o640, false);
    check(0o604, false);
    check(0o644, false);
    check(0o620, false);
}

#[test]
fn what_is_not_an_ed25519_key_is_refused() {
    let rsa_label = RFC8037_PEM.replace("PRIVATE KEY", "RSA PRIVATE KEY");
    // The same document with the algorithm identifier of X25519 (1.3.101.110).
    let x25519 = RFC8037_PEM.replace("BQYDK2VwBCIE", "BQYDK2VuBCIE");
    for text in [
        "",
        "not a key",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        &rsa_label,
        &x25519,
    ] {
        assert!(
            matches!(SigningKey::from_pem(text), Err(Error::NotAKey(_))),
            "{text}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let missing = SigningKey::load(&folder.path().join("none.pem")).unwrap_err();
    assert!(missing.is_io(io::ErrorKind::NotFound));

    // A file says which one it is.
    let path = folder.path().join("other.pem");
    file::write_new(&path, "not a key").unwrap();
    let error = SigningKey::load(&path).unwrap_err();
    assert!(
        matches!(&error, Error::NotAKeyFile { .. }) && error.to_string().contains("other.pem"),
        "{error}"
    );
    let error = SigningKey::load_or_create(&path).unwrap_err();
    assert!(
        matches!(error, Error::NotAKeyFile { .. }),
        "a broken key is reported, not replaced"
    );
}

#[test]
fn a_private_key_is_not_printed() {
    let key = SigningKey::from_pem(RFC8037_PEM).unwrap();
    assert_eq!(
        format!("{key:?}"),
        format!("SigningKey {{ kid: \"{RFC8037_THUMBPRINT}\", .. }}")
    );
}

#[test]
fn a_key_set_survives_json_and_parts() {
    let keys = [
        SigningKey::generate().unwrap(),
        SigningKey::generate().unwrap(),
    ];
    let set = KeySet::new(keys.iter().map(|key| key.public().clone())).unwrap();
    assert_eq!(KeySet::from_json(&set.to_json()).unwrap(), set);
    let parts: Vec<_> = set
        .iter()
        .map(|key| (key.kid().to_owned(), key.x()))
        .collect();
    let again = KeySet::new(
        parts
            .into_iter()
            .map(|(kid, x)| Jwk::from_parts(kid, &x).unwrap()),
    )
    .unwrap();
    assert_eq!(again, set);
    assert_eq!(set.get(keys[1].kid()), Some(keys[1].public()));
    assert_eq!(set.get("other"), None);
    let single = Jwk::from_json(&keys[0].public().to_json()).unwrap();
    assert_eq!(&single, keys[0].public());
}

/// RFC 7515, appendix A.3.1.
const RFC7515_EC: &str = r#""kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#;
/// RFC 7638, section 3.1.
const RFC7638_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjB\
    ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu\
    6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

#[test]
fn a_key_is_good_for_one_algorithm() {
    let check = |members: &str, expect: Algorithm| {
        let key = Jwk::from_json(&format!("{{{members}}}")).unwrap();
        assert_eq!(key.algorithm(), expect);
        assert_eq!(key.kid(), key.thumbprint());
        assert_eq!(Jwk::from_json(&key.to_json()).unwrap(), key);
        key
    };
    let okp = format!(r#""kty":"OKP","crv":"Ed25519","x":"{RFC8037_X}""#);
    check(&okp, Algorithm::EdDsa);
    check(RFC7515_EC, Algorithm::Es256);
    let rsa = format!(r#""kty":"RSA","n":"{RFC7638_N}","e":"AQAB""#);
    let key = check(&rsa, Algorithm::Rs256);
    // RFC 7638, section 3.1.
    assert_eq!(key.kid(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    check(
        &format!(r#"{rsa},"key_ops":["verify"],"alg":"RS256""#),
        Algorithm::Rs256,
    );
}

#[test]
fn a_key_that_is_weak_or_for_something_else_is_refused() {
    let check = |members: &str, expect: &str| {
        let error = Jwk::from_json(&format!("{{{members}}}"))
            .unwrap_err()
            .to_string();
        assert!(error.contains(expect), "{members}: {error}");
    };
    let rsa = |n: &str, e: &str| format!(r#""kty":"RSA","n":"{n}","e":"{e}""#);
    let of = |bytes: usize, last: u8| {
        let mut n = vec![0xc5; bytes];
        n[bytes - 1] = last;
        base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, n)
    };
    let short = "must be an RSA modulus of 2048 to 8192 bits";
    assert!(Jwk::from_json(&format!("{{{}}}", rsa(&of(256, 1), "AQAB"))).is_ok());
    check(&rsa(&of(255, 1), "AQAB"), short);
    check(&rsa(&of(128, 1), "AQAB"), short);
    check(&rsa(&of(1025, 1), "AQAB"), short);
    check(&rsa(&of(256, 2), "AQAB"), short);
    check(&rsa("", "AQAB"), short);
    check(&rsa("!", "AQAB"), "`n` is not base64url");
    // 1, 3, 65536, and one that is too large.
    for e in ["", "AQ", "Aw", "AQAA", "AgAAAAE", "AQABAQABAQABAQAB"] {
        check(&rsa(RFC7638_N, e), "`e` must be odd");
    }
    let rsa = rsa(RFC7638_N, "AQAB");
    check(&format!(r#"{rsa},"alg":"RS512""#), "`alg` must be that");
    check(&format!(r#"{rsa},"alg":"ES256""#), "`alg` must be that");
    check(&format!(r#"{rsa},"use":"enc""#), "`use` must be sig");
    check(
        &format!(r#"{rsa},"key_ops":["encrypt"]"#),
        "must name verify",
    );
    check(&format!(r#"{rsa},"d":"AAAA""#), "private half");
    check(
        &format!(r#"{RFC7515_EC},"alg":"ES384""#),
        "`alg` must be that",
    );
    check(&format!(r#"{RFC7515_EC},"d":"AAAA""#), "private half");
    check(
        r#""kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA""#,
        "32 bytes",
    );
    check(r#""kty":"EC","crv":"secp256k1""#, "`kty` must be");
    check(r#""kty":"oct","k":"AAAA""#, "`kty` must be");
}

#[test]
fn a_key_set_skips_what_is_not_for_signatures() {
    let text = format!(
        r#"{{"keys":[
            {{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"rsa"}},
            {{"kty":"oct","k":"AAAA","kid":"secret"}},
            {{"kty":"OKP","crv":"X25519","x":"{RFC8037_X}","kid":"agreement"}},
            {{"kty":"OKP","crv":"Ed25519","x":"{RFC8037_X}","kid":"encryption","use":"enc"}},
            {{"kty":"OKP","crv":"Ed25519","x":"{RFC8037_X}","kid":"foreign","alg":"HS256"}},
            {{"kty":"OKP","crv":"Ed25519","x":"{RFC8037_X}","kid":"leaked","d":"AAAA"}},
            {{"kty":"OKP","crv":"Ed25519","x":"AAAA","kid":"short"}},
            {{"kty":"OKP","crv":"Ed25519","kid":"empty"}},
            {{"kty":"OKP","crv":"Ed25519","x":"{RFC8037_X}","kid":"","use":"sig"}},
            7,
            {{"kty":"OKP","crv":"Ed25519","x":"{RFC8037_X}","kid":"good","use":"sig","alg":"Ed25519","x5t":"unknown"}},
            {{"kty":"OKP","crv":"Ed25519","x":"{RFC8037_X}"}}
        ]}}"#
    );
    let set = KeySet::from_json(&text).unwrap();
    let kids: Vec<_> = set.iter().map(Jwk::kid).collect();
    assert_eq!(kids, ["good", RFC8037_THUMBPRINT]);
}

#[test]
fn a_key_set_that_is_none_is_refused() {
    let other = SigningKey::generate().unwrap().public().x();
    let clash = format!(
        r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{RFC8037_X}","kid":"a"}},
                     {{"kty":"OKP","crv":"Ed25519","x":"{other}","kid":"a"}}]}}"#
    );
    let huge = format!(r#"{{"keys":[]{}}}"#, " ".repeat(64 * 1024));
    for text in ["", "[]", "{}", r#"{"keys":{}}"#, &clash, &huge] {
        assert!(
            matches!(KeySet::from_json(text), Err(Error::NotAKeySet(_))),
            "{text}"
        );
    }
    let many = (0..=MAX_KEYS).map(|n| Jwk::from_parts(n.to_string(), RFC8037_X).unwrap());
    assert!(matches!(KeySet::new(many), Err(Error::NotAKeySet(_))));
    let repeated = (0..=MAX_KEYS).map(|_| Jwk::from_x(RFC8037_X).unwrap());
    assert_eq!(KeySet::new(repeated).unwrap().len(), 1);
}
