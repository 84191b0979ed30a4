//! The published keys, kept at hand.

mod fresh;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::error::Error;
use crate::clock::{Clock, has_passed};
use crate::flight::{Cause, Flight, Waiter};
use crate::keys::{Jwk, KeySet};
use crate::{BoxError, BoxFuture};

/// Between these a publisher's word on how long its keys may be used is taken: one that says "not at all" is not asked with
/// each call, and one that says "for a year" can still withdraw a key.
const MIN_PUBLISHED_AGE: Duration = Duration::from_secs(10);
const MAX_PUBLISHED_AGE: Duration = Duration::from_hours(1);

/// Where an issuer's published keys come from.
pub trait KeySource: Send + Sync + 'static {
    /// Fetches the keys that are published now. Called in a task of its own; [`CachedKeys`] bounds its time, and tries
    /// again by itself.
    fn fetch(&self) -> BoxFuture<'_, Result<KeySet, BoxError>>;
}

/// A fixed set of keys.
impl KeySource for KeySet {
    fn fetch(&self) -> BoxFuture<'_, Result<KeySet, BoxError>> {
        Box::pin(std::future::ready(Ok(self.clone())))
    }
}

/// When keys are fetched.
#[derive(Debug, Clone)]
pub struct CacheConfig {
    /// Older keys are refreshed in the background of a call, unless their publisher says another time
    /// ([`KeySet::max_age`]), which is kept between 10 s and 1 h. 5 min by default.
    pub max_age: Duration,
    /// Older keys are not used at all, whatever the source does. 24 h by default.
    pub max_stale: Duration,
    /// After a fetch because of an unknown `kid`, the next one for that reason comes at the earliest after this time.
    /// 10 s by default. The auth service publishes a new key at least that long before it signs with it.
    pub unknown_kid_cooldown: Duration,
    /// A fetch that takes longer has failed. 10 s by default.
    pub fetch_timeout: Duration,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            max_age: Duration::from_mins(5),
            max_stale: Duration::from_hours(24),
            unknown_kid_cooldown: Duration::from_secs(10),
            fetch_timeout: Duration::from_secs(10),
        }
    }
}

/// The keys of a [`KeySource`]: fetched on first use, by one call for all; refreshed in the background; kept while the
/// source fails. Clones share one cache.
#[derive(Clone)]
pub struct CachedKeys {
    inner: Arc<Inner>,
}

struct Inner {
    source: Arc<dyn KeySource>,
    config: CacheConfig,
    flight: Arc<Flight<Snapshot>>,
    /// When keys were last fetched because of an unknown `kid`.
    probed_at: Mutex<Option<SystemTime>>,
}

struct Snapshot {
    keys: KeySet,
    fetched_at: SystemTime,
}

impl CachedKeys {
    /// An empty cache; nothing is fetched yet.
    pub fn new(source: Arc<dyn KeySource>, config: CacheConfig, clock: Arc<dyn Clock>) -> Self {
        let flight = Arc::new(Flight::new(clock, config.fetch_timeout));
        Self {
            inner: Arc::new(Inner {
                source,
                config,
                flight,
                probed_at: Mutex::new(None),
            }),
        }
    }

    /// The key of this name, from the cache whenever it is there.
    pub(crate) async fn find(&self, kid: &str) -> Result<Jwk, Error> {
        let now = self.inner.flight.now();
        let seen = self.inner.flight.value().clone();
        let Some(snapshot) = seen.as_ref().filter(|seen| self.accept(seen, now)) else {
            let snapshot = self.start(seen.as_ref())?.outcome().await?;
            // Nothing can be fresher than this, so an unknown key stays unknown.
            return snapshot.keys.get(kid).cloned().ok_or(Error::UnknownKey);
        };
        if let Some(key) = snapshot.keys.get(kid) {
            return Ok(key.clone());
        }
        match self.probe(snapshot, now) {
            Some(waiter) => waiter?
                .outcome()
                .await?
                .keys
                .get(kid)
                .cloned()
                .ok_or(Error::UnknownKey),
            None => self.settle(kid),
        }
    }

    /// Whether this very key is published, as far as is known. Asks for new keys as [`find`](Self::find) does, and waits for
    /// nothing.
    pub(super) fn publishes(&self, key: &Jwk, now: SystemTime) -> bool {
        let seen = self.inner.flight.value();
        seen.as_ref().is_some_and(|snapshot| {
            snapshot.keys.get(key.kid()) == Some(key) && self.accept(snapshot, now)
        })
    }

    /// Takes the snapshot unless it is too old, and asks for a new one in the background when that is due.
    fn accept(&self, snapshot: &Arc<Snapshot>, now: SystemTime) -> bool {
        // An error where the clock was set back: that makes the snapshot no staler, and is met with a refresh too many.
        let age = now.duration_since(snapshot.fetched_at);
        if age
            .as_ref()
            .is_ok_and(|age| *age >= self.inner.config.max_stale)
        {
            return false;
        }
        let max_age = snapshot
            .keys
            .max_age()
            .map_or(self.inner.config.max_age, |published| {
                published.clamp(MIN_PUBLISHED_AGE, MAX_PUBLISHED_AGE)
            });
        if age.map_or(true, |age| age >= max_age) {
            // Joined but not awaited. A failure shows when there is nothing left to fall back to.
            drop(self.start(Some(snapshot)));
        }
        true
    }

    /// Fetches because of an unknown key, unless that was done a moment ago: names made up by a caller must not become
    /// a flood of fetches.
    fn probe(
        &self,
        seen: &Arc<Snapshot>,
        now: SystemTime,
    ) -> Option<Result<Waiter<Snapshot>, Cause>> {
        // Held while the fetch starts, so that calls which come together join it and do not run into its cooldown.
        let mut probed_at = self
            .inner
            .probed_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = self.inner.flight.running() {
            return Some(Ok(running));
        }
        if probed_at.is_some_and(|at| !has_passed(now, at, self.inner.config.unknown_kid_cooldown))
        {
            return None;
        }
        let started = self.start(Some(seen));
        if started.is_ok() {
            *probed_at = Some(now);
        }
        Some(started)
    }

    /// The answer when nothing more is fetched: the cache may have changed since we looked.
    fn settle(&self, kid: &str) -> Result<Jwk, Error> {
        if let Some(key) = self
            .inner
            .flight
            .value()
            .as_ref()
            .and_then(|snapshot| snapshot.keys.get(kid))
        {
            return Ok(key.clone());
        }
        // While the source fails we cannot know that the key does not exist.
        Err(self
            .inner
            .flight
            .last_failure()
            .map_or(Error::UnknownKey, Error::from))
    }

    fn start(&self, seen: Option<&Arc<Snapshot>>) -> Result<Waiter<Snapshot>, Cause> {
        self.inner.flight.join(seen, || {
            let inner = Arc::clone(&self.inner);
            Box::pin(async move {
                let fetched = match inner.source.fetch().await {
                    // A set without keys would throw away good ones and refuse everybody.
                    Ok(keys) if keys.is_empty() => {
                        Err("the key source published no usable keys".into())
                    }
                    fetched => fetched,
                };
                match fetched {
                    Ok(keys) => Ok(Snapshot {
                        keys,
                        fetched_at: inner.flight.now(),
                    }),
                    Err(error) => {
                        tracing::warn!(error, "the keys of an issuer could not be fetched");
                        Err(error)
                    }
                }
            })
        })
    }
}
