//! A name server that answers as it is told to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use scribemed_discovery::{Address, BoxFuture, Resolution, Resolve, ResolveError, Target};

/// How long an answer holds.
const TTL: Duration = Duration::from_secs(2);

/// How a name server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// With the addresses of these servers, counted from 0.
    Servers(Vec<usize>),
    /// With no address.
    Empty,
    /// That there is no such name (NXDOMAIN).
    Unknown,
    /// That it cannot tell (SERVFAIL).
    Failing,
    /// Not at all.
    Silent,
}

/// A name server for all clients of a simulation. Clones answer the same.
#[derive(Debug, Clone)]
pub struct Names {
    answer: Arc<Mutex<Answer>>,
    servers: Arc<[SocketAddr]>,
}

impl Names {
    /// Knows where each server is, and answers with all of them.
    pub fn new(servers: &[SocketAddr]) -> Self {
        Self {
            answer: Arc::new(Mutex::new(Answer::Servers((0..servers.len()).collect()))),
            servers: servers.into(),
        }
    }

    /// Answers so from now on.
    pub fn set(&self, answer: Answer) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }

    fn answer(&self) -> Answer {
        self.answer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Resolve for Names {
    fn resolve<'a>(
        &'a self,
        target: &'a Target,
    ) -> BoxFuture<'a, Result<Resolution, ResolveError>> {
        let name = target.authority();
        Box::pin(async move {
            match self.answer() {
                Answer::Servers(servers) => Ok(Resolution {
                    addresses: servers
                        .iter()
                        .filter_map(|server| self.servers.get(*server))
                        .map(|address| Address::from(*address))
                        .collect(),
                    ttl: Some(TTL),
                }),
                Answer::Empty => Ok(Resolution {
                    addresses: Vec::new(),
                    ttl: Some(TTL),
                }),
                Answer::Unknown => Err(ResolveError::not_found(name)),
                Answer::Failing => Err(ResolveError::failed(name, "SERVFAIL")),
                Answer::Silent => std::future::pending().await,
            }
        })
    }
}
