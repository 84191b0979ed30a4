//! A cache of tokens for each end user on whose behalf a service calls.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use scribemed_rpc::SubjectToken;

use super::cache::{TokenCache, TokenSource};
use super::secret::Token;
use crate::keyed_hash::KeyedHash;
use crate::{BoxError, BoxFuture};

/// How many subjects are kept for each audience. One that is pushed out costs an exchange when it comes again.
pub const MAX_SUBJECTS: usize = 1024;

/// Gets tokens for one end user.
pub(super) struct Delegated {
    pub(super) source: Arc<dyn TokenSource>,
    pub(super) subject: SubjectToken,
}

impl TokenSource for Delegated {
    fn fetch<'a>(&'a self, audience: &'a str) -> BoxFuture<'a, Result<Token, BoxError>> {
        self.source.fetch_on_behalf_of(audience, &self.subject)
    }
}

/// The caches of the last subjects. Reading takes no lock; a write follows an exchange with the auth service.
pub(super) struct Subjects {
    keyed: KeyedHash,
    /// Sorted by hash.
    shelf: ArcSwap<Vec<Arc<Entry>>>,
    /// Counts the entries that were ever made.
    writing: Mutex<u64>,
}

struct Entry {
    hash: u128,
    /// Compared in full: a hash alone does not decide whose token is used.
    subject: SubjectToken,
    cache: TokenCache,
    number: u64,
}

impl Default for Subjects {
    fn default() -> Self {
        Self {
            keyed: KeyedHash::new(),
            shelf: ArcSwap::default(),
            writing: Mutex::new(0),
        }
    }
}

impl Subjects {
    pub(super) fn get(&self, subject: &SubjectToken) -> Option<TokenCache> {
        let entries = self.shelf.load();
        let at = entries
            .binary_search_by_key(&self.hash(subject), |entry| entry.hash)
            .ok()?;
        let entry = &entries[at];
        (entry.subject == *subject).then(|| entry.cache.clone())
    }

    /// Keeps `cache` for the subject, unless there is one by now. Returns the one that is kept. Where there is no room, those
    /// whose token is over go, then the one that came first.
    pub(super) fn insert(&self, subject: &SubjectToken, cache: TokenCache) -> TokenCache {
        let mut count = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = self.get(subject) {
            return known;
        }
        let hash = self.hash(subject);
        let mut next = Vec::clone(&self.shelf.load());
        next.retain(|entry| entry.hash != hash);
        if next.len() >= MAX_SUBJECTS {
            next.retain(|entry| !entry.cache.is_over());
        }
        if next.len() >= MAX_SUBJECTS
            && let Some(first) = (0..next.len()).min_by_key(|at| next[*at].number)
        {
            next.remove(first);
        }
        let entry = Entry {
            hash,
            subject: subject.clone(),
            cache: cache.clone(),
            number: *count,
        };
        *count += 1;
        let at = next.partition_point(|other| other.hash < hash);
        next.insert(at, Arc::new(entry));
        self.shelf.store(Arc::new(next));
        cache
    }

    fn hash(&self, subject: &SubjectToken) -> u128 {
        self.keyed.of(subject.expose())
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shelf.load().len()
    }
}

#[cfg(test)]
mod tests;
