//! What happened in a simulation.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tonic::Code;

use crate::script::Step;

/// A method of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// May be repeated, and is retried.
    Call,
    /// May not be repeated.
    Once,
    /// May be repeated, and is hedged.
    Hedged,
    /// Answered with a stream; may not be repeated.
    Stream,
    /// As a call, with a token.
    Private,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Call,
        Self::Once,
        Self::Hedged,
        Self::Stream,
        Self::Private,
    ];

    /// Whether the contract allows to repeat it.
    pub fn is_idempotent(self) -> bool {
        !matches!(self, Self::Once | Self::Stream)
    }

    /// The timeout in the contract.
    pub fn timeout(self) -> Duration {
        Duration::from_secs(if self == Self::Stream { 3 } else { 2 })
    }
}

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A step of the script was taken.
    Step(Step),
    /// A client begins a call.
    Begun {
        /// Counted from 0.
        client: usize,
        /// The call.
        id: u64,
        /// What it calls.
        kind: Kind,
    },
    /// A call has ended for its client.
    Ended {
        /// Counted from 0.
        client: usize,
        /// The call.
        id: u64,
        /// With what.
        code: Code,
        /// That there was no endpoint to send it to.
        nobody: bool,
        /// The message of the status.
        message: String,
    },
    /// A call has come to a handler.
    Executed {
        /// Counted from 0.
        server: usize,
        /// The call.
        id: u64,
        /// Attempts that were made before, as its header says.
        previous: u32,
    },
    /// A client has closed its channel. What is left of it.
    Left {
        /// Counted from 0.
        client: usize,
        /// Attempts that were begun for its calls, in whatever way they ended.
        attempts: u64,
        /// Tasks that still run.
        tasks: usize,
    },
    /// The end, at a server.
    Remains {
        /// Counted from 0.
        server: usize,
        /// Handlers that still run.
        handlers: usize,
    },
}

/// An event and its time.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Since the start of the simulation.
    pub at: Duration,
    /// What happened.
    pub event: Event,
}

/// All that happened, in the order of time. Clones write to the same journal.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    entries: Arc<Mutex<Vec<Entry>>>,
}

impl Journal {
    /// Writes down what happens now on the host that runs.
    pub(crate) fn note(&self, event: Event) {
        self.note_at(turmoil::sim_elapsed().unwrap_or_default(), event);
    }

    pub(crate) fn note_at(&self, at: Duration, event: Event) {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Entry { at, event });
    }

    /// How many events there are of a kind.
    pub(crate) fn count(&self, is: impl Fn(&Event) -> bool) -> usize {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .filter(|entry| is(&entry.event))
            .count()
    }

    /// All entries.
    pub fn entries(&self) -> Vec<Entry> {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// As text, a line for each entry. Two simulations are the same when these are.
    pub fn text(&self) -> String {
        self.entries()
            .iter()
            .fold(String::new(), |mut text, entry| {
                // Writing to a string does not fail.
                let _ = writeln!(text, "{entry}");
                text
            })
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>10.6} ", self.at.as_secs_f64())?;
        match &self.event {
            Event::Step(step) => write!(f, "step {step:?}"),
            Event::Begun { client, id, kind } => write!(f, "client {client} begins {id} {kind:?}"),
            Event::Ended {
                client,
                id,
                code,
                message,
                ..
            } => write!(f, "client {client} ends {id} {code:?} {message}"),
            Event::Executed {
                server,
                id,
                previous,
            } => write!(f, "server {server} executes {id} after {previous}"),
            Event::Left {
                client,
                attempts,
                tasks,
            } => write!(
                f,
                "client {client} leaves {tasks} tasks after {attempts} attempts"
            ),
            Event::Remains { server, handlers } => {
                write!(f, "server {server} keeps {handlers} handlers")
            }
        }
    }
}
