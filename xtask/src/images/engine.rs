//! The container engine: one that runs already, or one that is started for as long as it is needed.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::tools::Missing;
use crate::{process, setup};

/// How long an engine may take to answer after its start.
const START: Duration = Duration::from_secs(60);
/// How long it may take to end: it stops what still runs.
const END: Duration = Duration::from_secs(60);

/// An engine that answers, and Compose.
pub(crate) struct Engine {
    /// `docker compose`, or `docker-compose` where that is not there.
    compose: &'static [&'static str],
    own: Option<Own>,
}

/// An engine of our own, with its images and containers in a folder that goes when it does.
struct Own {
    process: Child,
    folder: TempDir,
}

impl Engine {
    /// The engine that runs on this machine.
    ///
    /// # Errors
    /// [`Missing`] when none answers, or there is no Compose.
    pub(crate) fn running() -> Result<Self, Missing> {
        if !process::exists("docker") {
            return Err(no_engine("there is no program `docker`"));
        }
        process::read(&mut info(None)).map_err(|error| no_engine(&format!("{error:#}")))?;
        let compose = compose().ok_or_else(|| Missing {
            what: "Compose".to_owned(),
            why: "there is neither `docker compose` nor `docker-compose`".to_owned(),
            how_to_get:
                "apt-get install docker-compose, or https://docs.docker.com/compose/install"
                    .to_owned(),
        })?;
        Ok(Self { compose, own: None })
    }

    /// The engine that runs on this machine; where there is none, and we are root on Debian or its like, one that is
    /// installed, started and, with this value, ended again.
    ///
    /// # Errors
    /// [`Missing`] when there is neither.
    pub(crate) fn get() -> Result<Self, Missing> {
        let none = match Self::running() {
            Ok(engine) => return Ok(engine),
            Err(missing) => missing,
        };
        if !setup::is_root() {
            return Err(none);
        }
        setup::ensure(&[setup::CONTAINERS])?;
        let start = || -> Result<Self> {
            let compose = compose().context("Compose was installed and is not there")?;
            println!("No container engine is running; starting one for this run ...");
            let own = Own::start()?;
            Ok(Self {
                compose,
                own: Some(own),
            })
        };
        start().map_err(|error| no_engine(&format!("one cannot be started here: {error:#}")))
    }

    /// `docker`, for this engine.
    pub(crate) fn docker(&self) -> Command {
        self.command(&["docker"])
    }

    /// Compose, for this engine.
    pub(crate) fn compose(&self) -> Command {
        self.command(self.compose)
    }

    fn command(&self, words: &[&str]) -> Command {
        let (program, first) = words.split_first().unwrap_or((&"docker", &[]));
        let mut command = Command::new(program);
        command.args(first);
        if let Some(own) = &self.own {
            command.env("DOCKER_HOST", own.host());
        }
        command
    }
}

impl Own {
    fn start() -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("scribemed-engine-")
            .tempdir()?;
        let log = File::create(folder.path().join("log"))?;
        let path = |name: &str| folder.path().join(name);
        // It gets the word to stop when we are gone, however that came about, and not by Ctrl-C: what is to be taken down
        // before needs it.
        let process = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "dockerd"])
            .arg("--data-root")
            .arg(path("data"))
            .arg("--exec-root")
            .arg(path("exec"))
            .arg("--pidfile")
            .arg(path("pid"))
            .arg("--host")
            .arg(format!("unix://{}", path("socket").display()))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("starting `dockerd`")?;
        let mut own = Self { process, folder };
        let host = own.host();
        process::wait(START, || {
            if let Some(status) = own.process.try_wait()? {
                anyhow::bail!("`dockerd` ended with {status}: {}", own.said());
            }
            Ok(process::capture(&mut info(Some(&host)))?.status.success())
        })
        .with_context(|| format!("waiting for `dockerd`: {}", own.said()))?;
        Ok(own)
    }

    fn host(&self) -> String {
        format!("unix://{}", self.folder.path().join("socket").display())
    }

    /// The last that it wrote.
    fn said(&self) -> String {
        let log: PathBuf = self.folder.path().join("log");
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }

    fn stop(&mut self) -> Result<()> {
        let id = self.process.id().to_string();
        process::read(Command::new("kill").args(["-TERM", &id]))?;
        let ended = process::wait(END, || Ok(self.process.try_wait()?.is_some()));
        if ended.is_err() {
            self.process.kill()?;
            self.process.wait()?;
        }
        ensure!(
            ended.is_ok(),
            "`dockerd` did not end and was killed: {}",
            self.said()
        );
        Ok(())
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            println!("The container engine of this run did not end well: {error:#}");
        }
    }
}

fn info(host: Option<&str>) -> Command {
    let mut info = Command::new("docker");
    info.arg("info");
    if let Some(host) = host {
        info.env("DOCKER_HOST", host);
    }
    info
}

fn compose() -> Option<&'static [&'static str]> {
    const WAYS: [&[&str]; 2] = [&["docker", "compose"], &["docker-compose"]];
    WAYS.into_iter().find(|way| {
        let (program, first) = way.split_first().unwrap_or((&"docker", &[]));
        process::exists(program)
            && process::read(Command::new(program).args(first).arg("version")).is_ok()
    })
}

fn no_engine(why: &str) -> Missing {
    Missing {
        what: "a container engine".to_owned(),
        why: why.to_owned(),
        how_to_get: "start Docker, or run this as root on Debian, where it installs docker.io and docker-compose and \
                     starts an engine of its own"
            .to_owned(),
    }
}
