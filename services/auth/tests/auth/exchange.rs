//! ExchangeToken.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use scribemed_auth::{Clock as _, SigningKey, assertion};
use scribemed_rpc::{CallContext, RequestId};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::support::{ISSUER, Identity, Rig, reason};

#[tokio::test]
async fn a_token_names_its_client_and_what_is_granted_and_verifies_offline() {
    let rig = Rig::start().await;
    let all = ["read:transcriptions", "write:transcriptions"];
    for (requested, granted) in [(&[][..], &all[..]), (&all[1..], &all[1..])] {
        let assertion = rig.assertion(&rig.documentation);
        let response = rig
            .exchange_raw(assertion.expose(), "transcription", requested)
            .await
            .unwrap();
        assert_eq!(response.token_type, "Bearer");
        assert_eq!(response.expires_in.unwrap().seconds, 300);
        assert_eq!(response.scope, granted.join(" "));

        let principal = rig
            .verifier("transcription")
            .verify(&response.access_token)
            .await;
        let principal = principal.unwrap();
        assert_eq!(principal.service(), "documentation");
        let held: Vec<_> = principal.permissions().iter().map(AsRef::as_ref).collect();
        assert_eq!(held, granted);
        let elsewhere = rig.verifier("billing").verify(&response.access_token).await;
        assert_eq!(elsewhere.unwrap_err().reason(), "TOKEN_WRONG_AUDIENCE");
    }
}

#[tokio::test]
async fn what_does_not_prove_the_client_is_refused_with_its_reason() {
    let rig = Rig::start().await;
    let now = rig.clock.now();
    let key = &rig.documentation.key;
    let foreign = SigningKey::generate().unwrap();
    let sign = |key: &SigningKey, client: &str, audience: &str, now| {
        let assertion = assertion::sign(key, client, audience, now).unwrap();
        assertion.expose().to_owned()
    };
    let long_ago = now - Duration::from_mins(10);
    let soon = now + Duration::from_mins(3);
    let check = async |assertion: &str, expect: &str| {
        let result = rig.exchange_raw(assertion, "transcription", &[]).await;
        assert_eq!(reason(result, Code::Unauthenticated), expect);
    };
    check("nonsense", "ASSERTION_MALFORMED").await;
    check(
        &sign(&foreign, "documentation", ISSUER, now),
        "CLIENT_UNKNOWN",
    )
    .await;
    check(
        &sign(&rig.operator.key, "documentation", ISSUER, now),
        "CLIENT_UNKNOWN",
    )
    .await;
    check(&sign(key, "stranger", ISSUER, now), "CLIENT_UNKNOWN").await;
    check(
        &sign(key, "documentation", "auth.elsewhere", now),
        "ASSERTION_WRONG_AUDIENCE",
    )
    .await;
    check(
        &sign(key, "documentation", ISSUER, long_ago),
        "ASSERTION_EXPIRED",
    )
    .await;
    check(
        &sign(key, "documentation", ISSUER, soon),
        "ASSERTION_NOT_YET_VALID",
    )
    .await;
    check(&unsigned(&claims(&rig)), "ASSERTION_ALGORITHM").await;
    check(&hs256(key, &claims(&rig)), "ASSERTION_ALGORITHM").await;
    let token = rig.token(&rig.documentation, "auth").await;
    check(&token, "ASSERTION_MALFORMED").await;
}

/// An algorithm that signs nothing.
fn unsigned(claims: &serde_json::Value) -> String {
    let encode = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let head = serde_json::json!({"alg": "none", "typ": "JWT"});
    format!("{}.{}.", encode(&head), encode(claims))
}

/// The confusion of algorithms: the public key, which everybody knows, as the secret of an HMAC.
fn hs256(key: &SigningKey, claims: &serde_json::Value) -> String {
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some(key.kid().to_owned());
    let secret = URL_SAFE_NO_PAD.decode(key.public().x()).unwrap();
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(&secret)).unwrap()
}

fn claims(rig: &Rig) -> serde_json::Value {
    let now = rig
        .clock
        .now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    serde_json::json!({
        "iss": "documentation", "sub": "documentation", "aud": ISSUER, "jti": "1",
        "iat": now.as_secs(), "exp": now.as_secs() + 60,
    })
}

#[tokio::test]
async fn nobody_learns_which_clients_there_are() {
    let rig = Rig::start().await;
    let key = SigningKey::generate().unwrap();
    let request_id = RequestId::generate();
    let mut answers = Vec::new();
    for name in ["documentation", "stranger"] {
        let assertion = rig.assertion(&Identity {
            name,
            key: key.clone(),
        });
        let (head, signature) = {
            let mut parts = assertion.expose().split('.');
            (
                parts.next().unwrap().to_owned(),
                parts.nth(1).unwrap().to_owned(),
            )
        };
        let mut payload = claims(&rig);
        payload["iss"] = name.into();
        payload["sub"] = name.into();
        let payload = URL_SAFE_NO_PAD.encode(payload.to_string());
        // Without a `kid` the only key is tried.
        let bare = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","typ":"JWT"}"#);
        for forged in [
            format!("{head}.{payload}.{signature}"),
            format!("{bare}.{payload}.{signature}"),
            format!("{bare}.{payload}.!"),
        ] {
            // The answer names the request: here they are all of one.
            let status = CallContext::resumed(request_id)
                .scope(rig.exchange_raw(&forged, "transcription", &[]))
                .await
                .unwrap_err();
            answers.push((
                status.code(),
                status.message().to_owned(),
                status.details().to_vec(),
            ));
        }
    }
    let (known, unknown) = answers.split_at(3);
    assert_eq!(known, unknown);
}

#[tokio::test]
async fn an_assertion_is_taken_once_also_after_a_restart() {
    let mut rig = Rig::start().await;
    let assertion = rig.assertion(&rig.documentation);
    let exchange = async |rig: &Rig| {
        rig.exchange_raw(assertion.expose(), "transcription", &[])
            .await
    };
    exchange(&rig).await.unwrap();
    assert_eq!(
        reason(exchange(&rig).await, Code::Unauthenticated),
        "ASSERTION_REPLAYED"
    );
    rig.restart().await;
    assert_eq!(
        reason(exchange(&rig).await, Code::Unauthenticated),
        "ASSERTION_REPLAYED"
    );
    // Until it would not be taken for its age, and is forgotten.
    rig.clock.advance(Duration::from_secs(119));
    assert_eq!(
        reason(exchange(&rig).await, Code::Unauthenticated),
        "ASSERTION_REPLAYED"
    );
    rig.clock.advance(Duration::from_secs(1));
    assert_eq!(
        reason(exchange(&rig).await, Code::Unauthenticated),
        "ASSERTION_EXPIRED"
    );
}

#[tokio::test]
async fn what_is_not_granted_is_named() {
    let rig = Rig::start().await;
    let assertion = rig.assertion(&rig.documentation);
    let requested = ["sign:notes", "read:transcriptions", "rotate:keys"];
    let refused = rig
        .exchange_raw(assertion.expose(), "auth", &requested)
        .await;
    let details = refused.as_ref().unwrap_err().get_error_details();
    let metadata = &details.error_info().unwrap().metadata;
    assert_eq!(metadata["client"], "documentation");
    assert_eq!(metadata["missing"], "sign:notes rotate:keys");
    assert_eq!(
        reason(refused, Code::PermissionDenied),
        "PERMISSION_NOT_GRANTED"
    );
}

#[tokio::test]
async fn an_invalid_request_names_the_field() {
    let rig = Rig::start().await;
    let assertion = rig.assertion(&rig.documentation);
    for (audience, permissions, field) in [
        ("Transcription", &[][..], "audience"),
        ("", &[], "audience"),
        ("transcription", &["all"], "permissions[0]"),
    ] {
        let status = rig
            .exchange_raw(assertion.expose(), audience, permissions)
            .await;
        let status = status.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        let details = status.get_error_details();
        assert_eq!(
            details.bad_request().unwrap().field_violations[0].field,
            field
        );
    }
    // None of them used up the assertion.
    let response = rig
        .exchange_raw(assertion.expose(), "transcription", &[])
        .await;
    assert!(response.is_ok());
}
