#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

use self::keys::Signer;
use super::*;
use crate::verifier::CacheConfig;
use crate::{KeySet, ManualClock, Permission, SigningKey, Verifier, token};

mod keys;

const NOW: u64 = 1_750_000_000;
const ISSUER: &str = "https://id.example";
const AUDIENCE: &str = "scribemed";

fn clock() -> ManualClock {
    ManualClock::at_unix(NOW)
}

fn issuer(name: &str, algorithms: &[Algorithm], keys: &[&Signer]) -> Issuer {
    let set = json!({"keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>()});
    let set = KeySet::from_json(&set.to_string()).unwrap();
    assert_eq!(set.len(), keys.len());
    let keys = CachedKeys::new(Arc::new(set), CacheConfig::default(), Arc::new(clock()));
    Issuer::new(name, AUDIENCE, algorithms.iter().copied(), keys)
}

fn users(algorithms: &[Algorithm], keys: &[&Signer]) -> EndUsers {
    EndUsers::new([issuer(ISSUER, algorithms, keys)], Arc::new(clock()))
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "auth0|5f7c", "iat": NOW, "exp": NOW + 3600,
        "name": "Ada Lovelace", "email": "ada@example.org", "scp": ["openid"], "scope": ["openid"],
    })
}

fn with(change: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

async fn refusal(users: &EndUsers, token: &str) -> Error {
    let error = users.verify(token).await.unwrap_err();
    for part in token.split('.').filter(|part| part.len() > 8) {
        assert!(!format!("{error} {error:?}").contains(part), "{error:?}");
    }
    error
}

#[tokio::test]
async fn each_algorithm_is_verified_with_a_key_of_its_kind() {
    let signers = [Signer::ed25519(), Signer::p256(), Signer::rsa()];
    let users = users(&Algorithm::ALL, &signers.each_ref());
    for signer in &signers {
        let token = signer.sign(&signer.header(), &claims());
        assert!(users.knows(&token));
        let subject = users.verify(&token).await.unwrap();
        assert_eq!(subject.user().issuer(), ISSUER);
        assert_eq!(subject.user().subject(), "auth0|5f7c");
        assert!(subject.actors().is_empty());
        let end = clock().now() + Duration::from_secs(3600);
        assert_eq!(subject.expires_at(), end);
        assert!(!format!("{subject:?}").contains("5f7c"), "{subject:?}");

        // What was touched is refused, wherever it was touched.
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let mut changed = URL_SAFE_NO_PAD.decode(signature).unwrap();
        changed[5] ^= 1;
        let changed = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(changed));
        assert!(matches!(
            refusal(&users, &changed).await,
            Error::BadSignature
        ));
        let other = signer.sign(&signer.header(), &with(&json!({"sub": "other"})));
        let other = other.rsplit_once('.').unwrap().0;
        let swapped = format!("{other}.{signature}");
        assert!(matches!(
            refusal(&users, &swapped).await,
            Error::BadSignature
        ));
    }
}

#[tokio::test]
async fn an_algorithm_must_be_pinned_and_that_of_the_key() {
    let (p256, rsa) = (Signer::p256(), Signer::rsa());
    let pinned = users(&[Algorithm::Es256], &[&p256, &rsa]);
    let es256 = p256.sign(&p256.header(), &claims());
    assert!(pinned.verify(&es256).await.is_ok());
    // The issuer has the key and is not pinned to its algorithm.
    let error = refusal(&pinned, &rsa.sign(&rsa.header(), &claims())).await;
    assert_eq!(
        error.to_string(),
        "the `alg` of the end user's token must be ES256"
    );

    // Both are pinned, and the header names the key of the other.
    let both = users(&[Algorithm::Es256, Algorithm::Rs256], &[&p256, &rsa]);
    let header = json!({"alg": "RS256", "kid": p256.kid()});
    let error = refusal(&both, &rsa.sign(&header, &claims())).await;
    assert!(
        matches!(&error, Error::Algorithm { expected } if expected == "ES256"),
        "{error:?}"
    );

    // The classic confusion: a public key taken for a shared secret.
    for signer in [&p256, &rsa] {
        let mut header = Header::new(jsonwebtoken::Algorithm::HS256);
        header.kid = Some(signer.kid().to_owned());
        let secret = EncodingKey::from_secret(&signer.public());
        let token = jsonwebtoken::encode(&header, &claims(), &secret).unwrap();
        let error = refusal(&both, &token).await;
        assert!(matches!(error, Error::Algorithm { .. }), "{error:?}");
    }
    for alg in ["none", "None", "RS384", "PS256", "es256", "EdDSA", ""] {
        let header = json!({"alg": alg, "kid": rsa.kid()});
        let error = refusal(&both, &rsa.sign(&header, &claims())).await;
        assert!(matches!(error, Error::Algorithm { .. }), "{alg}: {error:?}");
    }
    let none = users(&[], &[&p256]);
    assert!(matches!(
        refusal(&none, &es256).await,
        Error::Algorithm { .. }
    ));
}

#[tokio::test]
async fn the_keys_of_one_issuer_verify_nobody_elses_tokens() {
    let (first, second) = (Signer::p256(), Signer::p256());
    let users = EndUsers::new(
        [
            issuer(ISSUER, &Algorithm::ALL, &[&first]),
            issuer("https://other.example", &Algorithm::ALL, &[&second]),
        ],
        Arc::new(clock()),
    );
    let other = with(&json!({"iss": "https://other.example"}));
    let good = users.verify(&second.sign(&second.header(), &other)).await;
    assert_eq!(good.unwrap().user().issuer(), "https://other.example");
    // A key that is published, only not by the one whose name the token has.
    let foreign = second.sign(&second.header(), &claims());
    assert!(matches!(
        refusal(&users, &foreign).await,
        Error::BadSignature
    ));

    let unknown = with(&json!({"iss": "https://evil.example"}));
    let unknown = first.sign(&first.header(), &unknown);
    assert!(!users.knows(&unknown));
    assert_eq!(
        refusal(&users, &unknown).await.to_string(),
        "the end user's token is of an unknown issuer: its `iss` must be https://id.example or https://other.example"
    );
}

#[tokio::test]
async fn header_and_claims_are_judged() {
    let signer = Signer::p256();
    let users = users(&[Algorithm::Es256], &[&signer]);
    let claimed = async |change: Value, expect: &str| {
        let token = signer.sign(&signer.header(), &with(&change));
        let outcome = match users.verify(&token).await {
            Ok(_) => "good".to_owned(),
            Err(error) => error.to_string(),
        };
        assert!(outcome.contains(expect), "{change}: {outcome}");
    };
    claimed(json!({}), "good").await;
    claimed(json!({"aud": ["other", AUDIENCE]}), "good").await;
    claimed(json!({"aud": "other"}), "its `aud` must name scribemed").await;
    claimed(json!({"aud": null}), "`aud` is required").await;
    claimed(json!({"exp": NOW - 59}), "good").await;
    claimed(json!({"exp": NOW - 60}), "has expired").await;
    claimed(json!({"exp": null}), "`exp` is required").await;
    claimed(json!({"nbf": NOW + 60}), "good").await;
    claimed(json!({"nbf": NOW + 61}), "in the future").await;
    claimed(json!({"iat": NOW + 61}), "in the future").await;
    claimed(json!({"iss": null}), "`iss` is required").await;
    claimed(json!({"sub": null}), "`sub` must").await;
    claimed(json!({"sub": ""}), "`sub` must").await;
    claimed(json!({"sub": "x".repeat(255)}), "good").await;
    claimed(json!({"sub": "x".repeat(256)}), "`sub` must").await;
    claimed(json!({"sub": "line\nbreak"}), "`sub` must").await;
    claimed(json!({"sub": "é"}), "`sub` must").await;
    claimed(json!({"padding": "x".repeat(8192)}), "larger than 8 KiB").await;

    let headed = async |change: Value, expect: &str| {
        let mut header = signer.header();
        for (name, value) in change.as_object().unwrap() {
            header[name] = value.clone();
        }
        let outcome = match users.verify(&signer.sign(&header, &claims())).await {
            Ok(_) => "good".to_owned(),
            Err(error) => error.to_string(),
        };
        assert!(outcome.contains(expect), "{change}: {outcome}");
    };
    headed(json!({"typ": "JWT"}), "good").await;
    headed(json!({"typ": "at+jwt"}), "good").await;
    headed(json!({"typ": "logout+jwt"}), "its `typ` must").await;
    headed(json!({"kid": null}), "has no `kid`").await;
    headed(json!({"kid": "other"}), "none of the keys").await;
    headed(json!({"crit": ["exp"]}), "critical").await;
    // Keys inside the token are not even looked at.
    headed(
        json!({"jwk": Signer::p256().jwk(), "jku": "https://evil.example"}),
        "good",
    )
    .await;
}

#[tokio::test]
async fn keys_that_cannot_be_had_are_our_trouble() {
    struct Down;
    impl verifier::KeySource for Down {
        fn fetch(&self) -> crate::BoxFuture<'_, Result<KeySet, crate::BoxError>> {
            Box::pin(async { Err("connection refused".into()) })
        }
    }
    let signer = Signer::p256();
    let keys = CachedKeys::new(Arc::new(Down), CacheConfig::default(), Arc::new(clock()));
    let issuer = Issuer::new(ISSUER, AUDIENCE, Algorithm::ALL, keys);
    let users = EndUsers::new([issuer], Arc::new(clock()));
    let error = refusal(&users, &signer.sign(&signer.header(), &claims())).await;
    assert!(error.is_unavailable());
    assert!(!error.to_string().contains("refused"), "{error}");
}

/// A key of the auth service, its verifier for `audience`, and what it issues.
struct Own {
    key: SigningKey,
    clock: Arc<ManualClock>,
}

impl Own {
    fn new() -> Self {
        Self {
            key: SigningKey::generate().unwrap(),
            clock: Arc::new(clock()),
        }
    }

    fn verifier(&self, audience: &str) -> Verifier {
        let set = Arc::new(KeySet::new([self.key.public().clone()]).unwrap());
        let keys = CachedKeys::new(set, CacheConfig::default(), self.clock.clone());
        let config = verifier::Config::new("auth.example", audience);
        Verifier::new(config, keys, self.clock.clone())
    }

    fn issue(&self, service: &str, audience: &str, subject: &Subject) -> token::Issued {
        let permissions = [Permission::new("read:notes").unwrap()];
        let grant = token::Grant {
            subject: service,
            client_id: service,
            audience,
            permissions: &permissions,
        };
        token::Issuer::new("auth.example", self.clock.clone())
            .issue_on_behalf(&self.key, &grant, subject)
            .unwrap()
    }
}

#[tokio::test]
async fn a_service_acts_for_the_user_and_the_next_one_too() {
    let signer = Signer::rsa();
    let users = users(&[Algorithm::Rs256], &[&signer]);
    let own = Own::new();
    let signed_in = signer.sign(&signer.header(), &claims());
    let mut subject = users.verify(&signed_in).await.unwrap();
    for (service, audience, prior) in [
        ("gateway", "documentation", &[][..]),
        ("documentation", "transcription", &["gateway"][..]),
        ("transcription", "audit", &["documentation", "gateway"][..]),
    ] {
        let issued = own.issue(service, audience, &subject);
        let verifier = own.verifier(audience);
        let principal = verifier.verify(issued.secret.expose()).await.unwrap();
        assert_eq!(principal.service(), service);
        assert_eq!(
            principal.on_behalf_of().map(EndUser::subject),
            Some("auth0|5f7c")
        );
        assert_eq!(principal.on_behalf_of().map(EndUser::issuer), Some(ISSUER));
        assert_eq!(principal.prior_actors(), prior);
        assert!(principal.has("read:notes"));
        subject = principal.subject().unwrap();

        let claims = issued.secret.expose().split('.').nth(1).unwrap();
        let claims = URL_SAFE_NO_PAD.decode(claims).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["sub"], "auth0|5f7c");
        assert_eq!(claims["act"]["sub"], service, "RFC 8693, section 4.1");
        assert_eq!(claims["client_id"], service);
        assert!(!claims.to_string().contains("Ada"), "{claims}");
    }
}

#[tokio::test]
async fn a_token_for_a_user_ends_with_what_it_was_made_of() {
    let own = Own::new();
    let signer = Signer::p256();
    let users = users(&[Algorithm::Es256], &[&signer]);
    for (left, expect) in [(3600, 300), (300, 300), (90, 90)] {
        let signed_in = with(&json!({"exp": NOW + left}));
        let signed_in = signer.sign(&signer.header(), &signed_in);
        let subject = users.verify(&signed_in).await.unwrap();
        let issued = own.issue("gateway", "documentation", &subject);
        assert_eq!(issued.lifetime.as_secs(), expect);
        assert_eq!(
            issued.expires_at,
            clock().now() + Duration::from_secs(expect)
        );
    }
}

#[tokio::test]
async fn an_actor_without_a_user_and_a_chain_without_end_are_malformed() {
    let own = Own::new();
    let base = json!({
        "iss": "auth.example", "aud": "documentation", "sub": "u1", "exp": NOW + 300,
        "act": {"sub": "gateway"}, "sub_id": {"format": "iss_sub", "iss": ISSUER, "sub": "u1"},
    });
    let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": own.key.kid()});
    let check = async |change: Value, expect: Option<&str>| {
        let mut claims = base.clone();
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let token = jwt::testing::forge(&own.key, &header, &claims);
        let outcome = own.verifier("documentation").verify(&token).await;
        let message = outcome.err().map(|error| error.to_string());
        match expect {
            None => assert_eq!(message, None, "{change}"),
            Some(expect) => assert!(message.unwrap().contains(expect), "{change}"),
        }
    };
    let chain = |length| {
        (0..length).fold(
            Value::Null,
            |act, n| json!({"sub": format!("s{n}"), "act": act}),
        )
    };
    check(json!({}), None).await;
    check(json!({"sub_id": null}), Some("`sub_id`")).await;
    check(
        json!({"sub_id": {"format": "iss_sub", "iss": ISSUER, "sub": "u2"}}),
        Some("`sub_id`"),
    )
    .await;
    check(
        json!({"sub_id": {"format": "email", "email": "a@b.example", "sub": "u1"}}),
        Some("`sub_id`"),
    )
    .await;
    check(
        json!({"sub_id": {"format": "iss_sub", "sub": "u1"}}),
        Some("`sub_id`"),
    )
    .await;
    check(json!({"act": {"sub": ""}}), Some("`act.sub`")).await;
    check(json!({"act": {}}), Some("cannot be decoded")).await;
    check(json!({"act": "gateway"}), Some("cannot be decoded")).await;
    check(json!({"act": chain(8)}), None).await;
    check(json!({"act": chain(9)}), Some("more than 8")).await;
    check(json!({"act": chain(150)}), Some("")).await;
}
