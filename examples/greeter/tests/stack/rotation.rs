//! Signing keys change while calls run, and no call fails.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use greeter::greeter::Greeter;
use greeter::identity::NAME;
use greeter::v1::SayGoodbyeRequest;
use greeter::v1::greeter_service_client::GreeterServiceClient;
use greeter::v1::greeter_service_server::GreeterServiceServer;
use scribemed_auth::token::{Grant, Issuer};
use scribemed_auth::verifier::{CacheConfig, Config};
use scribemed_auth::{
    BoxError, BoxFuture, CachedKeys, KeySet, KeySource, ManualClock, SigningKey, Token, TokenCache,
    TokenSource, Verifier,
};
use scribemed_client::Channel;
use scribemed_rpc::ClientContract as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::support::{CONTRACTS, permissions, soon, target};

const ISSUER: &str = "auth.example";
const CALLERS: usize = 8;

/// What an auth service does, in memory: it publishes keys, and signs with one of them.
struct Auth {
    clock: ManualClock,
    published: Mutex<KeySet>,
    signer: Mutex<SigningKey>,
    fetched: AtomicUsize,
}

impl Auth {
    fn publish(&self, keys: &[&SigningKey]) {
        let keys = KeySet::new(keys.iter().map(|key| key.public().clone()));
        *self.published.lock().unwrap() = keys.unwrap();
    }
}

struct Keys(Arc<Auth>);

impl KeySource for Keys {
    fn fetch(&self) -> BoxFuture<'_, Result<KeySet, BoxError>> {
        Box::pin(async { Ok(self.0.published.lock().unwrap().clone()) })
    }
}

struct Tokens(Arc<Auth>);

impl TokenSource for Tokens {
    fn fetch<'a>(&'a self, _audience: &'a str) -> BoxFuture<'a, Result<Token, BoxError>> {
        Box::pin(async {
            let auth = &self.0;
            auth.fetched.fetch_add(1, Ordering::SeqCst);
            let granted = permissions(&["say:goodbyes"]);
            let grant = Grant {
                subject: "tester",
                client_id: "tester",
                audience: NAME,
                permissions: &granted,
            };
            let signer = auth.signer.lock().unwrap().clone();
            let issued =
                Issuer::new(ISSUER, Arc::new(auth.clock.clone())).issue(&signer, &grant)?;
            Ok(Token::new(issued.secret, issued.expires_at)?)
        })
    }
}

#[tokio::test]
async fn no_call_fails_while_keys_rotate() {
    let clock = ManualClock::new(SystemTime::now());
    let mut signer = SigningKey::generate().unwrap();
    let auth = Arc::new(Auth {
        clock: clock.clone(),
        published: Mutex::new(KeySet::default()),
        signer: Mutex::new(signer.clone()),
        fetched: AtomicUsize::new(0),
    });
    auth.publish(&[&signer]);

    let time = Arc::new(clock.clone());
    let keys = CachedKeys::new(
        Arc::new(Keys(Arc::clone(&auth))),
        CacheConfig::default(),
        time.clone(),
    );
    let verifier = Verifier::new(Config::new(ISSUER, NAME), keys, time.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server =
        scribemed_server::Builder::new(NAME, verifier).add(GreeterServiceServer::new(Greeter));
    tokio::spawn(server.serve(listener, CancellationToken::new()));
    let tokens = TokenCache::new(Arc::new(Tokens(Arc::clone(&auth))), NAME, time);
    let channel = Channel::new(&target(address), &CONTRACTS, Some(tokens)).unwrap();

    let (done, over) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let mut greeter = GreeterServiceClient::over(channel.clone());
            let (done, over) = (Arc::clone(&done), Arc::clone(&over));
            tokio::spawn(async move {
                while !over.load(Ordering::SeqCst) {
                    let name = "Ada".to_owned();
                    greeter.say_goodbye(SayGoodbyeRequest { name }).await?;
                    done.fetch_add(1, Ordering::SeqCst);
                }
                Ok::<_, tonic::Status>(())
            })
        })
        .collect();
    // Each moment sees calls begin and end.
    let some_calls = async || {
        let until = done.load(Ordering::SeqCst) + 5 * CALLERS;
        soon(async {
            while done.load(Ordering::SeqCst) < until {
                assert!(!callers.iter().any(tokio::task::JoinHandle::is_finished));
                tokio::task::yield_now().await;
            }
        })
        .await;
    };
    let pass = async |time: Duration| {
        for _ in 0..time.as_secs() / 10 {
            clock.advance(Duration::from_secs(10));
            some_calls().await;
        }
    };
    some_calls().await;
    for _ in 0..3 {
        // Published before it signs, for longer than verifiers keep the set; and after, until its last token is over.
        let next = SigningKey::generate().unwrap();
        auth.publish(&[&signer, &next]);
        pass(Duration::from_mins(5)).await;
        auth.signer.lock().unwrap().clone_from(&next);
        pass(Duration::from_mins(6)).await;
        auth.publish(&[&next]);
        pass(Duration::from_mins(6)).await;
        signer = next;
    }
    over.store(true, Ordering::SeqCst);
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    // 51 minutes of tokens that live for 5, fetched by one call for all.
    let fetched = auth.fetched.load(Ordering::SeqCst);
    assert!((10..=15).contains(&fetched), "{fetched}");
}
