//! Tokens that were verified a short time ago: a signature is checked once, not for each call.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;

use crate::keyed_hash::KeyedHash;
use crate::keys::Jwk;
use crate::principal::Principal;

/// Parts of the cache. A write copies one of them.
const SHARDS: usize = 64;

/// A token, by its keyed hash. The tokens themselves, which are secrets, are not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TokenId(u128);

/// What was found out about a token.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) principal: Principal,
    /// What signed it.
    pub(super) key: Jwk,
    /// When the token is good: from then on, and before that.
    pub(super) from: SystemTime,
    pub(super) until: SystemTime,
}

/// Sorted by token. Small: searched in a few steps, copied in a few microseconds.
type Shard = Vec<(TokenId, Arc<Entry>)>;

/// A bounded cache. Reading it takes no lock; writing takes one that readers know nothing of.
pub(super) struct Recent {
    hash: KeyedHash,
    shards: Vec<ArcSwap<Shard>>,
    /// Held by who replaces a shard. A write follows the check of a signature, which costs ten times as much.
    writing: Mutex<()>,
    shard_capacity: usize,
}

impl Recent {
    /// A cache of at most `capacity` tokens; none are kept with 0.
    pub(super) fn new(capacity: usize) -> Self {
        let shards = SHARDS.min(capacity);
        Self {
            hash: KeyedHash::new(),
            shards: (0..shards).map(|_| ArcSwap::default()).collect(),
            writing: Mutex::new(()),
            shard_capacity: capacity.checked_div(shards).unwrap_or(0),
        }
    }

    pub(super) fn id(&self, token: &str) -> TokenId {
        TokenId(self.hash.of(token))
    }

    /// Who sends the token, if that is known, it is good at `now`, and its key is `published`.
    pub(super) fn get(
        &self,
        id: TokenId,
        now: SystemTime,
        published: impl FnOnce(&Jwk) -> bool,
    ) -> Option<Principal> {
        let shard = self.shard(id)?.load();
        let at = shard.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        let entry = &shard[at].1;
        let good = entry.from <= now && now < entry.until && published(&entry.key);
        good.then(|| entry.principal.clone())
    }

    /// Keeps an entry. Where there is no room, those that are over go, then the one that is over first.
    pub(super) fn insert(&self, id: TokenId, entry: Entry, now: SystemTime) {
        let Some(shard) = self.shard(id) else {
            return;
        };
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = Shard::clone(&shard.load());
        next.retain(|(other, entry)| *other != id && now < entry.until);
        if next.len() >= self.shard_capacity {
            let first = (0..next.len()).min_by_key(|at| next[*at].1.until);
            first.map(|at| next.remove(at));
        }
        let at = next.partition_point(|(other, _)| *other < id);
        next.insert(at, (id, Arc::new(entry)));
        shard.store(Arc::new(next));
    }

    fn shard(&self, id: TokenId) -> Option<&ArcSwap<Shard>> {
        // The low bits; the order within a shard is that of the high ones. The remainder is below the number of shards.
        let [low @ .., _, _, _, _, _, _, _, _] = id.0.to_le_bytes();
        let at = u64::from_le_bytes(low).checked_rem(self.shards.len() as u64)?;
        self.shards.get(usize::try_from(at).ok()?)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.load().len()).sum()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::SigningKey;
    use crate::principal::Verified;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn entry(key: &Jwk, until: u64) -> Entry {
        Entry {
            principal: Principal::from_verified(Verified {
                service: until.to_string(),
                on_behalf_of: None,
                prior_actors: Vec::new(),
                permissions: Vec::new(),
                expires_at: at(until),
                token_id: None,
            }),
            key: key.clone(),
            from: at(10),
            until: at(until),
        }
    }

    #[test]
    fn an_entry_is_good_from_its_begin_to_its_end() {
        let key = SigningKey::generate().unwrap();
        let recent = Recent::new(100);
        let id = recent.id("a");
        recent.insert(id, entry(key.public(), 20), at(10));
        let check =
            |now, expect| assert_eq!(recent.get(id, at(now), |_| true).is_some(), expect, "{now}");
        check(9, false);
        check(10, true);
        check(19, true);
        check(20, false);
        assert!(recent.get(id, at(15), |_| false).is_none());
        assert!(recent.get(recent.id("b"), at(15), |_| true).is_none());
    }

    #[test]
    fn the_bound_holds_and_what_is_over_first_goes_first() {
        let key = SigningKey::generate().unwrap();
        for capacity in [0, 1, 3, 64, 100, 1_000] {
            let recent = Recent::new(capacity);
            for n in 0..2_000 {
                let id = recent.id(&n.to_string());
                recent.insert(id, entry(key.public(), 100_000 - n), at(10));
                assert!(recent.len() <= capacity, "{capacity}");
                // What was only just kept is there, also where it is over before all others.
                assert_eq!(recent.get(id, at(10), |_| true).is_some(), capacity > 0);
            }
        }
        let recent = Recent::new(1);
        let [long, short, over] = ["long", "short", "over"].map(|name| recent.id(name));
        recent.insert(short, entry(key.public(), 20), at(10));
        recent.insert(long, entry(key.public(), 90), at(10));
        assert!(recent.get(short, at(10), |_| true).is_none());
        recent.insert(over, entry(key.public(), 95), at(91));
        assert_eq!(recent.len(), 1);
    }

    #[test]
    fn a_token_is_kept_once() {
        let key = SigningKey::generate().unwrap();
        let recent = Recent::new(1_000);
        let id = recent.id("a");
        recent.insert(id, entry(key.public(), 20), at(10));
        recent.insert(id, entry(key.public(), 30), at(10));
        assert_eq!(recent.len(), 1);
        assert_eq!(recent.get(id, at(25), |_| true).unwrap().service(), "30");
    }
}
