//! When keys are fetched, and what holds while they cannot be.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;
use tokio::task::{JoinSet, yield_now};

use super::*;
use crate::{BoxError, BoxFuture};

/// Publishes what the test tells it to; each fetch waits for a permit.
struct Script {
    published: Mutex<Result<KeySet, &'static str>>,
    permits: Semaphore,
    begun: AtomicUsize,
    done: AtomicUsize,
}

impl Script {
    fn new(published: Result<KeySet, &'static str>) -> Arc<Self> {
        Arc::new(Self {
            published: Mutex::new(published),
            permits: Semaphore::new(1_000),
            begun: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
        })
    }

    fn publish(&self, keys: &[&SigningKey]) {
        *self.published.lock().unwrap() = Ok(set(keys));
    }

    fn fail(&self) {
        *self.published.lock().unwrap() = Err("connection refused");
    }

    fn fetches(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    /// Lets the background work until this many fetches are done.
    async fn until_done(&self, fetches: usize) {
        for _ in 0..1_000 {
            if self.done.load(Ordering::SeqCst) >= fetches {
                return yield_now().await;
            }
            yield_now().await;
        }
        panic!("the background fetch never came");
    }
}

impl KeySource for Script {
    fn fetch(&self) -> BoxFuture<'_, Result<KeySet, BoxError>> {
        Box::pin(async {
            self.begun.fetch_add(1, Ordering::SeqCst);
            self.permits.acquire().await?.forget();
            let published = self.published.lock().unwrap().clone();
            self.done.fetch_add(1, Ordering::SeqCst);
            Ok(published?)
        })
    }
}

fn set(keys: &[&SigningKey]) -> KeySet {
    KeySet::new(keys.iter().map(|key| key.public().clone())).unwrap()
}

/// A token that is good at any time: these tests are about keys.
fn token(key: &SigningKey) -> String {
    let mut claims = claims();
    claims["exp"] = json!(NOW + 400_000);
    forge(key, &header(key), &claims)
}

async fn reason(verifier: &Verifier, token: &str) -> Option<&'static str> {
    verifier
        .verify(token)
        .await
        .err()
        .map(|error| error.reason())
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_hundred_first_callers_fetch_once() {
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let source = Script::new(Ok(set(&[&key])));
    let verifier = verifier(source.clone(), &clock);
    let token = token(&key);
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let (verifier, token) = (verifier.clone(), token.clone());
        callers.spawn(async move { verifier.verify(&token).await.is_ok() });
    }
    assert!(
        callers
            .join_all()
            .await
            .into_iter()
            .all(|accepted| accepted)
    );
    assert_eq!(source.fetches(), 1);
}

#[tokio::test]
async fn a_first_caller_that_gives_up_does_not_take_the_fetch_along() {
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let source = Script::new(Ok(set(&[&key])));
    source.permits.forget_permits(1_000);
    let verifier = verifier(source.clone(), &clock);
    let token = token(&key);
    let first = tokio::spawn({
        let (verifier, token) = (verifier.clone(), token.clone());
        async move { verifier.verify(&token).await.is_ok() }
    });
    while source.fetches() == 0 {
        yield_now().await;
    }
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    source.permits.add_permits(1);
    assert_eq!(reason(&verifier, &token).await, None);
    assert_eq!(source.fetches(), 1);
}

#[tokio::test]
async fn old_keys_are_used_while_new_ones_are_fetched() {
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let source = Script::new(Ok(set(&[&key])));
    let verifier = verifier(source.clone(), &clock);
    let token = token(&key);
    assert_eq!(reason(&verifier, &token).await, None);
    clock.advance(299 * SECOND);
    assert_eq!(reason(&verifier, &token).await, None);
    yield_now().await;
    assert_eq!(source.fetches(), 1);

    // From now on no fetch ends; the calls go on.
    source.permits.forget_permits(1_000);
    clock.advance(SECOND);
    for _ in 0..10 {
        assert_eq!(reason(&verifier, &token).await, None);
        yield_now().await;
    }
    assert_eq!(source.fetches(), 2);
}

#[tokio::test]
async fn the_publisher_says_how_long_its_keys_are_good_within_bounds() {
    let check = async |published: Option<u64>, expect: u64| {
        let (key, clock) = (SigningKey::generate().unwrap(), clock());
        let keys = set(&[&key]).with_max_age(published.map(Duration::from_secs));
        let source = Script::new(Ok(keys));
        let verifier = verifier(source.clone(), &clock);
        let token = token(&key);
        assert_eq!(reason(&verifier, &token).await, None);
        clock.advance(Duration::from_secs(expect - 1));
        assert_eq!(reason(&verifier, &token).await, None);
        yield_now().await;
        assert_eq!(source.fetches(), 1, "{published:?}");
        clock.advance(SECOND);
        assert_eq!(reason(&verifier, &token).await, None);
        source.until_done(2).await;
    };
    check(None, 300).await;
    check(Some(0), 10).await;
    check(Some(90), 90).await;
    check(Some(31_536_000), 3600).await;
}

#[tokio::test]
async fn a_rotation_is_seamless() {
    let (old, new, clock) = (
        SigningKey::generate().unwrap(),
        SigningKey::generate().unwrap(),
        clock(),
    );
    let source = Script::new(Ok(set(&[&old])));
    let verifier = verifier(source.clone(), &clock);
    let (old_token, new_token) = (token(&old), token(&new));
    assert_eq!(reason(&verifier, &old_token).await, None);

    // The new key is published beside the old one: the unknown name fetches it at once, for all callers together.
    source.publish(&[&old, &new]);
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let (verifier, token) = (verifier.clone(), new_token.clone());
        callers.spawn(async move { verifier.verify(&token).await.is_ok() });
    }
    assert!(
        callers
            .join_all()
            .await
            .into_iter()
            .all(|accepted| accepted)
    );
    assert_eq!(source.fetches(), 2);
    assert_eq!(reason(&verifier, &old_token).await, None);

    // The old key is withdrawn: with the next refresh its tokens are refused.
    source.publish(&[&new]);
    clock.advance(300 * SECOND);
    assert_eq!(reason(&verifier, &new_token).await, None);
    source.until_done(3).await;
    assert_eq!(reason(&verifier, &new_token).await, None);
    assert_eq!(
        reason(&verifier, &old_token).await,
        Some("TOKEN_UNKNOWN_KEY")
    );
}

#[tokio::test]
async fn unknown_names_do_not_flood_the_source() {
    let (key, other, clock) = (
        SigningKey::generate().unwrap(),
        SigningKey::generate().unwrap(),
        clock(),
    );
    let source = Script::new(Ok(set(&[&key])));
    let verifier = verifier(source.clone(), &clock);
    assert_eq!(reason(&verifier, &token(&key)).await, None);

    let rubbish = |n: usize| {
        forge(
            &other,
            &json!({"alg": "EdDSA", "typ": "at+jwt", "kid": n.to_string()}),
            &claims(),
        )
    };
    for n in 0..50 {
        assert_eq!(
            reason(&verifier, &rubbish(n)).await,
            Some("TOKEN_UNKNOWN_KEY")
        );
    }
    assert_eq!(source.fetches(), 2);
    clock.advance(9 * SECOND);
    assert_eq!(
        reason(&verifier, &rubbish(50)).await,
        Some("TOKEN_UNKNOWN_KEY")
    );
    assert_eq!(source.fetches(), 2);
    clock.advance(SECOND);
    for n in 51..100 {
        assert_eq!(
            reason(&verifier, &rubbish(n)).await,
            Some("TOKEN_UNKNOWN_KEY")
        );
    }
    assert_eq!(source.fetches(), 3);
}

#[tokio::test]
async fn keys_outlive_their_source_for_a_day() {
    let (key, other, clock) = (
        SigningKey::generate().unwrap(),
        SigningKey::generate().unwrap(),
        clock(),
    );
    let source = Script::new(Ok(set(&[&key])));
    let verifier = verifier(source.clone(), &clock);
    let token = token(&key);
    assert_eq!(reason(&verifier, &token).await, None);

    source.fail();
    for hour in 1..24 {
        clock.advance(3_600 * SECOND);
        assert_eq!(reason(&verifier, &token).await, None);
        source.until_done(1 + hour).await;
    }
    // Whether an unknown key exists cannot be known now, so it is our trouble, not the caller's.
    let error = verifier
        .verify(&super::keys::token(&other))
        .await
        .unwrap_err();
    assert_eq!(
        (error.reason(), error.is_unavailable()),
        ("KEYS_UNAVAILABLE", true)
    );

    clock.advance(3_600 * SECOND);
    assert_eq!(reason(&verifier, &token).await, Some("KEYS_UNAVAILABLE"));
    source.publish(&[&key]);
    clock.advance(5 * SECOND);
    assert_eq!(reason(&verifier, &token).await, None);
}

#[tokio::test]
async fn a_set_without_keys_does_not_replace_good_ones() {
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let source = Script::new(Ok(set(&[&key])));
    let verifier = verifier(source.clone(), &clock);
    assert_eq!(reason(&verifier, &token(&key)).await, None);
    source.publish(&[]);
    clock.advance(300 * SECOND);
    assert_eq!(reason(&verifier, &token(&key)).await, None);
    source.until_done(2).await;
    assert_eq!(reason(&verifier, &token(&key)).await, None);
}

#[tokio::test]
async fn a_failing_source_is_asked_ever_more_rarely() {
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let source = Script::new(Err("connection refused"));
    let verifier = verifier(source.clone(), &clock);
    let token = token(&key);
    let check = async |advance_ms: u64, fetches: usize| {
        clock.advance(Duration::from_millis(advance_ms));
        for _ in 0..10 {
            let error = verifier.verify(&token).await.unwrap_err();
            assert_eq!(error.reason(), "KEYS_UNAVAILABLE");
            let source = std::error::Error::source(&error).unwrap();
            assert_eq!(source.to_string(), "connection refused");
        }
        assert_eq!(source.fetches(), fetches, "{advance_ms}");
    };
    check(0, 1).await;
    check(99, 1).await;
    check(1, 2).await;
    check(199, 2).await;
    check(1, 3).await;
    source.publish(&[&key]);
    clock.advance(400 * Duration::from_millis(1));
    assert_eq!(reason(&verifier, &token).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_has_failed_after_ten_seconds() {
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let source = Script::new(Ok(set(&[&key])));
    source.permits.forget_permits(1_000);
    let verifier = verifier(source.clone(), &clock);
    let begun = tokio::time::Instant::now();
    assert_eq!(
        reason(&verifier, &token(&key)).await,
        Some("KEYS_UNAVAILABLE")
    );
    assert_eq!(begun.elapsed(), 10 * SECOND);
}

#[tokio::test]
async fn a_source_that_panics_has_failed() {
    struct Broken;
    impl KeySource for Broken {
        fn fetch(&self) -> BoxFuture<'_, Result<KeySet, BoxError>> {
            Box::pin(async { panic!("a broken source") })
        }
    }
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let verifier = verifier(Arc::new(Broken), &clock);
    for _ in 0..3 {
        assert_eq!(
            reason(&verifier, &token(&key)).await,
            Some("KEYS_UNAVAILABLE")
        );
        clock.advance(SECOND);
    }
}

#[test]
fn outside_of_a_runtime_the_keys_are_unavailable() {
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let verifier = fixed(&key, &clock);
    let token = token(&key);
    let mut verify = std::pin::pin!(verifier.verify(&token));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(result) = verify.as_mut().poll(&mut context) else {
        panic!("nothing to wait for")
    };
    assert_eq!(result.unwrap_err().reason(), "KEYS_UNAVAILABLE");
}

#[tokio::test]
async fn a_health_check_tells_when_there_are_no_keys_or_only_stale_ones() {
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let source = Script::new(Err("connection refused"));
    let keys = CachedKeys::new(
        source.clone(),
        CacheConfig::default(),
        Arc::new(clock.clone()),
    );
    let failed = keys.fresh().await.unwrap_err();
    assert!(failed.is_unavailable(), "{failed}");
    // After a failure nothing is fetched for a moment.
    clock.advance(SECOND);
    source.publish(&[&key]);
    keys.fresh().await.unwrap();
    assert_eq!(source.fetches(), 2);

    // Keys that are at hand are good for a day, and asked for again after five minutes.
    source.fail();
    clock.advance(300 * SECOND);
    keys.fresh().await.unwrap();
    source.until_done(3).await;
    clock.advance(23 * 3600 * SECOND);
    keys.fresh().await.unwrap();
    clock.advance(3600 * SECOND);
    assert!(keys.fresh().await.is_err());
    clock.advance(60 * SECOND);
    source.publish(&[&key]);
    keys.fresh().await.unwrap();
}
