//! Which servers a client can reach, by the script.

use std::time::Duration;

use crate::names::Answer;
use crate::script::{Links, Order, Script, Step};

/// Since when each client can reach each server.
pub(super) struct Reach {
    /// By client, then by server.
    cut: Vec<Vec<bool>>,
    up: Vec<bool>,
    known: Vec<bool>,
    since: Vec<Vec<Option<Duration>>>,
}

impl Reach {
    pub(super) fn new(script: &Script) -> Self {
        let Script {
            servers, clients, ..
        } = script;
        Self {
            cut: vec![vec![false; *servers]; *clients],
            up: vec![true; *servers],
            known: vec![true; *servers],
            since: vec![vec![Some(Duration::ZERO); *servers]; *clients],
        }
    }

    /// The server that a client has been able to reach for the longest time without a break, and since when.
    pub(super) fn longest(&self, client: usize) -> Option<(usize, Duration)> {
        self.since[client]
            .iter()
            .enumerate()
            .filter_map(|(server, since)| Some((server, (*since)?)))
            .min_by_key(|(_, since)| *since)
    }

    pub(super) fn step(&mut self, at: Duration, step: &Step) {
        match step {
            Step::Cut(links)
            | Step::CutTowards(links)
            | Step::CutFrom(links)
            | Step::Hold(links) => self.cut(links, true),
            Step::Repair(links) | Step::Release(links) => self.cut(links, false),
            Step::Server(server, order) => self.up[*server] = *order == Order::Start,
            Step::Names(Answer::Servers(servers)) => {
                for (server, known) in self.known.iter_mut().enumerate() {
                    *known = servers.contains(&server);
                }
            }
            // The last good set stays. Slow is within reach, and so is who refuses.
            Step::Names(_)
            | Step::Delay(..)
            | Step::Undelay(_)
            | Step::Manner(..)
            | Step::ServerClock(..)
            | Step::ClientClock(..) => {}
        }
        for (client, servers) in self.since.iter_mut().enumerate() {
            for (server, since) in servers.iter_mut().enumerate() {
                let there = self.up[server] && self.known[server] && !self.cut[client][server];
                *since = match (there, *since) {
                    (false, _) => None,
                    (true, None) => Some(at),
                    (true, since) => since,
                };
            }
        }
    }

    fn cut(&mut self, links: &Links, cut: bool) {
        for (client, server) in links.each() {
            self.cut[client][server] = cut;
        }
    }
}
