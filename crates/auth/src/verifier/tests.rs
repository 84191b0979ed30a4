#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed unwrap is a failed test"
)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::*;
use crate::jwt::testing::forge;
use crate::{KeySet, ManualClock, SigningKey};

mod keys;
mod remembering;

const NOW: u64 = 1_750_000_000;
const ISSUER: &str = "https://auth.example";
const AUDIENCE: &str = "transcription";

fn clock() -> ManualClock {
    ManualClock::at_unix(NOW)
}

fn verifier(keys: Arc<dyn KeySource>, clock: &ManualClock) -> Verifier {
    let clock = Arc::new(clock.clone());
    let keys = CachedKeys::new(keys, CacheConfig::default(), clock.clone());
    Verifier::new(Config::new(ISSUER, AUDIENCE), keys, clock)
}

fn fixed(key: &SigningKey, clock: &ManualClock) -> Verifier {
    verifier(
        Arc::new(KeySet::new([key.public().clone()]).unwrap()),
        clock,
    )
}

fn issue(key: &SigningKey, clock: &ManualClock) -> String {
    let permissions =
        ["read:transcriptions", "write:notes"].map(|name| Permission::new(name).unwrap());
    let grant = token::Grant {
        subject: "documentation",
        client_id: "documentation",
        audience: AUDIENCE,
        permissions: &permissions,
    };
    let issuer = token::Issuer::new(ISSUER, Arc::new(clock.clone()));
    issuer
        .issue(key, &grant)
        .unwrap()
        .secret
        .expose()
        .to_owned()
}

fn header(key: &SigningKey) -> Value {
    json!({"alg": "EdDSA", "typ": "at+jwt", "kid": key.kid()})
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "documentation", "client_id": "documentation",
        "scope": "read:transcriptions", "jti": "one", "iat": NOW, "exp": NOW + 300,
    })
}

/// The reason of the refusal; its message must not quote the token.
async fn refusal(verifier: &Verifier, token: &str) -> Option<&'static str> {
    let error = verifier.verify(token).await.err()?;
    for part in token.split('.').filter(|part| part.len() > 8) {
        assert!(!error.to_string().contains(part), "{error}");
        assert!(!format!("{error:?}").contains(part), "{error:?}");
    }
    assert!(!error.is_unavailable());
    Some(error.reason())
}

#[tokio::test]
async fn an_issued_token_names_the_caller_and_what_it_may_do() {
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let principal = fixed(&key, &clock)
        .verify(&issue(&key, &clock))
        .await
        .unwrap();
    assert_eq!(principal.service(), "documentation");
    assert_eq!(
        principal.expires_at(),
        UNIX_EPOCH + Duration::from_secs(NOW + 300)
    );
    assert!(
        principal
            .missing(&["read:transcriptions", "write:notes"])
            .is_empty()
    );
    assert_eq!(principal.missing(&["sign:notes"]), [&"sign:notes"]);
    assert!(uuid::Uuid::parse_str(principal.token_id().unwrap()).is_ok());
}

#[tokio::test]
async fn a_token_lives_five_minutes_and_the_leeway() {
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let (verifier, token) = (fixed(&key, &clock), issue(&key, &clock));
    let check = async |offset: i64, expect: Option<&str>| {
        clock.set(UNIX_EPOCH + Duration::from_secs(NOW.checked_add_signed(offset).unwrap()));
        assert_eq!(refusal(&verifier, &token).await, expect, "{offset}");
    };
    check(0, None).await;
    check(359, None).await;
    check(360, Some("TOKEN_EXPIRED")).await;
    check(-60, None).await;
    check(-61, Some("TOKEN_NOT_YET_VALID")).await;
}

#[tokio::test]
async fn claims_are_judged_one_by_one() {
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let verifier = fixed(&key, &clock);
    let check = async |change: Value, expect: Option<&str>| {
        let mut claims = claims();
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        assert_eq!(
            refusal(&verifier, &forge(&key, &header(&key), &claims)).await,
            expect,
            "{change}"
        );
    };
    check(json!({}), None).await;
    check(json!({"iss": null}), Some("TOKEN_MALFORMED")).await;
    check(
        json!({"iss": "https://other.example"}),
        Some("TOKEN_WRONG_ISSUER"),
    )
    .await;
    check(json!({"iss": [ISSUER]}), Some("TOKEN_MALFORMED")).await;
    check(json!({"aud": null}), Some("TOKEN_MALFORMED")).await;
    check(
        json!({"aud": "documentation"}),
        Some("TOKEN_WRONG_AUDIENCE"),
    )
    .await;
    check(json!({"aud": []}), Some("TOKEN_WRONG_AUDIENCE")).await;
    check(json!({"aud": ["documentation", AUDIENCE]}), None).await;
    check(json!({"sub": null}), Some("TOKEN_MALFORMED")).await;
    check(json!({"sub": ""}), Some("TOKEN_MALFORMED")).await;
    check(json!({"exp": null}), Some("TOKEN_MALFORMED")).await;
    check(json!({"exp": "never"}), Some("TOKEN_MALFORMED")).await;
    check(json!({"exp": 1e300}), Some("TOKEN_MALFORMED")).await;
    check(json!({"exp": u64::MAX}), Some("TOKEN_MALFORMED")).await;
    check(json!({"exp": 0}), Some("TOKEN_EXPIRED")).await;
    check(json!({"exp": 1_750_000_300.25}), None).await;
    check(json!({"nbf": NOW + 60}), None).await;
    check(json!({"nbf": NOW + 61}), Some("TOKEN_NOT_YET_VALID")).await;
    check(json!({"iat": NOW + 61}), Some("TOKEN_NOT_YET_VALID")).await;
    check(json!({"scope": null}), None).await;
    check(
        json!({"scope": ["read:transcriptions"]}),
        Some("TOKEN_MALFORMED"),
    )
    .await;
}

#[tokio::test]
async fn a_scope_that_is_no_permission_grants_nothing() {
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let verifier = fixed(&key, &clock);
    let check = async |scope: &str, expect: &[&str]| {
        let mut claims = claims();
        claims["scope"] = json!(scope);
        let principal = verifier
            .verify(&forge(&key, &header(&key), &claims))
            .await
            .unwrap();
        let held: Vec<_> = principal
            .permissions()
            .iter()
            .map(Permission::as_str)
            .collect();
        assert_eq!(held, expect, "{scope:?}");
    };
    check("", &[]).await;
    check(
        "openid  read:notes READ:NOTES *:* read:notes-drafts",
        &["read:notes", "read:notes-drafts"],
    )
    .await;
}

#[tokio::test]
async fn only_eddsa_is_accepted_whatever_is_behind_it() {
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let verifier = fixed(&key, &clock);

    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let unsigned = json!({"alg": "none", "typ": "at+jwt", "kid": key.kid()});
    let unsigned = format!("{}.{}.", encode(&unsigned), encode(&claims()));
    assert_eq!(refusal(&verifier, &unsigned).await, Some("TOKEN_ALGORITHM"));

    // The classic confusion: the public key, which everybody has, taken for a shared secret.
    let public = URL_SAFE_NO_PAD.decode(key.public().x()).unwrap();
    let mut hs256 = Header::new(Algorithm::HS256);
    (hs256.typ, hs256.kid) = (Some("at+jwt".into()), Some(key.kid().into()));
    let confused =
        jsonwebtoken::encode(&hs256, &claims(), &EncodingKey::from_secret(&public)).unwrap();
    assert_eq!(refusal(&verifier, &confused).await, Some("TOKEN_ALGORITHM"));

    for alg in [
        "None", "NONE", "eddsa", "ES256", "RS256", "HS512", "ES512", "",
    ] {
        let header = json!({"alg": alg, "typ": "at+jwt", "kid": key.kid()});
        assert_eq!(
            refusal(&verifier, &forge(&key, &header, &claims())).await,
            Some("TOKEN_ALGORITHM"),
            "{alg}"
        );
    }
}

#[tokio::test]
async fn the_header_is_judged() {
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let verifier = fixed(&key, &clock);
    let check = async |change: Value, expect: Option<&str>| {
        let mut header = header(&key);
        for (name, value) in change.as_object().unwrap() {
            header[name] = value.clone();
        }
        assert_eq!(
            refusal(&verifier, &forge(&key, &header, &claims())).await,
            expect,
            "{change}"
        );
    };
    check(json!({"typ": "application/at+jwt"}), None).await;
    check(json!({"typ": "JWT"}), Some("TOKEN_MALFORMED")).await;
    check(json!({"typ": null}), Some("TOKEN_MALFORMED")).await;
    check(json!({"alg": null}), Some("TOKEN_MALFORMED")).await;
    check(json!({"alg": 7}), Some("TOKEN_MALFORMED")).await;
    check(json!({"kid": null}), Some("TOKEN_MALFORMED")).await;
    check(json!({"kid": "other"}), Some("TOKEN_UNKNOWN_KEY")).await;
    check(json!({"crit": ["exp"]}), Some("TOKEN_MALFORMED")).await;
    // Keys and addresses inside the token are not even looked at.
    check(json!({"jku": "https://evil.example/keys"}), None).await;
}

#[tokio::test]
async fn a_token_of_a_foreign_key_under_our_name_is_refused() {
    let (key, foreign, clock) = (
        SigningKey::generate().unwrap(),
        SigningKey::generate().unwrap(),
        clock(),
    );
    let token = forge(&foreign, &header(&key), &claims());
    assert_eq!(
        refusal(&fixed(&key, &clock), &token).await,
        Some("TOKEN_BAD_SIGNATURE")
    );
}

#[tokio::test]
async fn a_token_that_was_touched_is_refused() {
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let (verifier, token) = (fixed(&key, &clock), issue(&key, &clock));
    let parts: Vec<&str> = token.split('.').collect();

    let mut richer = claims();
    richer["scope"] = json!("read:transcriptions sign:notes");
    let payload = URL_SAFE_NO_PAD.encode(richer.to_string());
    let tampered = format!("{}.{payload}.{}", parts[0], parts[2]);
    assert_eq!(
        refusal(&verifier, &tampered).await,
        Some("TOKEN_BAD_SIGNATURE")
    );

    // Cut anywhere, it is never accepted, and never a surprise.
    for end in 1..token.len() {
        let reason = refusal(&verifier, &token[..end]).await.unwrap();
        assert!(
            ["TOKEN_MALFORMED", "TOKEN_BAD_SIGNATURE"].contains(&reason),
            "{end}: {reason}"
        );
    }
    // Nor with any one bit of its signature changed.
    let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
    for bit in 0..signature.len() * 8 {
        let mut changed = signature.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let changed = format!(
            "{}.{}.{}",
            parts[0],
            parts[1],
            URL_SAFE_NO_PAD.encode(changed)
        );
        assert_eq!(
            refusal(&verifier, &changed).await,
            Some("TOKEN_BAD_SIGNATURE"),
            "{bit}"
        );
    }
}

#[tokio::test]
async fn what_is_no_token_is_malformed() {
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let verifier = fixed(&key, &clock);
    let mut large = claims();
    large["padding"] = json!("x".repeat(8 * 1024));
    let large = forge(&key, &header(&key), &large);
    let not_object = forge(&key, &header(&key), &json!(7));
    let twice = "eyJhbGciOiJFZERTQSIsImFsZyI6Im5vbmUifQ.e30.AAAA"; // {"alg":"EdDSA","alg":"none"}
    for token in [
        ".",
        "..",
        "a.b",
        "a.b.c",
        "a.b.c.d.e",
        "\u{0}.\u{0}.\u{0}",
        "é.é.é",
        &large,
        &not_object,
        twice,
    ] {
        assert_eq!(
            refusal(&verifier, token).await,
            Some("TOKEN_MALFORMED"),
            "{token}"
        );
    }
    assert_eq!(refusal(&verifier, "").await, Some("TOKEN_MISSING"));
}

#[tokio::test]
async fn the_authorization_header_is_one_bearer_token() {
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let (verifier, token) = (fixed(&key, &clock), issue(&key, &clock));
    let check = async |values: &[String], expect: Option<&str>| {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(
                AUTHORIZATION,
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        let result = verifier.authenticate(&headers).await;
        assert_eq!(
            result.err().map(|error| error.reason()),
            expect,
            "{values:?}"
        );
    };
    let bearer = format!("Bearer {token}");
    check(std::slice::from_ref(&bearer), None).await;
    check(&[format!("bearer  {token}")], None).await;
    check(&[], Some("TOKEN_MISSING")).await;
    check(&["Bearer ".into()], Some("TOKEN_MISSING")).await;
    check(&["Bearer".into()], Some("TOKEN_MALFORMED")).await;
    check(&[format!("Basic {token}")], Some("TOKEN_MALFORMED")).await;
    check(std::slice::from_ref(&token), Some("TOKEN_MALFORMED")).await;
    check(&["Bearer é".into()], Some("TOKEN_MALFORMED")).await;
    check(&[bearer.clone(), bearer.clone()], Some("TOKEN_MALFORMED")).await;
}

#[test]
fn the_issuer_keeps_lifetimes_in_bounds() {
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let grant = token::Grant {
        subject: "a",
        client_id: "a",
        audience: "b",
        permissions: &[],
    };
    let check = |asked, expect| {
        let issuer = token::Issuer::new(ISSUER, Arc::new(clock.clone()))
            .with_lifetime(Duration::from_secs(asked));
        let made = issuer.issue(&key, &grant).unwrap();
        assert_eq!(made.lifetime, Duration::from_secs(expect));
        assert_eq!(
            made.expires_at,
            SystemTime::UNIX_EPOCH + Duration::from_secs(NOW + expect)
        );
    };
    check(0, 1);
    check(120, 120);
    check(86_400, 3_600);
}
