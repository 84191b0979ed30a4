#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed unwrap is a failed test"
)]

use std::error::Error as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::{JoinSet, yield_now};

use super::*;
use crate::{BoxError, BoxFuture, Clock as _, ManualClock};

const SECOND: Duration = Duration::from_secs(1);

/// Gives out `token-1`, `token-2` and so on; each fetch waits for a permit.
struct Script {
    clock: ManualClock,
    /// The life of a token, or a failure.
    answer: Mutex<Result<Duration, Refused>>,
    permits: Semaphore,
    begun: AtomicUsize,
    done: AtomicUsize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the auth service refused")]
struct Refused;

impl TokenSource for Script {
    fn fetch<'a>(&'a self, audience: &'a str) -> BoxFuture<'a, Result<Token, BoxError>> {
        Box::pin(async move {
            assert_eq!(audience, "transcription");
            let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
            self.permits.acquire().await?.forget();
            let answer = *self.answer.lock().unwrap();
            self.done.fetch_add(1, Ordering::SeqCst);
            Ok(Token::new(
                Secret::new(format!("token-{number}")),
                self.clock.now() + answer?,
            )?)
        })
    }
}

impl Script {
    fn answer(&self, answer: Result<Duration, Refused>) {
        *self.answer.lock().unwrap() = answer;
    }

    fn fetches(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

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

fn setup() -> (ManualClock, Arc<Script>, TokenCache) {
    let clock = ManualClock::at_unix(1_750_000_000);
    let source = Arc::new(Script {
        clock: clock.clone(),
        answer: Mutex::new(Ok(300 * SECOND)),
        permits: Semaphore::new(1_000),
        begun: AtomicUsize::new(0),
        done: AtomicUsize::new(0),
    });
    let cache = TokenCache::new(source.clone(), "transcription", Arc::new(clock.clone()));
    (clock, source, cache)
}

async fn held(cache: &TokenCache) -> String {
    cache.get().await.unwrap().secret().expose().to_owned()
}

#[test]
fn a_token_is_ready_to_send_and_never_printed() {
    let token = Token::new(Secret::new("abc.def.ghi"), ManualClock::at_unix(0).now()).unwrap();
    assert_eq!(token.header().as_bytes(), b"Bearer abc.def.ghi");
    assert!(token.header().is_sensitive());
    let printed = format!("{token:?} {:?} {}", token.secret(), token.secret());
    assert!(
        !printed.contains("abc") && printed.contains("[redacted]"),
        "{printed}"
    );
    for text in ["", "two words", "line\nbreak", "é"] {
        assert!(
            Token::new(Secret::new(text), token.expires_at()).is_err(),
            "{text:?}"
        );
    }
}

#[tokio::test]
async fn a_hundred_callers_fetch_once() {
    let (_, source, cache) = setup();
    assert!(cache.cached().is_none());
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let cache = cache.clone();
        callers.spawn(async move { held(&cache).await });
    }
    assert!(
        callers
            .join_all()
            .await
            .into_iter()
            .all(|token| token == "token-1")
    );
    assert_eq!(source.fetches(), 1);
    assert!(cache.cached().is_some());
}

#[tokio::test]
async fn a_token_is_renewed_in_the_background_a_minute_before_its_end() {
    let (clock, source, cache) = setup();
    assert_eq!(held(&cache).await, "token-1");
    clock.advance(239 * SECOND);
    assert_eq!(held(&cache).await, "token-1");
    yield_now().await;
    assert_eq!(source.fetches(), 1);

    // The fetch that is due now does not end: the old token is handed out meanwhile.
    source.permits.forget_permits(1_000);
    clock.advance(SECOND);
    for _ in 0..10 {
        assert_eq!(held(&cache).await, "token-1");
        yield_now().await;
    }
    assert_eq!(source.fetches(), 2);
    source.permits.add_permits(1);
    source.until_done(2).await;
    assert_eq!(held(&cache).await, "token-2");
    assert_eq!(source.fetches(), 2);
}

#[tokio::test]
async fn a_token_is_not_handed_out_half_a_minute_before_its_end() {
    let (clock, source, cache) = setup();
    assert_eq!(held(&cache).await, "token-1");
    source.answer(Err(Refused));
    clock.advance(240 * SECOND);
    assert_eq!(held(&cache).await, "token-1");
    source.until_done(2).await;
    // The renewal failed; whoever has a usable token does not notice.
    clock.advance(29 * SECOND);
    assert_eq!(held(&cache).await, "token-1");
    source.until_done(3).await;
    clock.advance(SECOND);
    assert!(cache.cached().is_none());
    let error = cache.get().await.unwrap_err();
    assert_eq!(error.source().unwrap().downcast_ref(), Some(&Refused));
    source.answer(Ok(300 * SECOND));
    clock.advance(5 * SECOND);
    assert_eq!(held(&cache).await, "token-5");
}

#[tokio::test]
async fn a_failing_source_is_asked_ever_more_rarely() {
    let (clock, source, cache) = setup();
    source.answer(Err(Refused));
    let check = async |advance_ms: u64, fetches: usize| {
        clock.advance(Duration::from_millis(advance_ms));
        for _ in 0..10 {
            let error = cache.get().await.unwrap_err();
            assert_eq!(error.audience(), "transcription");
            assert_eq!(
                error.to_string(),
                "no token for the audience `transcription`"
            );
        }
        assert_eq!(source.fetches(), fetches, "{advance_ms}");
    };
    check(0, 1).await;
    check(99, 1).await;
    check(1, 2).await;
    check(199, 2).await;
    check(1, 3).await;
    check(400, 4).await;
    check(800, 5).await;
    check(1_600, 6).await;
    check(3_200, 7).await;
    check(4_999, 7).await;
    check(1, 8).await;
    source.answer(Ok(300 * SECOND));
    clock.advance(5 * SECOND);
    assert_eq!(held(&cache).await, "token-9");
    // A success ends the backoff.
    source.answer(Err(Refused));
    clock.advance(300 * SECOND);
    check(0, 10).await;
    check(100, 11).await;
}

#[tokio::test]
async fn a_short_lived_token_is_not_fetched_with_every_call() {
    let (clock, source, cache) = setup();
    source.answer(Ok(20 * SECOND));
    for _ in 0..10 {
        assert_eq!(held(&cache).await, "token-1");
        yield_now().await;
    }
    clock.advance(9 * SECOND);
    assert_eq!(held(&cache).await, "token-1");
    yield_now().await;
    assert_eq!(source.fetches(), 1);
    clock.advance(SECOND);
    assert_eq!(held(&cache).await, "token-1");
    source.until_done(2).await;
    assert_eq!(held(&cache).await, "token-2");
}

#[tokio::test]
async fn a_token_that_has_ended_already_is_a_failure() {
    let (_, source, cache) = setup();
    source.answer(Ok(Duration::ZERO));
    for _ in 0..10 {
        let error = cache.get().await.unwrap_err();
        assert!(
            error.source().unwrap().to_string().contains("expired"),
            "{error:?}"
        );
    }
    assert_eq!(source.fetches(), 1);
}

#[tokio::test]
async fn a_refused_token_is_replaced_but_not_endlessly() {
    let (clock, source, cache) = setup();
    let first = cache.get().await.unwrap();
    cache.invalidate(&first);
    assert_eq!(held(&cache).await, "token-1");
    clock.advance(5 * SECOND);
    cache.invalidate(&first);
    assert_eq!(held(&cache).await, "token-2");
    // A late refusal of the old token does not cost the new one.
    clock.advance(5 * SECOND);
    cache.invalidate(&first);
    assert_eq!(held(&cache).await, "token-2");
    assert_eq!(source.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_has_failed_after_ten_seconds() {
    let (_, source, cache) = setup();
    source.permits.forget_permits(1_000);
    let begun = tokio::time::Instant::now();
    let error = cache.get().await.unwrap_err();
    assert!(
        error.source().unwrap().to_string().contains("10s"),
        "{error:?}"
    );
    assert_eq!(begun.elapsed(), 10 * SECOND);
}
