//! What is remembered of verified tokens, and for how long.

use super::*;
use crate::keys::Jwk;
use crate::{BoxError, BoxFuture};

const SECOND: Duration = Duration::from_secs(1);

/// A token that is good for a day.
fn long_lived(key: &SigningKey) -> String {
    let mut claims = claims();
    claims["exp"] = json!(NOW + 86_400);
    forge(key, &header(key), &claims)
}

/// What the test publishes.
#[derive(Clone)]
struct Published(Arc<std::sync::Mutex<KeySet>>);

impl Published {
    fn new(keys: impl IntoIterator<Item = Jwk>) -> Self {
        Self(Arc::new(std::sync::Mutex::new(KeySet::new(keys).unwrap())))
    }

    fn publish(&self, keys: impl IntoIterator<Item = Jwk>) {
        *self.0.lock().unwrap() = KeySet::new(keys).unwrap();
    }
}

impl KeySource for Published {
    fn fetch(&self) -> BoxFuture<'_, Result<KeySet, BoxError>> {
        let keys = self.0.lock().unwrap().clone();
        Box::pin(std::future::ready(Ok(keys)))
    }
}

#[tokio::test]
async fn a_token_is_verified_once_in_five_minutes() {
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let (verifier, token) = (fixed(&key, &clock), long_lived(&key));
    let first = verifier.verify(&token).await.unwrap();
    clock.advance(299 * SECOND);
    // A clone shares what is known.
    let again = verifier.clone().verify(&token).await.unwrap();
    assert!(first.is_the_same_as(&again));
    assert_eq!(again.service(), "documentation");
    clock.advance(SECOND);
    let anew = verifier.verify(&token).await.unwrap();
    assert!(!first.is_the_same_as(&anew));
}

#[tokio::test]
async fn what_is_remembered_ends_with_the_token() {
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let mut claims = claims();
    claims["exp"] = json!(NOW + 30);
    let (verifier, token) = (fixed(&key, &clock), forge(&key, &header(&key), &claims));
    let check = async |seconds: u64, expect: Option<&str>| {
        clock.set(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(refusal(&verifier, &token).await, expect, "{seconds}");
    };
    check(NOW, None).await;
    check(NOW + 89, None).await;
    check(NOW + 90, Some("TOKEN_EXPIRED")).await;
    // A clock that is set back: the token has not begun there, whatever was found out later.
    check(NOW - 61, Some("TOKEN_NOT_YET_VALID")).await;
    check(NOW - 60, None).await;
}

#[tokio::test]
async fn a_key_that_is_withdrawn_takes_its_tokens_with_it() {
    let (old, new, clock) = (
        SigningKey::generate().unwrap(),
        SigningKey::generate().unwrap(),
        clock(),
    );
    let source = Published::new([old.public().clone()]);
    let verifier = verifier(Arc::new(source.clone()), &clock);
    let (old_token, new_token) = (long_lived(&old), long_lived(&new));
    let first = verifier.verify(&old_token).await.unwrap();

    // A rotation: the new key is fetched, and what is known of the old one's tokens stays.
    source.publish([old.public().clone(), new.public().clone()]);
    assert_eq!(refusal(&verifier, &new_token).await, None);
    let again = verifier.verify(&old_token).await.unwrap();
    assert!(first.is_the_same_as(&again));

    // The old one is withdrawn: as soon as that is known its tokens are refused, though they are remembered. An unknown
    // name makes it known here.
    source.publish([new.public().clone()]);
    clock.advance(11 * SECOND);
    let unknown = long_lived(&SigningKey::generate().unwrap());
    assert_eq!(
        refusal(&verifier, &unknown).await,
        Some("TOKEN_UNKNOWN_KEY")
    );
    assert_eq!(
        refusal(&verifier, &old_token).await,
        Some("TOKEN_UNKNOWN_KEY")
    );
    assert_eq!(refusal(&verifier, &new_token).await, None);
}

#[tokio::test]
async fn another_key_under_the_same_name_is_another_key() {
    let (key, other, clock) = (
        SigningKey::generate().unwrap(),
        SigningKey::generate().unwrap(),
        clock(),
    );
    let source = Published::new([key.public().clone()]);
    let verifier = verifier(Arc::new(source.clone()), &clock);
    let token = long_lived(&key);
    assert_eq!(refusal(&verifier, &token).await, None);
    source.publish([Jwk::from_parts(key.kid(), &other.public().x()).unwrap()]);
    let unknown = long_lived(&other);
    assert_eq!(
        refusal(&verifier, &unknown).await,
        Some("TOKEN_UNKNOWN_KEY")
    );
    assert_eq!(
        refusal(&verifier, &token).await,
        Some("TOKEN_BAD_SIGNATURE")
    );
}

#[tokio::test]
async fn a_token_that_only_begins_like_a_known_one_is_refused() {
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let (verifier, token) = (fixed(&key, &clock), long_lived(&key));
    assert_eq!(refusal(&verifier, &token).await, None);
    for end in 1..token.len() {
        assert!(refusal(&verifier, &token[..end]).await.is_some(), "{end}");
    }
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (head, _) = signed.split_once('.').unwrap();
    let mut richer = claims();
    richer["scope"] = json!("sign:notes");
    let richer = URL_SAFE_NO_PAD.encode(richer.to_string());
    for forged in [
        format!("{signed}.{}", "A".repeat(signature.len())),
        format!("{head}.{richer}.{signature}"),
        format!("{token}A"),
    ] {
        assert!(refusal(&verifier, &forged).await.is_some(), "{forged}");
    }
    assert_eq!(refusal(&verifier, &token).await, None);
}

#[tokio::test]
async fn a_refusal_is_not_remembered() {
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let source = Published::new([SigningKey::generate().unwrap().public().clone()]);
    let verifier = verifier(Arc::new(source.clone()), &clock);
    let token = long_lived(&key);
    assert_eq!(refusal(&verifier, &token).await, Some("TOKEN_UNKNOWN_KEY"));
    source.publish([key.public().clone()]);
    clock.advance(11 * SECOND);
    assert_eq!(refusal(&verifier, &token).await, None);
}

#[tokio::test]
async fn the_bound_of_the_configuration_holds() {
    let (key, clock) = (SigningKey::generate().unwrap(), clock());
    let keys = Arc::new(KeySet::new([key.public().clone()]).unwrap());
    for max_remembered in [0, 2] {
        let keys = CachedKeys::new(
            keys.clone(),
            CacheConfig::default(),
            Arc::new(clock.clone()),
        );
        let mut config = Config::new(ISSUER, AUDIENCE);
        config.max_remembered = max_remembered;
        let verifier = Verifier::new(config, keys, Arc::new(clock.clone()));
        for n in 0..20 {
            let mut claims = claims();
            claims["jti"] = json!(n.to_string());
            let token = forge(&key, &header(&key), &claims);
            assert_eq!(refusal(&verifier, &token).await, None);
            assert!(verifier.recent.len() <= max_remembered);
        }
    }
}
