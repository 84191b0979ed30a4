#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::{Clock as _, ManualClock, Secret};

/// Gives out tokens that say for whom they are; counts.
struct Exchange {
    clock: ManualClock,
    exchanges: AtomicUsize,
}

impl Exchange {
    fn token(&self, text: String) -> Result<Token, BoxError> {
        let end = self.clock.now() + Duration::from_mins(5);
        Ok(Token::new(Secret::new(text), end)?)
    }
}

impl TokenSource for Exchange {
    fn fetch<'a>(&'a self, audience: &'a str) -> BoxFuture<'a, Result<Token, BoxError>> {
        Box::pin(async move { self.token(format!("own-{audience}")) })
    }

    fn fetch_on_behalf_of<'a>(
        &'a self,
        audience: &'a str,
        subject: &'a SubjectToken,
    ) -> BoxFuture<'a, Result<Token, BoxError>> {
        Box::pin(async move {
            self.exchanges.fetch_add(1, Ordering::SeqCst);
            self.token(format!("{}-{audience}", subject.expose()))
        })
    }
}

fn setup() -> (ManualClock, Arc<Exchange>, TokenCache) {
    let clock = ManualClock::at_unix(1_750_000_000);
    let source = Arc::new(Exchange {
        clock: clock.clone(),
        exchanges: AtomicUsize::new(0),
    });
    let cache = TokenCache::new(source.clone(), "notes", Arc::new(clock.clone()));
    (clock, source, cache)
}

async fn held(cache: &TokenCache) -> String {
    cache.get().await.unwrap().secret().expose().to_owned()
}

#[tokio::test]
async fn each_user_has_a_token_of_their_own_and_the_service_its() {
    let (_, source, cache) = setup();
    let users = ["ada", "bob", "eve"].map(SubjectToken::access_token);
    for _ in 0..3 {
        for user in &users {
            let expect = format!("{}-notes", user.expose());
            assert_eq!(held(&cache.on_behalf_of(user)).await, expect);
        }
        assert_eq!(held(&cache).await, "own-notes");
    }
    assert_eq!(source.exchanges.load(Ordering::SeqCst), 3);
    // Also when they come together.
    let calls = (0..100).map(|n| {
        let (cache, user) = (cache.clone(), users[n % 3].clone());
        tokio::spawn(async move { (held(&cache.on_behalf_of(&user)).await, user) })
    });
    for call in calls.collect::<Vec<_>>() {
        let (token, user) = call.await.unwrap();
        assert_eq!(token, format!("{}-notes", user.expose()));
    }
    assert_eq!(source.exchanges.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_token_of_another_kind_is_another_subject() {
    let (_, source, cache) = setup();
    for _ in 0..2 {
        held(&cache.on_behalf_of(&SubjectToken::jwt("same"))).await;
        held(&cache.on_behalf_of(&SubjectToken::access_token("same"))).await;
    }
    assert_eq!(source.exchanges.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn subjects_are_bounded_and_those_that_are_over_go_first() {
    let (clock, source, cache) = setup();
    let user = |n: usize| SubjectToken::jwt(&format!("user-{n}"));
    for n in 0..MAX_SUBJECTS {
        held(&cache.on_behalf_of(&user(n))).await;
    }
    let subjects = || cache.subjects().len();
    assert_eq!(subjects(), MAX_SUBJECTS);
    // One more: the first goes, and comes again at the price of an exchange.
    held(&cache.on_behalf_of(&user(MAX_SUBJECTS))).await;
    assert_eq!(subjects(), MAX_SUBJECTS);
    let before = source.exchanges.load(Ordering::SeqCst);
    held(&cache.on_behalf_of(&user(5))).await;
    assert_eq!(source.exchanges.load(Ordering::SeqCst), before);
    held(&cache.on_behalf_of(&user(0))).await;
    assert_eq!(source.exchanges.load(Ordering::SeqCst), before + 1);

    clock.advance(Duration::from_mins(5));
    held(&cache.on_behalf_of(&user(7777))).await;
    assert_eq!(subjects(), 1);
}

#[tokio::test]
async fn a_source_that_knows_no_users_refuses_rather_than_to_act_for_itself() {
    struct Plain;
    impl TokenSource for Plain {
        fn fetch<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Token, BoxError>> {
            let end = ManualClock::at_unix(9_000_000_000).now();
            Box::pin(async move { Ok(Token::new(Secret::new("own"), end)?) })
        }
    }
    let clock = Arc::new(ManualClock::at_unix(1_750_000_000));
    let cache = TokenCache::new(Arc::new(Plain), "notes", clock);
    assert_eq!(held(&cache).await, "own");
    let error = cache
        .on_behalf_of(&SubjectToken::jwt("ada"))
        .get()
        .await
        .unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("knows no end users"), "{source}");
    assert!(!source.contains("ada"), "{source}");
}
