#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::time::UNIX_EPOCH;

use serde_json::{Value, json};

use super::*;
use crate::jwt::testing::forge;
use crate::token;
use crate::{ManualClock, Permission};

const NOW: u64 = 1_750_000_000;
const AUTH: &str = "https://auth.example";

fn now() -> SystemTime {
    at(0)
}

fn at(offset: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW.checked_add_signed(offset).unwrap())
}

fn key_set(key: &SigningKey) -> KeySet {
    KeySet::new([key.public().clone()]).unwrap()
}

fn check_text(key: &SigningKey, text: &str) -> Result<Claims, Error> {
    Assertion::parse(text)?.verify(&key_set(key), AUTH, now())
}

#[test]
fn an_assertion_that_we_make_is_one_that_we_accept() {
    let key = SigningKey::generate().unwrap();
    let text = sign(&key, "documentation", AUTH, now()).unwrap();
    let assertion = Assertion::parse(text.expose()).unwrap();
    assert_eq!(assertion.client(), "documentation");
    let claims = assertion.verify(&key_set(&key), AUTH, now()).unwrap();
    assert_eq!(claims.client(), "documentation");
    assert_eq!(claims.expires_at(), at(60));
    assert_eq!(claims.forget_after(), at(120));
    assert!(Uuid::parse_str(claims.jti()).is_ok());

    let other = sign(&key, "documentation", AUTH, now()).unwrap();
    assert_ne!(
        check_text(&key, other.expose()).unwrap().jti(),
        claims.jti()
    );
    assert_eq!(format!("{text} {text:?}"), "[redacted] [redacted]");
}

#[test]
fn an_assertion_is_good_until_its_jti_may_be_forgotten() {
    let key = SigningKey::generate().unwrap();
    let text = sign(&key, "documentation", AUTH, now()).unwrap();
    let check = |offset, expect: Option<&str>| {
        let result =
            Assertion::parse(text.expose())
                .unwrap()
                .verify(&key_set(&key), AUTH, at(offset));
        assert_eq!(result.err().map(|error| error.reason()), expect, "{offset}");
    };
    check(-61, Some("ASSERTION_NOT_YET_VALID"));
    check(-60, None);
    check(119, None);
    check(120, Some("ASSERTION_EXPIRED"));
}

#[test]
fn claims_are_judged_one_by_one() {
    let key = SigningKey::generate().unwrap();
    let check = |change: Value, expect: Option<&str>| {
        let mut claims = json!({
            "iss": "documentation", "sub": "documentation", "aud": AUTH, "jti": "one", "iat": NOW, "exp": NOW + 60,
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let text = forge(&key, &json!({"alg": "EdDSA", "kid": key.kid()}), &claims);
        let result = check_text(&key, &text);
        assert_eq!(result.err().map(|error| error.reason()), expect, "{change}");
    };
    check(json!({}), None);
    check(json!({"iss": "transcription"}), Some("ASSERTION_MALFORMED"));
    check(json!({"iss": null}), Some("ASSERTION_MALFORMED"));
    check(json!({"sub": null}), Some("ASSERTION_MALFORMED"));
    check(json!({"iss": "", "sub": ""}), Some("ASSERTION_MALFORMED"));
    check(
        json!({"iss": "x".repeat(129), "sub": "x".repeat(129)}),
        Some("ASSERTION_MALFORMED"),
    );
    check(json!({"sub": 7}), Some("ASSERTION_MALFORMED"));
    check(json!({"aud": null}), Some("ASSERTION_MALFORMED"));
    check(
        json!({"aud": "https://other.example"}),
        Some("ASSERTION_WRONG_AUDIENCE"),
    );
    check(json!({"aud": [AUTH]}), None);
    check(
        json!({"aud": [AUTH, "https://other.example"]}),
        Some("ASSERTION_WRONG_AUDIENCE"),
    );
    check(json!({"aud": []}), Some("ASSERTION_WRONG_AUDIENCE"));
    check(json!({"exp": null}), Some("ASSERTION_MALFORMED"));
    check(json!({"exp": "soon"}), Some("ASSERTION_MALFORMED"));
    check(json!({"exp": -1}), Some("ASSERTION_MALFORMED"));
    check(json!({"exp": u64::MAX}), Some("ASSERTION_MALFORMED"));
    check(json!({"exp": NOW - 60}), Some("ASSERTION_EXPIRED"));
    check(json!({"exp": NOW + 300}), None);
    check(
        json!({"exp": 1_750_000_300.5}),
        Some("ASSERTION_TOO_LONG_LIVED"),
    );
    check(json!({"exp": NOW + 301}), Some("ASSERTION_TOO_LONG_LIVED"));
    check(json!({"iat": null}), None);
    check(json!({"iat": NOW + 61}), Some("ASSERTION_NOT_YET_VALID"));
    check(json!({"nbf": NOW + 60}), None);
    check(json!({"nbf": NOW + 61}), Some("ASSERTION_NOT_YET_VALID"));
    check(json!({"jti": null}), Some("ASSERTION_MALFORMED"));
    check(json!({"jti": ""}), Some("ASSERTION_MALFORMED"));
    check(json!({"jti": "x".repeat(129)}), Some("ASSERTION_MALFORMED"));
}

#[test]
fn the_header_is_judged_before_any_key() {
    let key = SigningKey::generate().unwrap();
    let claims = json!({
        "iss": "documentation", "sub": "documentation", "aud": AUTH, "jti": "one", "exp": NOW + 60,
    });
    let check = |header: Value, expect: Option<&str>| {
        let result = check_text(&key, &forge(&key, &header, &claims));
        assert_eq!(result.err().map(|error| error.reason()), expect, "{header}");
    };
    check(
        json!({"alg": "EdDSA", "kid": key.kid(), "typ": "JWT"}),
        None,
    );
    check(
        json!({"alg": "EdDSA", "kid": key.kid(), "typ": "client-authentication+jwt"}),
        None,
    );
    check(
        json!({"alg": "EdDSA", "kid": key.kid(), "typ": "at+jwt"}),
        Some("ASSERTION_MALFORMED"),
    );
    check(
        json!({"alg": "EdDSA", "kid": "other"}),
        Some("ASSERTION_UNKNOWN_KEY"),
    );
    check(json!({"alg": "none"}), Some("ASSERTION_ALGORITHM"));
    check(
        json!({"alg": "HS256", "kid": key.kid()}),
        Some("ASSERTION_ALGORITHM"),
    );
    check(json!({"kid": key.kid()}), Some("ASSERTION_MALFORMED"));
    check(
        json!({"alg": "EdDSA", "crit": ["b64"], "b64": false}),
        Some("ASSERTION_MALFORMED"),
    );
}

#[test]
fn without_a_kid_only_an_only_key_is_taken() {
    let key = SigningKey::generate().unwrap();
    let other = SigningKey::generate().unwrap();
    let claims = json!({
        "iss": "documentation", "sub": "documentation", "aud": AUTH, "jti": "one", "exp": NOW + 60,
    });
    let text = forge(&key, &json!({"alg": "EdDSA"}), &claims);
    let check = |keys: &[&SigningKey], expect: Option<&str>| {
        let keys = KeySet::new(keys.iter().map(|key| key.public().clone())).unwrap();
        let result = Assertion::parse(&text).unwrap().verify(&keys, AUTH, now());
        assert_eq!(result.err().map(|error| error.reason()), expect);
    };
    check(&[&key], None);
    check(&[&other], Some("ASSERTION_BAD_SIGNATURE"));
    check(&[&key, &other], Some("ASSERTION_UNKNOWN_KEY"));
    check(&[], Some("ASSERTION_UNKNOWN_KEY"));
}

#[test]
fn an_access_token_is_no_assertion() {
    let key = SigningKey::generate().unwrap();
    let issuer = token::Issuer::new(AUTH, std::sync::Arc::new(ManualClock::new(now())));
    let permissions = [Permission::new("read:notes").unwrap()];
    let grant = token::Grant {
        subject: AUTH,
        client_id: AUTH,
        audience: AUTH,
        permissions: &permissions,
    };
    let access = issuer.issue(&key, &grant).unwrap();
    assert!(matches!(
        Assertion::parse(access.secret.expose()),
        Err(Error::Malformed(_))
    ));
}

#[test]
fn rubbish_is_malformed() {
    for text in [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "é.é.é",
        &"x".repeat(9000),
    ] {
        assert!(
            matches!(Assertion::parse(text), Err(Error::Malformed(_))),
            "{text}"
        );
    }
}
