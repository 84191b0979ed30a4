//! Who may connect: so many in all, and so many from one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::peer::Peer;

/// How often it is told that connections are refused.
const TELL: Duration = Duration::from_secs(10);

/// The places for connections. Asked once for each connection, not for each call.
#[derive(Debug)]
pub(crate) struct Places {
    all: usize,
    per_peer: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_peer: HashMap<IpAddr, usize>,
    refused: Refused,
}

/// Refusals that were not told yet.
#[derive(Debug, Default)]
struct Refused {
    count: u64,
    told: Option<Instant>,
}

/// A place for one connection, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    network: Option<IpAddr>,
}

impl Places {
    pub(crate) fn new(all: usize, per_peer: usize) -> Arc<Self> {
        Arc::new(Self {
            all,
            per_peer,
            taken: Mutex::default(),
        })
    }

    /// A place for a connection of this peer, unless there are too many. Refusals are logged, once in 10 s.
    pub(crate) fn take(self: &Arc<Self>, peer: &Peer) -> Option<Place> {
        let network = peer.address().map(|address| network(address.ip()));
        let mut taken = self.lock();
        let of_peer = network.map_or(0, |network| {
            taken.by_peer.get(&network).copied().unwrap_or(0)
        });
        if taken.all >= self.all || of_peer >= self.per_peer {
            if let Some(count) = taken.refused.count(Instant::now()) {
                tracing::warn!(
                    peer = network.map(tracing::field::display),
                    open = taken.all,
                    limit = self.all,
                    open_of_peer = of_peer,
                    limit_per_peer = self.per_peer,
                    refused = count,
                    "too many connections: more are refused"
                );
            }
            return None;
        }
        taken.all += 1;
        if let Some(network) = network {
            *taken.by_peer.entry(network).or_default() += 1;
        }
        drop(taken);
        Some(Place {
            places: Arc::clone(self),
            network,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        // Nothing panics while it is held.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Refused {
    /// One more. `Some` when it is time to tell how many.
    fn count(&mut self, now: Instant) -> Option<u64> {
        self.count += 1;
        if self.told.is_some_and(|told| now < told + TELL) {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.count))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all -= 1;
        if let Some(network) = self.network
            && let Some(count) = taken.by_peer.get_mut(&network)
        {
            *count -= 1;
            if *count == 0 {
                taken.by_peer.remove(&network);
            }
        }
    }
}

/// What counts as one peer. Who has one IPv6 address has all 2^64 of its network, as a rule (RFC 4291, section 2.5.4).
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn peer(address: &str) -> Peer {
        Peer::at(address.parse().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_has_so_many_places_and_gets_them_back() {
        let places = Places::new(10, 2);
        let first = places.take(&peer("10.0.0.1:1"));
        let second = places.take(&peer("10.0.0.1:2"));
        assert!(first.is_some() && second.is_some());
        assert!(places.take(&peer("10.0.0.1:3")).is_none());
        assert!(places.take(&peer("[::ffff:10.0.0.1]:3")).is_none());
        assert!(places.take(&peer("10.0.0.2:1")).is_some());
        drop(first);
        let again = places.take(&peer("10.0.0.1:4"));
        assert!(again.is_some());
        drop((second, again));
        assert_eq!(places.lock().all, 0);
        assert!(places.lock().by_peer.is_empty(), "nobody is remembered");
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_of_ipv6_is_one_peer() {
        let places = Places::new(10, 1);
        let _place = places.take(&peer("[2001:db8:0:1::1]:1"));
        assert!(places.take(&peer("[2001:db8:0:1:ffff::]:1")).is_none());
        assert!(places.take(&peer("[2001:db8:0:2::1]:1")).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_so_many_places_in_all() {
        let places = Places::new(2, 2);
        let held = [
            places.take(&peer("10.0.0.1:1")),
            places.take(&Peer::default()),
        ];
        assert!(held.iter().all(Option::is_some));
        assert!(places.take(&peer("10.0.0.2:1")).is_none());
        assert!(places.take(&Peer::default()).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_are_told_now_and_then() {
        let mut refused = Refused::default();
        assert_eq!(refused.count(Instant::now()), Some(1));
        for _ in 0..5 {
            assert_eq!(refused.count(Instant::now()), None);
        }
        tokio::time::advance(TELL).await;
        assert_eq!(refused.count(Instant::now()), Some(6));
    }
}
