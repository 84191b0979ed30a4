//! ExchangeToken on behalf of an end user.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scribemed_auth::{Algorithm, Clock as _, EndUser};
use scribemed_proto::auth::v1 as proto;
use scribemed_proto::auth::v1::auth_service_client::AuthServiceClient;
use scribemed_rpc::{CallContext, SubjectToken};
use scribemed_service::{Channel, ClientSettings, EndUserSettings, Platform, Settings};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::support::{ISSUER, Rig, reason};

const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const PROVIDER: &str = "https://id.clinic.example";

/// An OpenID provider: a key on P-256, published over http on this machine.
struct Provider {
    key: EcdsaKeyPair,
    settings: EndUserSettings,
}

impl Provider {
    async fn start() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        let point = key.public_key().as_ref();
        let keys = json!({"keys": [{
            "kty": "EC", "crv": "P-256", "kid": "p1", "alg": "ES256", "use": "sig",
            "x": encode(&point[1..33]), "y": encode(&point[33..]),
        }]})
        .to_string();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\ncache-control: max-age=600\r\nconnection: close\r\n\r\n{keys}",
                    keys.len()
                );
                if socket.read(&mut request).await.is_ok() {
                    socket.write_all(answer.as_bytes()).await.unwrap();
                }
            }
        });
        let settings = EndUserSettings {
            issuer: PROVIDER.to_owned(),
            jwks_url: url.parse().unwrap(),
            audience: "scribemed".to_owned(),
            algorithms: vec![Algorithm::Es256],
        };
        Self { key, settings }
    }

    /// The token of a user who has signed in, with these changes.
    fn token(&self, rig: &Rig, change: &Value) -> String {
        let now = rig.clock.now();
        let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let mut claims = json!({
            "iss": PROVIDER, "aud": "scribemed", "sub": "u-1", "iat": now, "exp": now + 3600,
            "name": "Ada Lovelace",
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = match value.as_i64() {
                Some(offset) => json!(now.checked_add_signed(offset).unwrap()),
                None => value.clone(),
            };
        }
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let header = json!({"alg": "ES256", "kid": "p1", "typ": "JWT"});
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let signature = self
            .key
            .sign(&SystemRandom::new(), signed.as_bytes())
            .unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

async fn start() -> (Rig, Provider) {
    let provider = Provider::start().await;
    let rig = Rig::start_with(Some(provider.settings.clone())).await;
    (rig, provider)
}

#[tokio::test]
async fn a_service_acts_for_a_user_with_its_own_permissions_and_so_does_the_next() {
    let (rig, provider) = start().await;
    let signed_in = provider.token(&rig, &json!({}));
    let response = rig
        .exchange_for(&rig.documentation, "operator", &signed_in, JWT)
        .await
        .unwrap();
    assert_eq!(response.issued_token_type, ACCESS_TOKEN);
    assert_eq!(response.expires_in.unwrap().seconds, 300);
    assert_eq!(response.scope, "read:transcriptions write:transcriptions");
    let principal = rig
        .verifier("operator")
        .verify(&response.access_token)
        .await
        .unwrap();
    assert_eq!(principal.service(), "documentation");
    let user = principal.on_behalf_of().unwrap();
    assert_eq!((user.issuer(), user.subject()), (PROVIDER, "u-1"));
    assert!(principal.prior_actors().is_empty());

    // The service that was called goes on for the same user, with what is granted to itself.
    let next = rig
        .exchange_for(
            &rig.operator,
            "transcription",
            &response.access_token,
            ACCESS_TOKEN,
        )
        .await
        .unwrap();
    assert_eq!(next.scope, "rotate:keys");
    let principal = rig
        .verifier("transcription")
        .verify(&next.access_token)
        .await
        .unwrap();
    assert_eq!(principal.service(), "operator");
    assert_eq!(principal.on_behalf_of().map(EndUser::subject), Some("u-1"));
    assert_eq!(principal.prior_actors(), ["documentation"]);
    assert!(!principal.has("read:transcriptions"));
}

#[tokio::test]
async fn a_subject_token_that_does_not_hold_is_refused_with_its_reason() {
    let (rig, provider) = start().await;
    let check = async |token: &str, kind: &str, code: Code, expect: &str| {
        let result = rig
            .exchange_for(&rig.documentation, "transcription", token, kind)
            .await;
        let status = result.as_ref().unwrap_err();
        for part in token.split('.').filter(|part| part.len() > 8) {
            assert!(!format!("{status:?}").contains(part), "{status:?}");
        }
        assert_eq!(reason(result, code), expect);
    };
    let jwt = async |change: Value, expect: &str| {
        let token = provider.token(&rig, &change);
        check(&token, JWT, Code::Unauthenticated, expect).await;
    };
    jwt(json!({"exp": -60}), "SUBJECT_TOKEN_EXPIRED").await;
    // Within the leeway, and nothing could be issued that ends with it.
    jwt(json!({"exp": 0}), "SUBJECT_TOKEN_EXPIRED").await;
    jwt(json!({"nbf": 120}), "SUBJECT_TOKEN_NOT_YET_VALID").await;
    jwt(json!({"aud": "other"}), "SUBJECT_TOKEN_WRONG_AUDIENCE").await;
    jwt(
        json!({"iss": "https://evil.example"}),
        "SUBJECT_TOKEN_WRONG_ISSUER",
    )
    .await;
    jwt(json!({"sub": ""}), "SUBJECT_TOKEN_MALFORMED").await;
    let good = provider.token(&rig, &json!({}));
    let stranger = Provider::start().await.token(&rig, &json!({}));
    for token in [&stranger, &format!("{}A", &good[..good.len() - 3])] {
        let result = rig
            .exchange_for(&rig.documentation, "transcription", token, JWT)
            .await;
        assert_eq!(result.unwrap_err().code(), Code::Unauthenticated);
    }
    check(
        &stranger,
        JWT,
        Code::Unauthenticated,
        "SUBJECT_TOKEN_BAD_SIGNATURE",
    )
    .await;
    let (claims, own) = (good.split('.').nth(1).unwrap(), rig.documentation.key.kid());
    let own = json!({"alg": "EdDSA", "kid": own}).to_string();
    let eddsa = format!("{}.{claims}.AAAA", URL_SAFE_NO_PAD.encode(own));
    check(
        &eddsa,
        JWT,
        Code::Unauthenticated,
        "SUBJECT_TOKEN_ALGORITHM",
    )
    .await;

    // One kind never passes as the other.
    check(
        &good,
        ACCESS_TOKEN,
        Code::Unauthenticated,
        "SUBJECT_TOKEN_ALGORITHM",
    )
    .await;
    let own = rig.token(&rig.operator, "documentation").await;
    check(
        &own,
        JWT,
        Code::Unauthenticated,
        "SUBJECT_TOKEN_WRONG_ISSUER",
    )
    .await;
    // A service that acts for itself; and a token that was sent to somebody else.
    check(
        &own,
        ACCESS_TOKEN,
        Code::InvalidArgument,
        "SUBJECT_TOKEN_NO_USER",
    )
    .await;
    let elsewhere = rig
        .exchange_for(&rig.operator, "transcription", &good, JWT)
        .await
        .unwrap();
    check(
        &elsewhere.access_token,
        ACCESS_TOKEN,
        Code::Unauthenticated,
        "SUBJECT_TOKEN_WRONG_AUDIENCE",
    )
    .await;
    for (token, kind) in [(good.as_str(), ""), ("", JWT)] {
        check(
            token,
            kind,
            Code::InvalidArgument,
            "SUBJECT_TOKEN_INCOMPLETE",
        )
        .await;
    }
}

#[tokio::test]
async fn a_subject_token_of_another_type_is_an_invalid_request() {
    let (rig, provider) = start().await;
    let good = provider.token(&rig, &json!({}));
    let status = rig
        .exchange_for(
            &rig.documentation,
            "transcription",
            &good,
            "urn:ietf:params:oauth:token-type:saml2",
        )
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let details = status.get_error_details();
    let fields = &details.bad_request().unwrap().field_violations;
    assert_eq!(fields[0].field, "subject_token_type");
}

#[tokio::test]
async fn a_chain_ends_at_eight_services() {
    let (rig, provider) = start().await;
    let mut token = provider.token(&rig, &json!({}));
    let mut kind = JWT;
    for actors in 1..=8 {
        // Each time by the service that the token before was for.
        let client = if actors % 2 == 1 {
            &rig.documentation
        } else {
            &rig.operator
        };
        let audience = if actors % 2 == 1 {
            "operator"
        } else {
            "documentation"
        };
        let response = rig
            .exchange_for(client, audience, &token, kind)
            .await
            .unwrap();
        (token, kind) = (response.access_token, ACCESS_TOKEN);
        let principal = rig.verifier(audience).verify(&token).await.unwrap();
        assert_eq!(principal.prior_actors().len(), actors - 1);
    }
    let result = rig
        .exchange_for(&rig.documentation, "operator", &token, kind)
        .await;
    assert_eq!(
        reason(result, Code::FailedPrecondition),
        "SUBJECT_CHAIN_TOO_LONG"
    );
}

#[tokio::test]
async fn without_an_issuer_of_end_users_the_operator_is_told() {
    let rig = Rig::start().await;
    let provider = Provider::start().await;
    let token = provider.token(&rig, &json!({}));
    let result = rig
        .exchange_for(&rig.documentation, "transcription", &token, JWT)
        .await;
    let status = result.as_ref().unwrap_err();
    assert!(
        status.message().contains("SCRIBEMED_END_USER_ISSUER"),
        "{status:?}"
    );
    assert_eq!(
        reason(result, Code::FailedPrecondition),
        "END_USERS_NOT_CONFIGURED"
    );
}

#[tokio::test]
async fn a_call_in_the_context_of_a_user_is_made_for_that_user() {
    let (rig, provider) = start().await;
    let settings = Settings::with_auth_service(
        "operator",
        rig.registry(),
        ISSUER,
        rig.operator.key.clone(),
        ClientSettings::default(),
    )
    .await;
    let platform = Platform::new(settings.unwrap(), CancellationToken::new());
    let client = platform
        .client::<AuthServiceClient<Channel>>()
        .await
        .unwrap();
    let rotate = async |subject: Option<&str>| {
        let mut client = client.clone();
        CallContext::background()
            .with_subject(subject.map(SubjectToken::jwt))
            .scope(async move {
                client
                    .rotate_keys(proto::RotateKeysRequest::default())
                    .await
            })
            .await
    };
    rotate(None).await.unwrap();
    let users = ["u-1", "u-2"].map(|sub| provider.token(&rig, &json!({"sub": sub})));
    for user in &users {
        rotate(Some(user)).await.unwrap();
    }
    // One whose token does not hold is not served, though there are good tokens of others and of the service itself.
    let expired = provider.token(&rig, &json!({"exp": -300}));
    let status = rotate(Some(&expired)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    let details = status.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "NO_CREDENTIALS");
    assert!(
        status.message().contains("sign in again"),
        "{}",
        status.message()
    );
    rotate(Some(&users[0])).await.unwrap();
}
