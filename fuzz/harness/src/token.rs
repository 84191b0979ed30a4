//! What a caller shows of who it is, and what an issuer elsewhere publishes.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use scribemed_auth::assertion::Assertion;
use scribemed_auth::end_user::{EndUsers, Issuer};
use scribemed_auth::verifier::{self, CacheConfig, CachedKeys, Config, Verifier, bearer_token};
use scribemed_auth::{Algorithm, Clock, KeySet, ManualClock, keys};
use tokio::runtime::Runtime;

use crate::check_error;

/// 2026-01-01, when the seeds are good.
const NOW: Duration = Duration::from_secs(1_767_225_600);

// What is accepted. The private keys were thrown away, so nothing else can be: a change of one of these that is accepted is a
// forgery.
const ACCESS: [&str; 2] = [
    include_str!("../../corpus/token/access"),
    include_str!("../../corpus/token/delegated"),
];
const USERS: [&str; 3] = [
    include_str!("../../corpus/token/user-eddsa"),
    include_str!("../../corpus/token/user-es256"),
    include_str!("../../corpus/token/user-rs256"),
];
const ASSERTION: &str = include_str!("../../corpus/token/assertion");

/// A verifier of each kind.
struct World {
    runtime: Runtime,
    verifier: Verifier,
    users: EndUsers,
    client_keys: KeySet,
}

impl World {
    fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(now()));
        let cached = |json| -> Result<_, keys::Error> {
            let keys = Arc::new(KeySet::from_json(json)?);
            Ok(CachedKeys::new(
                keys,
                CacheConfig::default(),
                Arc::clone(&clock),
            ))
        };
        let own = cached(include_str!("../../corpus/token/key-set-own"))?;
        let provider = cached(include_str!("../../corpus/token/key-set"))?;
        let provider = Issuer::new("https://id.example", "platform", Algorithm::ALL, provider);
        Ok(Self {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()?,
            verifier: Verifier::new(Config::new("auth.example", "notes"), own, clock.clone()),
            users: EndUsers::new([provider], clock.clone()),
            client_keys: KeySet::from_json(include_str!("../../corpus/token/key-set-client"))?,
        })
    }

    /// Whether it passes as an access token, as an end user's token, as an assertion; and what is said where it does not.
    fn judge(&self, token: &str) -> ([bool; 3], [Option<String>; 3]) {
        let access = self.runtime.block_on(self.verifier.verify(token));
        let user = self.runtime.block_on(self.users.verify(token));
        let assertion = Assertion::parse(token)
            .and_then(|parsed| parsed.verify(&self.client_keys, "auth.example", now()));
        (
            [access.is_ok(), user.is_ok(), assertion.is_ok()],
            [
                access.err().map(|error| error.to_string()),
                user.err().map(|error| error.to_string()),
                assertion.err().map(|error| error.to_string()),
            ],
        )
    }
}

fn now() -> SystemTime {
    UNIX_EPOCH + NOW
}

thread_local! {
    static WORLD: Result<World, String> = World::new().map_err(|error| error.to_string()).and_then(|world| {
        // Else nothing would ever be accepted, and no forgery found.
        for good in ACCESS.iter().chain(&USERS).chain(&[ASSERTION]) {
            let (passes, said) = world.judge(good);
            if !passes.contains(&true) {
                return Err(format!("{good} is refused: {said:?}"));
            }
        }
        Ok(world)
    });
}

/// The value of `authorization`, a token, or the JSON of a key set.
pub fn token(data: &[u8]) {
    if let Ok(value) = HeaderValue::from_bytes(data) {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value);
        match bearer_token(&headers) {
            Ok(token) => assert!(token.is_ascii(), "{token:?}"),
            Err(error) => {
                assert!(matches!(error, verifier::Error::Malformed(_)), "{error:?}");
                check_error(&error.to_string());
            }
        }
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    WORLD.with(|world| {
        assert!(world.is_ok(), "{:?}", world.as_ref().err());
        if let Ok(world) = world {
            check(world, text);
        }
    });
    match KeySet::from_json(text) {
        Ok(keys) => {
            assert!(keys.len() <= keys::MAX_KEYS);
            let again = KeySet::from_json(&keys.to_json());
            assert!(again.is_ok_and(|again| again == keys), "{text:?}");
        }
        Err(error) => check_error(&error.to_string()),
    }
}

fn check(world: &World, text: &str) {
    let (passes, said) = world.judge(text);
    let may = [
        ACCESS.contains(&text),
        USERS.contains(&text),
        text == ASSERTION,
    ];
    assert_eq!(passes, may, "{text:?}");
    for message in said.iter().flatten() {
        check_error(message);
        for part in text.split('.').filter(|part| part.len() > 24) {
            assert!(!message.contains(part), "{message} tells of {text:?}");
        }
    }
}
