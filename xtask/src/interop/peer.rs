//! The programs on either side of a case.

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::process;

/// How long a server may take to say where it is.
const START: Duration = Duration::from_secs(20);
/// What grpc-go's server logs once it listens, before the address.
const LISTENING: &str = "interop server listening on ";
/// How much of what a failed program wrote is repeated, in lines.
const TAIL: usize = 6;

/// A server that runs until this is dropped.
pub(super) struct Peer {
    child: Child,
    /// Where it listens on the loopback.
    pub(super) port: u16,
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Peer {
    /// Our server, whose first line is its port.
    pub(super) fn ours(program: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.arg("serve").stdout(Stdio::piped());
        Self::start(
            &mut command,
            |child| child.stdout.take().map(|it| Box::new(it) as _),
            |line| line.trim().parse().ok(),
        )
    }

    /// grpc-go's server, which logs the address that it was given for port 0.
    pub(super) fn grpc_go(program: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command
            .args(["--port", "0"])
            .env("GRPC_GO_LOG_SEVERITY_LEVEL", "info")
            .stderr(Stdio::piped());
        Self::start(
            &mut command,
            |child| child.stderr.take().map(|it| Box::new(it) as _),
            |line| {
                let (_, address) = line.split_once(LISTENING)?;
                address.trim().rsplit_once(':')?.1.parse().ok()
            },
        )
    }

    fn start(
        command: &mut Command,
        output: impl FnOnce(&mut Child) -> Option<Box<dyn Read + Send>>,
        port: impl Fn(&str) -> Option<u16> + Send + 'static,
    ) -> Result<Self> {
        let name = process::line(command);
        let mut child = command
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("starting `{name}`"))?;
        let output = output(&mut child);
        let mut peer = Self { child, port: 0 };
        let output = output.with_context(|| format!("`{name}` has no output"))?;
        let (sender, found) = mpsc::channel();
        // Reads to the end: a server whose output nobody reads would stop.
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(port) = port(&line) {
                    // Whoever asked has given up if nobody listens.
                    let _ = sender.send(port);
                }
            }
        });
        peer.port = found
            .recv_timeout(START)
            .with_context(|| format!("`{name}` did not say where it listens"))?;
        Ok(peer)
    }
}

/// Runs a program in silence; it must succeed `within` this time.
///
/// # Errors
/// It does not; with the last lines that it wrote.
pub(super) fn run_within(command: &mut Command, within: Duration) -> Result<()> {
    let name = process::line(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting `{name}`"))?;
    let stderr = child.stderr.take();
    let reader = thread::spawn(move || {
        let mut said = Vec::new();
        if let Some(mut stderr) = stderr {
            // What was read before an error is all there is to show.
            let _ = stderr.read_to_end(&mut said);
        }
        said
    });
    let mut status = None;
    let waited = process::wait(within, || {
        status = child.try_wait()?;
        Ok(status.is_some())
    });
    if waited.is_err() {
        child.kill().and_then(|()| child.wait())?;
    }
    let said = reader.join().unwrap_or_default();
    match status {
        Some(status) if status.success() => Ok(()),
        Some(status) => bail!("`{name}` failed with {status}\n{}", tail(&said)),
        None => bail!(
            "`{name}` did not end within {} s\n{}",
            within.as_secs(),
            tail(&said)
        ),
    }
}

fn tail(said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let lines: Vec<&str> = said.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_program_must_succeed_in_time() {
        let minute = Duration::from_secs(60);
        assert!(run_within(&mut sh("exit 0"), minute).is_ok());
        let error = run_within(&mut sh("echo why >&2; exit 3"), minute).unwrap_err();
        assert!(error.to_string().ends_with("\nwhy"), "{error}");
        let error = run_within(&mut sh("exec sleep 60"), Duration::ZERO).unwrap_err();
        assert!(
            error.to_string().contains("did not end within 0 s"),
            "{error}"
        );
    }
}
