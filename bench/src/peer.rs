//! A server or driver as seen by the process that measures.

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::de::DeserializeOwned;

use crate::order::Order;

/// How long an answer may take: longer than the slowest call that is measured.
const PATIENCE: Duration = Duration::from_secs(120);

/// A process that obeys orders. Ends when it is dropped.
pub(crate) struct Peer {
    what: String,
    child: Child,
    input: ChildStdin,
    answers: mpsc::Receiver<std::io::Result<String>>,
}

/// A peer that several pairs use, one after the other.
pub(crate) type Shared = Rc<RefCell<Peer>>;

impl Peer {
    /// Starts it. `what` names it in errors.
    pub(crate) fn start(what: impl Into<String>, command: &mut Command) -> Result<Self> {
        let what = what.into();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {what}"))?;
        let input = child.stdin.take();
        let output = child.stdout.take();
        let (Some(input), Some(output)) = (input, output) else {
            return Err(anyhow!("{what} has no standard input or output"));
        };
        let (sender, answers) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            what,
            child,
            input,
            answers,
        })
    }

    /// Gives an order and waits for the answer.
    pub(crate) fn ask<A: DeserializeOwned>(&mut self, order: &Order) -> Result<A> {
        self.tell(order)?;
        self.hear()
    }

    /// Gives an order; its answer is to be heard later.
    pub(crate) fn tell(&mut self, order: &Order) -> Result<()> {
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        self.input
            .write_all(&line)
            .and_then(|()| self.input.flush())
            .with_context(|| format!("{} takes no order any more", self.what))
    }

    /// Waits for an answer.
    pub(crate) fn hear<A: DeserializeOwned>(&mut self) -> Result<A> {
        let line = self
            .answers
            .recv_timeout(PATIENCE)
            .with_context(|| format!("{} gives no answer", self.what))??;
        serde_json::from_str(&line).with_context(|| format!("{} answers {line}", self.what))
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id())?;
        kill(Pid::from_raw(pid), signal)
            .with_context(|| format!("sending {signal} to {}", self.what))
    }

    pub(crate) fn shared(self) -> Shared {
        Rc::new(RefCell::new(self))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may be gone already, which is what is wanted.
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}
