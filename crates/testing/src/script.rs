//! What happens in a simulation, and when.

use std::time::Duration;

use crate::names::Answer;

/// A simulation to be played.
#[derive(Debug, Clone)]
pub struct Script {
    /// How many servers there are. Each serves from the start.
    pub servers: usize,
    /// How many clients there are.
    pub clients: usize,
    /// Calls that each client makes in a second, on average.
    pub rate: u32,
    /// What is called: weights of [`Kind`](crate::Kind)s, in their order.
    pub mix: [u32; 5],
    /// The time that a message takes one way, in milliseconds: from, to. It changes all the time.
    pub latency: (u64, u64),
    /// What happens, and when; in the order of time.
    pub steps: Vec<(Duration, Step)>,
    /// When the trouble is over: from here on everything is as it should be.
    pub clear: Duration,
    /// When the last call begins.
    pub stop: Duration,
    /// What this scenario promises besides what always holds.
    pub promise: Promise,
}

/// How many calls may fail while there is trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// Any.
    Recovery,
    /// None that the contract allows to repeat.
    Idempotent,
    /// The same; and none at all that a client begins later than 1 s after the first that it lost.
    Detour,
    /// None.
    Lossless,
}

/// Links between hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    /// Counted from 0.
    pub clients: Vec<usize>,
    /// Counted from 0.
    pub servers: Vec<usize>,
}

/// Something that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Messages are dropped, both ways. What was lost is not sent again: connections that it belonged to stay broken.
    Cut(Links),
    /// Messages to the servers are dropped, those from them arrive.
    CutTowards(Links),
    /// Messages from the servers are dropped, those to them arrive.
    CutFrom(Links),
    /// What was cut is whole again.
    Repair(Links),
    /// Messages are kept back, both ways, and nobody is told.
    Hold(Links),
    /// What was kept back arrives, as after TCP's retransmission.
    Release(Links),
    /// Messages of these links take so long one way, in milliseconds, until further notice.
    Delay(Links, u64),
    /// Their time is again that of the others.
    Undelay(Links),
    /// A server is told something.
    Server(usize, Order),
    /// The handlers of a server behave so.
    Manner(usize, Manner),
    /// The name server answers so.
    Names(Answer),
    /// The wall clock of a server is off by so many seconds.
    ServerClock(usize, i64),
    /// The wall clock of a client is off by so many seconds.
    ClientClock(usize, i64),
}

/// What a server is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// A new one starts.
    Start,
    /// The one that serves drains: it finishes what it has, and takes nothing new.
    Drain,
    /// The process dies: its connections are closed, its port is.
    Kill,
}

/// How handlers behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Manner {
    /// How much longer than usual they take.
    pub delay: Duration,
    /// Whether they answer UNAVAILABLE.
    pub refuse: bool,
}

impl Promise {
    /// Whether no call may be lost that the contract allows to repeat.
    pub(crate) fn is_for_idempotent(self) -> bool {
        matches!(self, Self::Idempotent | Self::Detour)
    }
}

impl Script {
    /// All links of these servers.
    pub fn links(&self, servers: &[usize]) -> Links {
        Links {
            clients: (0..self.clients).collect(),
            servers: servers.to_vec(),
        }
    }

    /// Adds what happens at `at`.
    pub fn at(&mut self, at: Duration, step: Step) {
        self.steps.push((at, step));
        self.steps.sort_by_key(|(at, _)| *at);
    }

    /// When the first thing happens. What is so from the start does not count.
    pub fn trouble(&self) -> Option<Duration> {
        let mut times = self.steps.iter().map(|(at, _)| *at);
        times.find(|at| !at.is_zero())
    }
}

impl Links {
    /// Each link: client, server.
    pub fn each(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.clients
            .iter()
            .flat_map(|client| self.servers.iter().map(|server| (*client, *server)))
    }
}
