//! A platform in a process of its own, on free ports, in a folder of its own.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

pub(crate) const TRANSCRIPTION: &str = "scribemed.transcription.v2.TranscriptionService";
const PROGRAM: &str = env!("CARGO_BIN_EXE_scribemed");

pub(crate) struct Platform {
    process: Child,
    folder: TempDir,
    /// Each service with where it serves.
    addresses: Vec<(String, String)>,
    arguments: Vec<String>,
}

impl Platform {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let arguments: Vec<String> = arguments
            .iter()
            .map(|&argument| argument.to_owned())
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let (process, addresses) = spawn(folder.path(), &[], &arguments);
        Self {
            process,
            folder,
            addresses,
            arguments,
        }
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts again in the same folder at the same addresses.
    pub(crate) fn restart(&mut self) {
        (self.process, _) = spawn(self.folder.path(), &self.addresses, &self.arguments);
    }

    /// SIGTERM; it must drain and end well.
    pub(crate) fn stop(mut self) {
        let id = self.process.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        let status = self.process.wait().unwrap();
        assert!(status.success(), "it ended with {status}: {}", self.log());
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn address(&self, service: &str) -> &str {
        let known = self.addresses.iter().find(|(name, _)| name == service);
        &known.unwrap().1
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    pub(crate) fn resident_megabytes(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<u64>()
            .unwrap()
            / 1024
    }

    /// `scribemed` as an operator of this platform calls it.
    fn scribemed(&self, command: &str) -> Command {
        let mut program = Command::new(PROGRAM);
        program
            .arg(command)
            .env("SCRIBEMED_DATA", self.folder.path());
        for (service, address) in &self.addresses {
            program.env(
                format!("{}_SERVICE_URL", service.to_uppercase()),
                format!("http://{address}"),
            );
        }
        program
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        program
    }

    pub(crate) fn note_command(&self, recording: &Path, arguments: &[&str]) -> Command {
        let mut command = self.scribemed("note");
        command.arg(recording);
        for (i, id) in ["--patient", "--encounter", "--provider"]
            .iter()
            .enumerate()
        {
            command
                .arg(id)
                .arg(format!("0198c0de-0000-7000-8000-00000000000{i}"));
        }
        command.args(arguments);
        command
    }

    pub(crate) fn note(&self, recording: &Path, arguments: &[&str]) -> Ran {
        Ran(self.note_command(recording, arguments).output().unwrap())
    }

    pub(crate) fn doctor(&self, arguments: &[&str]) -> Ran {
        let mut command = self.scribemed("doctor");
        if !arguments.contains(&"--model") {
            command.arg("--model").arg(model());
        }
        Ran(command.args(arguments).output().unwrap())
    }

    pub(crate) fn token(&self, permissions: &str) -> String {
        let ran = Ran(self
            .scribemed("token")
            .args(["--permissions", permissions])
            .output()
            .unwrap());
        ran.ok().trim().to_owned()
    }

    pub(crate) fn call(&self, service: &str, token: &str, method: &str, request: &str) -> Ran {
        let authorization = format!("authorization: Bearer {token}");
        grpcurl(&[
            "-plaintext",
            "-H",
            &authorization,
            "-d",
            request,
            self.address(service),
            method,
        ])
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        // Only a test that failed half-way leaves it running; a process that is gone cannot be killed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts a platform in `folder` at `addresses`, or any that are free, waits until it says that it is up, and returns where it serves.
fn spawn(
    folder: &Path,
    addresses: &[(String, String)],
    arguments: &[String],
) -> (Child, Vec<(String, String)>) {
    let mut command = Command::new(PROGRAM);
    command
        .arg("up")
        .arg("--data")
        .arg(folder)
        .args(["--log-format", "json", "--free-ports"]);
    for (service, address) in addresses {
        command.arg(format!("--{service}")).arg(address);
    }
    if !arguments.iter().any(|argument| argument == "--model") {
        command.arg("--model").arg(model());
    }
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .unwrap();
    let mut process = command
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let (mut addresses, mut listed) = (Vec::new(), false);
    loop {
        let Some(line) = lines.next() else {
            panic!(
                "it did not come up: {}",
                std::fs::read_to_string(folder.join("log")).unwrap()
            );
        };
        let line = line.unwrap();
        // The services are listed first, one a line, before the first empty line.
        let words: Vec<&str> = line.split_whitespace().collect();
        listed |= !addresses.is_empty() && words.is_empty();
        if !listed
            && line.starts_with("  ")
            && let [name, address, ..] = words.as_slice()
        {
            addresses.push(((*name).to_owned(), (*address).to_owned()));
        }
        if line.starts_with("Ctrl-C") {
            break;
        }
    }
    assert!(addresses.len() >= 3, "{addresses:?}");
    (process, addresses)
}

/// What a program did.
pub(crate) struct Ran(Output);

impl Ran {
    /// Its output; it must have succeeded.
    pub(crate) fn ok(&self) -> String {
        assert!(
            self.0.status.success(),
            "{}{}",
            self.failed(),
            String::from_utf8_lossy(&self.0.stderr)
        );
        self.failed()
    }

    /// What it said to standard error; it must have failed.
    pub(crate) fn err(&self) -> String {
        assert!(!self.0.status.success(), "it should have been refused");
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    /// What it said to standard output, however it ended.
    pub(crate) fn failed(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    /// The id under which `scribemed note` did its work.
    pub(crate) fn request_id(&self) -> String {
        let said = String::from_utf8_lossy(&self.0.stderr);
        said.lines()
            .find_map(|line| line.strip_prefix("request id "))
            .unwrap()
            .to_owned()
    }
}

/// Runs grpcurl: that of `SCRIBEMED_GRPCURL`, or the one in the path.
pub(crate) fn grpcurl(arguments: &[&str]) -> Ran {
    let program = std::env::var_os("SCRIBEMED_GRPCURL")
        .map_or_else(|| PathBuf::from("grpcurl"), PathBuf::from);
    let ran = Command::new(&program).args(arguments).output();
    Ran(ran.unwrap_or_else(|error| {
        panic!(
            "{}: {error}; `cargo xtask tools` gets grpcurl",
            program.display()
        )
    }))
}

fn model() -> PathBuf {
    let path = std::env::var_os("TRANSCRIPTION_MODEL").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.scribemed/models/ggml-tiny.en.bin"),
        PathBuf::from,
    );
    assert!(
        path.is_file(),
        "there is no speech model at {}: `cargo xtask model` installs it",
        path.display()
    );
    path.canonicalize().unwrap()
}
