//! Who calls, and what that allows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use greeter::identity::{Identity, NAME};
use greeter::v1::greeter_service_client::GreeterServiceClient;
use greeter::v1::{SayGoodbyeRequest, SayHelloRequest, TroubleRequest};
use scribemed_auth::{BoxError, BoxFuture, ManualClock, Secret, Token, TokenCache, TokenSource};
use scribemed_client::Channel;
use scribemed_rpc::ClientContract as _;
use tonic::Code;

use crate::peer::{self, Script};
use crate::support::{CONTRACTS, info, permissions, reason, start, target};

const GOODBYE: &str = "/greeter.v1.GreeterService/SayGoodbye";

fn request() -> SayGoodbyeRequest {
    SayGoodbyeRequest {
        name: "Ada".to_owned(),
    }
}

/// `token` as one that asks not to be checked.
fn unsigned(token: &str) -> String {
    let claims = token.split('.').nth(1).unwrap();
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt"}"#);
    format!("{header}.{claims}.")
}

#[tokio::test]
async fn a_token_that_does_not_hold_is_refused_with_the_reason() {
    let server = start().await;
    let granted = permissions(&["say:goodbyes"]);
    let good = server.identity.token("tester", &granted).unwrap();
    let good = good.secret.expose();
    let past = ManualClock::new(SystemTime::now() - Duration::from_secs(3600));
    let expired = server
        .identity
        .token_by(Arc::new(past), "tester", &granted)
        .unwrap();
    let foreign = Identity::new().unwrap().token("tester", &granted).unwrap();
    let bearer = |token: &str| Some(format!("Bearer {token}"));
    let mut raw = server.raw().await;
    for (authorization, expect) in [
        (None, "TOKEN_MISSING"),
        (Some("Basic abc".to_owned()), "TOKEN_MALFORMED"),
        (bearer("rubbish"), "TOKEN_MALFORMED"),
        (bearer(expired.secret.expose()), "TOKEN_EXPIRED"),
        (bearer(foreign.secret.expose()), "TOKEN_UNKNOWN_KEY"),
        (bearer(&unsigned(good)), "TOKEN_ALGORITHM"),
        (bearer(&format!("{good}AAAA")), "TOKEN_BAD_SIGNATURE"),
    ] {
        let headers: Vec<_> = authorization
            .iter()
            .map(|value| ("authorization", value.as_str()))
            .collect();
        let status = raw.unary(GOODBYE, &headers, &request()).await.status();
        assert_eq!(status.code(), Code::Unauthenticated, "{expect}: {status:?}");
        assert_eq!(reason(&status), expect);
        assert!(!status.message().contains(good), "no token is shown");
    }
    let headers = [("authorization", bearer(good).unwrap())];
    let headers = headers
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let status = raw.unary(GOODBYE, &headers, &request()).await.status();
    assert_eq!(status.code(), Code::Ok);
}

#[tokio::test]
async fn a_permission_that_is_missing_is_named() {
    let server = start().await;
    let channel = server.channel_with(&["see:troubles", "say:goodbyes"]);
    let mut trouble = greeter::v1::trouble_service_client::TroubleServiceClient::over(channel);
    let status = trouble.guarded(TroubleRequest {}).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    assert_eq!(reason(&status), "PERMISSION_MISSING");
    assert_eq!(info(&status).metadata["missing"], "make:troubles");
    assert_eq!(info(&status).metadata["caller"], "tester");
    assert!(status.message().contains("make:troubles"));
    assert!(!status.message().contains("see:troubles"));
}

#[tokio::test]
async fn a_token_goes_only_where_it_is_asked_for() {
    let mut peer = peer::start(Script::Reset(h2::Reason::CANCEL)).await;
    let channel = {
        let source = Counting::new(Vec::new(), Identity::new().unwrap());
        let clock = Arc::new(ManualClock::new(SystemTime::now()));
        let tokens = TokenCache::new(Arc::new(source), NAME, clock);
        Channel::new(&target(peer.address), &CONTRACTS, Some(tokens)).unwrap()
    };
    let mut greeter = GreeterServiceClient::over(channel);
    let name = "Ada".to_owned();
    greeter
        .say_hello(SayHelloRequest { name })
        .await
        .unwrap_err();
    let public = peer.heads.recv().await.unwrap();
    assert!(!public.contains_key("x-service-authorization"));
    greeter.say_goodbye(request()).await.unwrap_err();
    let protected = peer.heads.recv().await.unwrap();
    assert!(
        protected["x-service-authorization"]
            .to_str()
            .unwrap()
            .starts_with("Bearer ")
    );
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced() {
    let server = start().await;
    // The first token is of somebody else: the key set changed since it was fetched.
    let stale = Identity::new().unwrap();
    let first = stale
        .token("tester", &permissions(&["say:goodbyes"]))
        .unwrap();
    let expires_at = first.expires_at;
    let first = (first.secret.expose().to_owned(), expires_at);
    let good = server
        .identity
        .token("tester", &permissions(&["say:goodbyes"]))
        .unwrap();
    let good = (good.secret.expose().to_owned(), good.expires_at);
    let source = Counting::new(vec![good, first], stale);
    let fetched = Arc::clone(&source.fetched);
    let clock = ManualClock::new(SystemTime::now());
    let tokens = TokenCache::new(Arc::new(source), NAME, Arc::new(clock.clone()));
    let channel = Channel::new(&target(server.address), &CONTRACTS, Some(tokens)).unwrap();
    let mut greeter = GreeterServiceClient::over(channel);

    let status = greeter.say_goodbye(request()).await.unwrap_err();
    assert_eq!(reason(&status), "TOKEN_UNKNOWN_KEY");
    // A token that was only just fetched is not thrown away.
    clock.advance(Duration::from_secs(6));
    greeter.say_goodbye(request()).await.unwrap_err();
    assert_eq!(fetched.load(Ordering::SeqCst), 1);
    assert!(greeter.say_goodbye(request()).await.is_ok());
    assert_eq!(fetched.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    struct Refusing;
    impl TokenSource for Refusing {
        fn fetch<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Token, BoxError>> {
            let refusal = tonic::Status::permission_denied("not granted");
            Box::pin(async { Err(refusal.into()) })
        }
    }
    let mut peer = peer::start(Script::Silence).await;
    let clock = Arc::new(ManualClock::new(SystemTime::now()));
    let tokens = TokenCache::new(Arc::new(Refusing), NAME, clock);
    let channel = Channel::new(&target(peer.address), &CONTRACTS, Some(tokens)).unwrap();
    let status = GreeterServiceClient::over(channel)
        .say_goodbye(request())
        .await
        .unwrap_err();
    assert_eq!(
        status.code(),
        Code::PermissionDenied,
        "what the issuer said"
    );
    assert_eq!(reason(&status), "NO_CREDENTIALS");
    assert!(status.message().contains("not granted"));
    assert!(peer.heads.try_recv().is_err());
}

/// Gives the tokens in `next`, the last first, then its own; counts.
struct Counting {
    next: std::sync::Mutex<Vec<(String, SystemTime)>>,
    own: Identity,
    fetched: Arc<AtomicUsize>,
}

impl Counting {
    fn new(next: Vec<(String, SystemTime)>, own: Identity) -> Self {
        Self {
            next: next.into(),
            own,
            fetched: Arc::default(),
        }
    }
}

impl TokenSource for Counting {
    fn fetch<'a>(&'a self, _audience: &'a str) -> BoxFuture<'a, Result<Token, BoxError>> {
        Box::pin(async {
            self.fetched.fetch_add(1, Ordering::SeqCst);
            let next = self.next.lock().unwrap().pop();
            if let Some((token, expires_at)) = next {
                return Ok(Token::new(Secret::new(token), expires_at)?);
            }
            let own = self.own.token("tester", &[])?;
            Ok(Token::new(own.secret, own.expires_at)?)
        })
    }
}
