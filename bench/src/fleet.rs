//! Starts servers and drivers, with one key for all of them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::identity::Identity;
use crate::order::Serving;
use crate::peer::Peer;
use crate::stack::{Layer, Part, Stack};

/// What peers are started with.
pub(crate) struct Fleet {
    program: PathBuf,
    folder: tempfile::TempDir,
    threads: usize,
}

/// A server and where it listens.
pub(crate) struct Server {
    pub(crate) peer: Peer,
    pub(crate) address: String,
}

/// How a server differs from the usual one.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Where<'a> {
    /// The network namespace.
    pub(crate) namespace: Option<&'a str>,
    /// The address to listen on.
    pub(crate) listen: Option<&'a str>,
    /// What the limit on calls at a time may be lowered to; nothing is refused otherwise.
    pub(crate) min_concurrency: Option<u32>,
    /// What it logs; it logs nothing otherwise. The lines are thrown away.
    pub(crate) log: Option<&'a str>,
    /// What it has besides, or goes without.
    pub(crate) layer: Option<Layer>,
}

impl Fleet {
    /// Peers whose runtimes have so many threads.
    pub(crate) fn new(threads: usize) -> Result<Self> {
        let folder = tempfile::tempdir().context("making a temporary folder")?;
        Identity::create(&key(folder.path()))?;
        let program = std::env::current_exe().context("finding this program")?;
        Ok(Self {
            program,
            folder,
            threads,
        })
    }

    pub(crate) fn server(&self, stack: Stack) -> Result<Server> {
        self.server_at(stack, Where::default())
    }

    pub(crate) fn server_at(&self, stack: Stack, place: Where<'_>) -> Result<Server> {
        let mut command = match place.namespace {
            Some(namespace) => {
                let mut command = Command::new("ip");
                command
                    .args(["netns", "exec", namespace])
                    .arg(&self.program);
                command
            }
            None => Command::new(&self.program),
        };
        command.args(["serve", "--stack", &name(&stack)]);
        self.with_key(&mut command);
        if let Some(listen) = place.listen {
            command.args(["--listen", listen]);
        }
        if let Some(min) = place.min_concurrency {
            command.args(["--min-concurrency", &min.to_string()]);
        }
        if let Some(layer) = place.layer {
            command.args(["--layer", &name(&layer)]);
        }
        if let Some(log) = place.log {
            command.args(["--log", log]).stderr(Stdio::null());
        }
        served(&format!("the {} server", name(&stack)), &mut command)
    }

    pub(crate) fn driver(&self, stack: Stack, target: &str, off: &[Part]) -> Result<Peer> {
        let mut command = Command::new(&self.program);
        command.args(["drive", "--stack", &name(&stack), "--target", target]);
        self.with_key(&mut command);
        for part in off {
            command.args(["--off", &name(part)]);
        }
        Peer::start(format!("the {} driver", name(&stack)), &mut command)
    }

    /// The peer in Go, as a server.
    pub(crate) fn go_server(&self, program: &Path, validate: bool) -> Result<Server> {
        let mut command = self.go(program, "serve", validate);
        served("the grpc-go server", &mut command)
    }

    /// The peer in Go, as a driver.
    pub(crate) fn go_driver(&self, program: &Path, address: &str, validate: bool) -> Result<Peer> {
        let mut command = self.go(program, "drive", validate);
        command.args(["--target", address]);
        Peer::start("the grpc-go driver", &mut command)
    }

    /// The file of the key that signs tokens.
    pub(crate) fn key(&self) -> PathBuf {
        key(self.folder.path())
    }

    fn go(&self, program: &Path, what: &str, validate: bool) -> Command {
        let mut command = Command::new(program);
        command
            .args([what, "--key"])
            .arg(key(self.folder.path()))
            .arg(format!("--validate={validate}"))
            .env("GOMAXPROCS", self.threads.to_string());
        command
    }

    fn with_key(&self, command: &mut Command) {
        command
            .arg("--key")
            .arg(key(self.folder.path()))
            .args(["--threads", &self.threads.to_string()]);
    }
}

fn served(what: &str, command: &mut Command) -> Result<Server> {
    let mut peer = Peer::start(what, command)?;
    let Serving { address } = peer.hear()?;
    Ok(Server { peer, address })
}

fn key(folder: &Path) -> PathBuf {
    folder.join("key.pem")
}

fn name(value: &impl clap::ValueEnum) -> String {
    value
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}
