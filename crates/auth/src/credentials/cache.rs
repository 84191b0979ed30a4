//! One token for all calls to an audience, renewed before it ends.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use scribemed_rpc::SubjectToken;

use super::secret::Token;
use super::subjects::{Delegated, Subjects};
use crate::clock::{Clock, has_passed};
use crate::flight::{Cause, Flight, Waiter};
use crate::{BoxError, BoxFuture};

/// A token is renewed in the background from this long before its end; at most half of its life.
const REFRESH_BEFORE: Duration = Duration::from_mins(1);

/// A token is not handed out from this long before its end, so that it does not end on the way; at most a quarter of
/// its life.
const UNUSABLE_BEFORE: Duration = Duration::from_secs(30);

/// A token that was refused is kept for this long after its fetch: where the refusal has another cause, new tokens do
/// not help and would be fetched with every call.
const MIN_LIFE: Duration = Duration::from_secs(5);

/// A fetch that takes longer has failed.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);

/// Where tokens come from.
pub trait TokenSource: Send + Sync + 'static {
    /// Fetches a token for this audience. Called in a task of its own; [`TokenCache`] bounds its time (10 s), and tries
    /// again by itself.
    fn fetch<'a>(&'a self, audience: &'a str) -> BoxFuture<'a, Result<Token, BoxError>>;

    /// Fetches a token for this audience with which the service acts for the end user whose token `subject` is (RFC 8693).
    /// A source that cannot do so says so: the call fails, and is not made in the service's own name instead.
    fn fetch_on_behalf_of<'a>(
        &'a self,
        audience: &'a str,
        subject: &'a SubjectToken,
    ) -> BoxFuture<'a, Result<Token, BoxError>> {
        let (_, _) = (audience, subject);
        let cannot = "this source of tokens knows no end users, and the call is made for one: make it within \
                      `CallContext::with_subject(None)`, or use a source that exchanges tokens";
        Box::pin(std::future::ready(Err(cannot.into())))
    }
}

/// The token for one audience: fetched on first use by one call for all, handed out until 30 s before its end, renewed
/// in the background from 1 min before its end.
///
/// After a fetch that failed the next one waits 100 ms, doubled up to 5 s; until then callers without a usable token get
/// that failure at once. Clones share one cache.
#[derive(Clone)]
pub struct TokenCache {
    inner: Arc<Inner>,
}

struct Inner {
    source: Arc<dyn TokenSource>,
    audience: String,
    flight: Arc<Flight<Held>>,
    clock: Arc<dyn Clock>,
    /// The tokens with which the service acts for end users.
    subjects: Subjects,
}

struct Held {
    token: Arc<Token>,
    fetched_at: SystemTime,
    refresh_at: SystemTime,
    unusable_at: SystemTime,
}

impl TokenCache {
    /// An empty cache; nothing is fetched yet.
    pub fn new(
        source: Arc<dyn TokenSource>,
        audience: impl Into<String>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let flight = Arc::new(Flight::new(Arc::clone(&clock), FETCH_TIMEOUT));
        Self {
            inner: Arc::new(Inner {
                source,
                audience: audience.into(),
                flight,
                clock,
                subjects: Subjects::default(),
            }),
        }
    }

    /// The cache of the tokens with which the service acts for the end user whose token `subject` is.
    ///
    /// What is fetched for one subject token is handed out for that very token and no other, so never for another user. The
    /// caches of the last 1,024 subjects are kept ([`MAX_SUBJECTS`](super::MAX_SUBJECTS)).
    #[must_use]
    pub fn on_behalf_of(&self, subject: &SubjectToken) -> Self {
        let inner = &self.inner;
        inner.subjects.get(subject).unwrap_or_else(|| {
            let source = Delegated {
                source: Arc::clone(&inner.source),
                subject: subject.clone(),
            };
            let own = Self::new(
                Arc::new(source),
                inner.audience.as_str(),
                Arc::clone(&inner.clock),
            );
            inner.subjects.insert(subject, own)
        })
    }

    #[cfg(test)]
    pub(super) fn subjects(&self) -> &Subjects {
        &self.inner.subjects
    }

    /// Whether it holds a token that cannot be used any more.
    pub(super) fn is_over(&self) -> bool {
        let held = self.inner.flight.value();
        held.as_ref()
            .is_some_and(|held| self.inner.flight.now() >= held.unusable_at)
    }

    /// Whom the tokens are for.
    pub fn audience(&self) -> &str {
        &self.inner.audience
    }

    /// The token at hand, if it is usable. Renews it in the background when that is due; never waits.
    pub fn cached(&self) -> Option<Arc<Token>> {
        self.usable(self.inner.flight.value().as_ref())
    }

    /// A usable token; waits only when there is none at hand.
    ///
    /// # Errors
    /// [`Error`] when there is none and it could not be fetched, now or a moment ago.
    ///
    /// # Cancel safety
    /// Cancel safe: a fetch that has begun goes on for the next caller.
    pub async fn get(&self) -> Result<Arc<Token>, Error> {
        let seen = self.inner.flight.value().clone();
        if let Some(token) = self.usable(seen.as_ref()) {
            return Ok(token);
        }
        let failed = |source| Error {
            audience: self.inner.audience.clone(),
            source,
        };
        let held = self
            .start(seen.as_ref())
            .map_err(failed)?
            .outcome()
            .await
            .map_err(failed)?;
        Ok(Arc::clone(&held.token))
    }

    /// Drops a token that the called service refused, if it is still the one at hand: the next caller gets a new one.
    /// Does nothing within 5 s of its fetch.
    pub fn invalidate(&self, refused: &Token) {
        let held = self.inner.flight.value();
        if let Some(held) = held.as_ref()
            && held.token.secret() == refused.secret()
            && has_passed(self.inner.flight.now(), held.fetched_at, MIN_LIFE)
        {
            self.inner.flight.forget(held);
        }
    }

    fn usable(&self, held: Option<&Arc<Held>>) -> Option<Arc<Token>> {
        let now = self.inner.flight.now();
        let held = held.filter(|held| now < held.unusable_at)?;
        if now >= held.refresh_at {
            // Joined but not awaited. A failure shows when there is no usable token left.
            drop(self.start(Some(held)));
        }
        Some(Arc::clone(&held.token))
    }

    fn start(&self, seen: Option<&Arc<Held>>) -> Result<Waiter<Held>, Cause> {
        self.inner.flight.join(seen, || {
            let inner = Arc::clone(&self.inner);
            Box::pin(async move {
                let token = inner.source.fetch(&inner.audience).await;
                let held = token.and_then(|token| Held::new(token, inner.flight.now()));
                if let Err(error) = &held {
                    tracing::warn!(
                        error,
                        audience = inner.audience,
                        "a token could not be fetched"
                    );
                }
                held
            })
        })
    }
}

impl Held {
    fn new(token: Token, fetched_at: SystemTime) -> Result<Self, BoxError> {
        let life = token
            .expires_at()
            .duration_since(fetched_at)
            .unwrap_or_default();
        if life.is_zero() {
            return Err("the token source gave a token that has expired: check the clocks".into());
        }
        // Measured from now and within its life, so neither sum can overflow.
        let refresh_at = fetched_at + life.saturating_sub(REFRESH_BEFORE.min(life / 2));
        let unusable_at = fetched_at + life.saturating_sub(UNUSABLE_BEFORE.min(life / 4));
        Ok(Self {
            token: Arc::new(token),
            fetched_at,
            refresh_at,
            unusable_at,
        })
    }
}

/// There is no usable token, and none could be fetched. Nothing has been sent to the service that was to be called.
///
/// `source()` is what the [`TokenSource`] said, and can be downcast.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no token for the audience `{audience}`")]
pub struct Error {
    audience: String,
    source: Cause,
}

impl Error {
    /// Whom the token would have been for.
    pub fn audience(&self) -> &str {
        &self.audience
    }
}
