//! Tokens that must not be believed, as a stranger would send them: each gets its code and a message that says what is wrong
//! and what would be right, and nothing of it comes to light, neither in the answer nor in the log.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use greeter::greeter::Greeter;
use greeter::identity::NAME;
use greeter::v1::SayGoodbyeRequest;
use greeter::v1::greeter_service_server::GreeterServiceServer;
use http::{HeaderMap, HeaderName, HeaderValue};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use scribemed_auth::verifier::{CacheConfig, Config};
use scribemed_auth::{CachedKeys, KeySet, SigningKey, SystemClock, Verifier};
use scribemed_rpc::metadata::{AUTHORIZATION, X_SERVICE_AUTHORIZATION};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tracing_subscriber::fmt::MakeWriter;

use crate::raw::Raw;
use crate::support::reason;

const GOODBYE: &str = "/greeter.v1.GreeterService/SayGoodbye";
const ISSUER: &str = "auth.example";

/// An issuer that signs whatever it is told to.
struct Forge {
    key: SigningKey,
    private: EncodingKey,
    now: u64,
}

impl Forge {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        let key = SigningKey::create(&path).unwrap();
        let text = std::fs::read(&path).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Self {
            key,
            private: EncodingKey::from_ed_pem(&text).unwrap(),
            now: now.as_secs(),
        }
    }

    fn verifier(&self) -> Verifier {
        let keys = KeySet::new([self.key.public().clone()]).unwrap();
        let clock = Arc::new(SystemClock);
        let keys = CachedKeys::new(Arc::new(keys), CacheConfig::default(), clock.clone());
        Verifier::new(Config::new(ISSUER, NAME), keys, clock)
    }

    fn claims(&self, change: &Value) -> Value {
        let mut claims = json!({
            "iss": ISSUER, "aud": NAME, "sub": "tester", "scope": "say:goodbyes",
            "iat": self.now, "exp": self.now + 300,
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    fn header(&self, algorithm: Algorithm) -> Header {
        let mut header = Header::new(algorithm);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(self.key.kid().to_owned());
        header
    }

    /// A token that is good but for these claims.
    fn token(&self, change: &Value) -> String {
        let header = self.header(Algorithm::EdDSA);
        jsonwebtoken::encode(&header, &self.claims(change), &self.private).unwrap()
    }

    /// With this header, and a signature made of nothing.
    fn headed(&self, change: &Value, signature: &[u8]) -> String {
        let mut header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": self.key.kid()});
        for (name, value) in change.as_object().unwrap() {
            header[name] = value.clone();
        }
        let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        let claims = self.claims(&json!({})).to_string();
        let header = encode(header.to_string().as_bytes());
        format!(
            "{header}.{}.{}",
            encode(claims.as_bytes()),
            encode(signature)
        )
    }

    /// The classic confusion: the public key, which everybody has, taken for a shared secret.
    fn hs256(&self) -> String {
        let public = URL_SAFE_NO_PAD.decode(self.key.public().x()).unwrap();
        let header = self.header(Algorithm::HS256);
        let secret = EncodingKey::from_secret(&public);
        jsonwebtoken::encode(&header, &self.claims(&json!({})), &secret).unwrap()
    }
}

/// All that is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

async fn serve(verifier: Verifier) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server =
        scribemed_server::Builder::new(NAME, verifier).add(GreeterServiceServer::new(Greeter));
    tokio::spawn(server.serve(listener, CancellationToken::new()));
    address
}

/// What is sent, the reason of the refusal, and a piece of its message.
type Case = (
    &'static str,
    Vec<(HeaderName, Vec<u8>)>,
    &'static str,
    &'static str,
);

#[allow(clippy::too_many_lines, reason = "a table")]
fn cases(forge: &Forge) -> Vec<Case> {
    let bearer = |token: &str| vec![(AUTHORIZATION, format!("Bearer {token}").into_bytes())];
    let of = |change: Value| bearer(&forge.token(&change));
    let good = forge.token(&json!({}));
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (head, _) = signed.split_once('.').unwrap();
    let foreign = Forge::new();
    let richer = forge.claims(&json!({"sub": "root"})).to_string();
    let richer = URL_SAFE_NO_PAD.encode(richer);
    let once = "must be `Bearer` and the token, once";
    let value = |text: &[u8]| vec![(AUTHORIZATION, text.to_vec())];
    let twice = |first: HeaderName, second: HeaderName| {
        let value = format!("Bearer {good}").into_bytes();
        vec![(first, value.clone()), (second, value)]
    };
    vec![
        (
            "missing",
            vec![],
            "TOKEN_MISSING",
            "send `authorization: Bearer`",
        ),
        (
            "empty",
            value(b"Bearer "),
            "TOKEN_MISSING",
            "send `authorization: Bearer`",
        ),
        (
            "forged: our key's name on another key's signature",
            bearer(
                &jsonwebtoken::encode(
                    &forge.header(Algorithm::EdDSA),
                    &forge.claims(&json!({})),
                    &foreign.private,
                )
                .unwrap(),
            ),
            "TOKEN_BAD_SIGNATURE",
            "was changed, or is not of the auth service",
        ),
        (
            "forged: of another issuer altogether",
            bearer(&foreign.token(&json!({}))),
            "TOKEN_UNKNOWN_KEY",
            "get a new token",
        ),
        (
            "touched",
            bearer(&format!("{head}.{richer}.{signature}")),
            "TOKEN_BAD_SIGNATURE",
            "was changed",
        ),
        (
            "without a signature that is one",
            bearer(&forge.headed(&json!({}), &[0; 64])),
            "TOKEN_BAD_SIGNATURE",
            "was changed",
        ),
        (
            "expired",
            of(json!({"exp": forge.now - 61})),
            "TOKEN_EXPIRED",
            "get a new one",
        ),
        (
            "without an end",
            of(json!({"exp": null})),
            "TOKEN_MALFORMED",
            "`exp` is required",
        ),
        (
            "not begun",
            of(json!({"nbf": forge.now + 120})),
            "TOKEN_NOT_YET_VALID",
            "check the clocks",
        ),
        (
            "issued in the future",
            of(json!({"iat": forge.now + 120})),
            "TOKEN_NOT_YET_VALID",
            "check the clocks",
        ),
        (
            "for somebody else",
            of(json!({"aud": "billing"})),
            "TOKEN_WRONG_AUDIENCE",
            "get one for the audience `greeter`",
        ),
        (
            "of somebody else",
            of(json!({"iss": "https://evil.example"})),
            "TOKEN_WRONG_ISSUER",
            "get one from `auth.example`",
        ),
        (
            "of nobody",
            of(json!({"sub": ""})),
            "TOKEN_MALFORMED",
            "`sub` is required",
        ),
        (
            "for a user whom it does not name",
            of(json!({"act": {"sub": "gateway"}})),
            "TOKEN_MALFORMED",
            "`sub_id`",
        ),
        (
            "alg none",
            bearer(&forge.headed(&json!({"alg": "none"}), b"")),
            "TOKEN_ALGORITHM",
            "must be EdDSA",
        ),
        (
            "alg none in other letters",
            bearer(&forge.headed(&json!({"alg": "nOnE"}), b"-")),
            "TOKEN_ALGORITHM",
            "must be EdDSA",
        ),
        (
            "HS256 signed with the public key",
            bearer(&forge.hs256()),
            "TOKEN_ALGORITHM",
            "must be EdDSA",
        ),
        (
            "RS256 where EdDSA is pinned",
            bearer(&forge.headed(&json!({"alg": "RS256"}), &[7; 256])),
            "TOKEN_ALGORITHM",
            "must be EdDSA",
        ),
        (
            "a key of its own",
            bearer(&forge.headed(
                &json!({"kid": null, "jwk": {"kty": "OKP", "crv": "Ed25519", "x": foreign.key.public().x()}}),
                &[0; 64],
            )),
            "TOKEN_MALFORMED",
            "no `kid`",
        ),
        (
            "an assertion",
            bearer(&forge.headed(&json!({"typ": "JWT"}), &[0; 64])),
            "TOKEN_MALFORMED",
            "`typ` must be at+jwt",
        ),
        (
            "critical extensions",
            bearer(&forge.headed(&json!({"crit": ["b64"], "b64": false}), &[0; 64])),
            "TOKEN_MALFORMED",
            "critical",
        ),
        (
            "oversized",
            of(json!({"padding": "x".repeat(8 * 1024)})),
            "TOKEN_MALFORMED",
            "larger than 8 KiB",
        ),
        (
            "truncated in the signature",
            // A whole number of bytes less, so that it can still be decoded.
            bearer(&good[..good.len() - 2]),
            "TOKEN_BAD_SIGNATURE",
            "was changed",
        ),
        (
            "truncated after the claims",
            bearer(signed),
            "TOKEN_MALFORMED",
            "three parts",
        ),
        (
            "truncated in the header",
            bearer(&good[..20]),
            "TOKEN_MALFORMED",
            "three parts",
        ),
        (
            "one part too many",
            bearer(&format!("{good}.e30")),
            "TOKEN_MALFORMED",
            "three parts",
        ),
        (
            "two tokens in one value",
            bearer(&format!("{good}, Bearer {good}")),
            "TOKEN_MALFORMED",
            "three parts",
        ),
        (
            "the header twice",
            twice(AUTHORIZATION, AUTHORIZATION),
            "TOKEN_MALFORMED",
            once,
        ),
        (
            "both headers",
            twice(AUTHORIZATION, X_SERVICE_AUTHORIZATION),
            "TOKEN_MALFORMED",
            once,
        ),
        (
            "another scheme",
            value(format!("Basic {good}").as_bytes()),
            "TOKEN_MALFORMED",
            once,
        ),
        (
            "no scheme",
            value(good.as_bytes()),
            "TOKEN_MALFORMED",
            once,
        ),
        (
            "not ASCII",
            value(format!("Bearer ü{good}").as_bytes()),
            "TOKEN_MALFORMED",
            once,
        ),
        (
            "no text",
            value(b"Bearer \xff\xfe\xfd"),
            "TOKEN_MALFORMED",
            once,
        ),
    ]
}

#[tokio::test]
async fn each_bad_token_is_refused_for_what_it_is_and_never_shown() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter("trace,h2=off")
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    // With a single subscriber, a line that another thread comes to first would be switched off for all of them.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    // The server runs on this thread, too.
    let _logging = tracing::subscriber::set_default(subscriber);

    let forge = Forge::new();
    let mut raw = Raw::connect(serve(forge.verifier()).await).await;
    let request = SayGoodbyeRequest {
        name: "Ada".to_owned(),
    };
    let cases = cases(&forge);
    let refused = cases.len();
    for (case, values, expect, message) in cases {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/grpc"));
        for (name, value) in &values {
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        let status = raw.unary_with(GOODBYE, &headers, &request).await.status();
        assert_eq!(status.code(), Code::Unauthenticated, "{case}: {status:?}");
        assert_eq!(reason(&status), expect, "{case}");
        assert!(status.message().contains(message), "{case}: {status:?}");
        let told = format!("{status:?}\n{}", log.text());
        for (_, value) in &values {
            let value = String::from_utf8_lossy(value);
            // No part of it that is long enough to mean something.
            for part in value.split([' ', '.', ',']).filter(|part| part.len() > 12) {
                assert!(!told.contains(part), "{case}: {part} is in\n{told}");
            }
        }
    }
    let text = log.text();
    let lines = text.matches("code=\"Unauthenticated\"").count();
    assert_eq!(lines, refused, "{text}");

    // What is good is taken, in small letters as well (RFC 9110, section 11.1), and is not in the log either.
    for (name, scheme) in [
        (AUTHORIZATION, "Bearer"),
        (AUTHORIZATION, "bearer"),
        (X_SERVICE_AUTHORIZATION, "BEARER"),
    ] {
        let good = forge.token(&json!({}));
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/grpc"));
        headers.insert(name, format!("{scheme} {good}").parse().unwrap());
        let status = raw.unary_with(GOODBYE, &headers, &request).await.status();
        assert_eq!(status.code(), Code::Ok, "{scheme}: {status:?}");
        for part in good.split('.') {
            assert!(!log.text().contains(part));
        }
    }
}
