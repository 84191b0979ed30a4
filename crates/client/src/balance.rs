//! Which endpoint a call goes to.

mod measure;
mod pool;
mod queue;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed};

use arc_swap::ArcSwap;
use scribemed_resilience::Tick;
use scribemed_resilience::slow_start::SlowStart;
use scribemed_rpc::policy::LoadBalancing;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

pub use self::measure::measure_picks;
pub(crate) use self::pool::{Pool, Settings};
use self::queue::Queue;
use crate::clock::Random;
use crate::connection::{Connection, Room};
use crate::endpoint::Endpoint;

/// What calls can choose from. Never changed, only replaced.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// The endpoints in rotation, in the order of the resolver.
    pub(crate) ready: Box<[Arc<Endpoint>]>,
    /// What to do where there is none.
    pub(crate) otherwise: Otherwise,
    /// Every endpoint there is, for the debug page.
    pub(crate) all: Box<[Arc<Endpoint>]>,
}

/// Why nothing is in rotation.
#[derive(Debug, Clone)]
pub(crate) enum Otherwise {
    /// It is not known yet whether there is somebody: calls wait.
    Connecting,
    /// Nobody is there, for this reason: calls fail, unless they wait for ready.
    Failing(Arc<str>),
}

/// Chooses among the endpoints in rotation. Reading takes no lock.
pub(crate) struct Balancer {
    snapshot: ArcSwap<Snapshot>,
    /// Wakes those who wait for another snapshot, in the order in which they came.
    news: Notify,
    policy: AtomicU8,
    turn: AtomicUsize,
    /// Calls that wait for room.
    pub(crate) queue: Queue,
    random: Arc<Random>,
    slow_start: SlowStart,
}

/// An endpoint and a connection for one attempt.
pub(crate) struct Picked {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) connection: Arc<Connection>,
    /// The peer takes no more for the moment: the call is to wait.
    pub(crate) full: bool,
}

impl Balancer {
    pub(crate) fn new(policy: LoadBalancing, random: Arc<Random>, slow_start: SlowStart) -> Self {
        let empty = Snapshot {
            ready: Box::default(),
            otherwise: Otherwise::Connecting,
            all: Box::default(),
        };
        Self {
            snapshot: ArcSwap::from_pointee(empty),
            news: Notify::new(),
            policy: AtomicU8::new(policy as u8),
            turn: AtomicUsize::new(0),
            queue: Queue::default(),
            random,
            slow_start,
        }
    }

    pub(crate) fn policy(&self) -> LoadBalancing {
        match self.policy.load(Relaxed) {
            1 => LoadBalancing::RoundRobin,
            2 => LoadBalancing::PickFirst,
            _ => LoadBalancing::PeakEwma,
        }
    }

    pub(crate) fn set_policy(&self, policy: LoadBalancing) {
        self.policy.store(policy as u8, Relaxed);
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Waits for the next snapshot after this call. Calls that wait go on in the order in which they came: the longest
    /// wait has the least time left, and a simulation that is played again is the same.
    pub(crate) fn news(&self) -> Notified<'_> {
        self.news.notified()
    }

    fn publish(&self, snapshot: Snapshot) {
        self.snapshot.store(Arc::new(snapshot));
        self.news.notify_waiters();
    }

    /// An endpoint for an attempt, another one than `avoid` where there is one.
    ///
    /// # Errors
    /// What to do where there is none.
    pub(crate) fn pick(
        &self,
        avoid: Option<&Arc<Endpoint>>,
        now: Tick,
    ) -> Result<Picked, Otherwise> {
        let snapshot = self.snapshot.load();
        let ready = &snapshot.ready;
        let first = self.index(ready, avoid, now);
        let mut full = None;
        // An endpoint whose last connection went this very moment is passed over; the next snapshot is without it. One without
        // room is, too, as long as another has some.
        for step in 0..ready.len() {
            let endpoint = &ready[(first + step) % ready.len()];
            if let Some((connection, room)) = endpoint.connection() {
                let picked = Picked {
                    endpoint: Arc::clone(endpoint),
                    connection,
                    full: room == Room::Full,
                };
                if !picked.full {
                    return Ok(picked);
                }
                full = full.or(Some(picked));
            }
        }
        if let Some(picked) = full {
            return Ok(picked);
        }
        Err(if ready.is_empty() {
            snapshot.otherwise.clone()
        } else {
            Otherwise::Connecting
        })
    }

    /// The index of the choice. 0 where there is nothing to choose from.
    fn index(&self, ready: &[Arc<Endpoint>], avoid: Option<&Arc<Endpoint>>, now: Tick) -> usize {
        let len = ready.len();
        if len < 2 {
            return 0;
        }
        let avoided = |index: usize| avoid.is_some_and(|avoid| Arc::ptr_eq(avoid, &ready[index]));
        match self.policy() {
            LoadBalancing::PeakEwma => {
                // Two different ones, drawn at random; the cheaper wins.
                let one = self.random.below(len);
                let other = (one + 1 + self.random.below(len - 1)) % len;
                if avoided(one) {
                    return other;
                }
                if avoided(other) {
                    return one;
                }
                let cost = |index: usize| ready[index].cost(&self.slow_start, now);
                if cost(other) < cost(one) { other } else { one }
            }
            LoadBalancing::RoundRobin => {
                let turn = self.turn.fetch_add(1, Relaxed) % len;
                if avoided(turn) {
                    (turn + 1) % len
                } else {
                    turn
                }
            }
            LoadBalancing::PickFirst => usize::from(avoided(0)),
        }
    }
}
