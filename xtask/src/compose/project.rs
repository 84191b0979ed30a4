//! docker-compose.yml as a project of its own, and what can be asked of its containers.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::images::engine::Engine;
use crate::{process, workspace};

/// How long services may take until they are healthy: that of a start, with the model to be loaded.
const START: Duration = Duration::from_secs(120);
/// How many lines of a log are shown, those of calls that went well left out.
const LOG_LINES: usize = 20;
/// The state of a container, and what its health checks said.
const STATE: &str = "{{.Name}} {{.State.Status}}, exit code {{.State.ExitCode}}\
                     {{with .State.Health}}, {{.Status}}{{range .Log}}\n{{.Output}}{{end}}{{end}}";

/// The method that lists transcriptions.
const LIST: &str = "scribemed.transcription.v2.TranscriptionService/ListTranscriptions";

/// The project; its containers, networks and volumes are removed when it is dropped, unless they are to be kept.
pub(super) struct Project<'a> {
    engine: &'a Engine,
    name: &'static str,
    image: &'static str,
    models: PathBuf,
    grpcurl: PathBuf,
    keep: bool,
}

/// The id of a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Container(pub(super) String);

impl<'a> Project<'a> {
    /// The project, with nothing left of an earlier run that was broken off.
    ///
    /// # Errors
    /// What was left cannot be removed.
    pub(super) fn new(
        engine: &'a Engine,
        name: &'static str,
        image: &'static str,
        model: &Path,
        grpcurl: PathBuf,
        keep: bool,
    ) -> Result<Self> {
        let models = model
            .parent()
            .context("the model lies in no folder")?
            .to_owned();
        let project = Self {
            engine,
            name,
            image,
            models,
            grpcurl,
            keep,
        };
        process::read(&mut project.down())?;
        Ok(project)
    }

    pub(super) fn docker(&self, arguments: &[&str]) -> Command {
        let mut docker = self.engine.docker();
        docker.args(arguments);
        docker
    }

    fn compose(&self, arguments: &[&str]) -> Command {
        let mut compose = self.engine.compose();
        compose
            .args(["--project-name", self.name, "--file", "docker-compose.yml"])
            .args(arguments)
            .current_dir(workspace::root())
            .env("SCRIBEMED_IMAGE", self.image)
            .env("SCRIBEMED_MODELS", &self.models);
        compose
    }

    fn down(&self) -> Command {
        self.compose(&[
            "--profile",
            "tools",
            "down",
            "--volumes",
            "--remove-orphans",
        ])
    }

    /// Starts everything with this many replicas of transcription, or changes their number.
    pub(super) fn up(&self, replicas: usize) -> Result<()> {
        let scale = format!("transcription={replicas}");
        process::read(&mut self.compose(&["up", "--detach", "--no-build", "--scale", &scale]))?;
        Ok(())
    }

    /// Stops everything, as an operator would, and keeps it.
    pub(super) fn stop(&self) -> Result<()> {
        process::read(&mut self.compose(&["stop"]))?;
        Ok(())
    }

    /// `scribemed` inside the network, with further arguments for `run` before it.
    pub(super) fn scribemed(&self, run: &[&str], arguments: &[&str]) -> Command {
        let mut command = self.compose(&["run", "--rm", "-T"]);
        command.args(run).arg("scribemed").args(arguments);
        command
    }

    /// The containers of a service that run, in order of their ids.
    pub(super) fn running(&self, service: &str) -> Result<Vec<Container>> {
        self.containers(service, &[])
    }

    /// Those that run, and those that do not.
    pub(super) fn all(&self, service: &str) -> Result<Vec<Container>> {
        self.containers(service, &["--all"])
    }

    fn containers(&self, service: &str, which: &[&str]) -> Result<Vec<Container>> {
        let of = |key: &str, value: &str| format!("label=com.docker.compose.{key}={value}");
        let mut docker = self.docker(&["ps", "--quiet", "--no-trunc"]);
        docker.args(which);
        for filter in [
            of("project", self.name),
            of("service", service),
            of("oneoff", "False"),
        ] {
            docker.args(["--filter", &filter]);
        }
        let mut found: Vec<Container> = process::read(&mut docker)?
            .lines()
            .map(|id| Container(id.to_owned()))
            .collect();
        found.sort();
        Ok(found)
    }

    /// Waits until this many containers of a service run, and the health checks of all of them succeed.
    pub(super) fn healthy(&self, service: &str, count: usize) -> Result<Vec<Container>> {
        let mut last = Vec::new();
        let mut found = Vec::new();
        process::wait(START, || {
            found = self.running(service)?;
            last = found
                .iter()
                .map(|container| self.inspect(container, "{{.State.Health.Status}}"))
                .collect::<Result<_>>()?;
            Ok(last.len() == count && last.iter().all(|health| health == "healthy"))
        })
        .with_context(|| {
            format!("waiting for {count} of {service} to be healthy; they are {last:?}")
        })?;
        Ok(found)
    }

    pub(super) fn inspect(&self, container: &Container, format: &str) -> Result<String> {
        let said = process::read(&mut self.docker(&["inspect", "--format", format, &container.0]))?;
        Ok(said.trim().to_owned())
    }

    /// Runs a program in a container, which must succeed.
    pub(super) fn exec(&self, container: &Container, words: &[&str]) -> Result<String> {
        let mut docker = self.docker(&["exec", &container.0]);
        let said = process::read(docker.args(words))?;
        Ok(said.trim().to_owned())
    }

    /// The addresses that the DNS of Compose has for a service.
    pub(super) fn addresses(&self, service: &str) -> Result<Vec<String>> {
        let mut getent = self.scribemed(&["--entrypoint", "getent"], &["ahostsv4", service]);
        let said = process::read(&mut getent)?;
        let mut addresses: Vec<String> = said
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .map(str::to_owned)
            .collect();
        addresses.sort();
        addresses.dedup();
        Ok(addresses)
    }

    /// How many transcriptions a replica knows, asked from outside: through its port of the host, with grpcurl and a token.
    pub(super) fn transcriptions(&self, replica: &Container) -> Result<usize> {
        let address = process::read(&mut self.docker(&["port", &replica.0, "50052"]))?;
        let address = address
            .lines()
            .next()
            .context("it has no port of the host")?;
        let token = process::read(
            &mut self.scribemed(&[], &["token", "--permissions", "read:transcriptions"]),
        )?;
        // By the environment: a command line is shown when it fails.
        let listed = process::read(
            Command::new(&self.grpcurl)
                .args(["-plaintext", "-expand-headers", "-H"])
                .arg("authorization: Bearer ${TOKEN}")
                .args([address, LIST])
                .env("TOKEN", token.trim()),
        )?;
        let listed: serde_json::Value = serde_json::from_str(&listed)?;
        // An empty list is left out of the JSON of protobuf.
        Ok(listed["transcriptions"].as_array().map_or(0, Vec::len))
    }

    /// How many lines of a container's log tell of a call of this method.
    pub(super) fn calls(&self, container: &Container, method: &str) -> Result<usize> {
        let log = self.log(container)?;
        let lines = log.lines().filter(|line| line.contains(method));
        Ok(lines.count())
    }

    fn log(&self, container: &Container) -> Result<String> {
        let said = process::capture(&mut self.docker(&["logs", &container.0]))?;
        ensure!(
            said.status.success(),
            "the log of {} cannot be read: {}",
            container.0,
            String::from_utf8_lossy(&said.stderr)
        );
        // Services write to standard error, what starts them to standard output.
        let both = [said.stdout, said.stderr].concat();
        Ok(String::from_utf8_lossy(&both).into_owned())
    }

    /// Shows the state and the last of the log of each container.
    pub(super) fn explain(&self) {
        for service in ["setup", "auth", "transcription", "documentation"] {
            let shown = self.all(service).and_then(|containers| {
                if containers.is_empty() {
                    bail!("there is no container");
                }
                for container in containers {
                    println!("\n-- {}", self.inspect(&container, STATE)?);
                    println!("{}", telling(&self.log(&container)?));
                }
                Ok(())
            });
            if let Err(error) = shown {
                println!("\n-- {service}: {error:#}");
            }
        }
    }
}

/// The last lines of a log that tell more than that a call went well.
fn telling(log: &str) -> String {
    let well = |line: &&str| {
        line.contains("\"served\"") && line.to_lowercase().contains("\"code\":\"ok\"")
    };
    let lines: Vec<&str> = log.lines().filter(|line| !well(line)).collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}

impl Drop for Project<'_> {
    fn drop(&mut self) {
        if self.keep {
            println!("Kept: {}", process::line(&self.down()));
        } else if let Err(error) = process::read(&mut self.down()) {
            println!("The containers of this run could not be removed: {error:#}");
        }
    }
}
