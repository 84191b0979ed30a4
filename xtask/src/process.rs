//! Runs other programs and says in words what went wrong with them.

use std::io;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};

/// How many closing lines of a failed program's output an error repeats.
const TAIL: usize = 12;

/// The command line as one would type it.
pub(crate) fn line(command: &Command) -> String {
    let parts = std::iter::once(command.get_program()).chain(command.get_args());
    parts
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs a program that talks to the user; it must succeed.
///
/// # Errors
/// When it cannot be started or fails.
pub(crate) fn show(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .map_err(|error| not_started(command, error))?;
    if !status.success() {
        bail!("`{}` failed with {status}", line(command));
    }
    Ok(())
}

/// Runs a program in silence and returns what it wrote, whether it succeeded or not.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn capture(command: &mut Command) -> Result<Output> {
    command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| not_started(command, error))
}

/// Runs a program in silence; it must succeed. Returns its standard output.
///
/// # Errors
/// When it cannot be started or fails; the error ends with the last lines that it wrote.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = capture(command)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = said.lines().collect();
        let tail = lines[lines.len().saturating_sub(TAIL)..].join("\n  ");
        bail!(
            "`{}` failed with {}\n  {tail}",
            line(command),
            output.status
        );
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("the output of `{}` is not UTF-8", line(command)))
}

/// Asks every 200 ms until the answer is yes.
///
/// # Errors
/// The answer was not yes `within` this time, or could not be had.
#[allow(
    clippy::disallowed_methods,
    reason = "programs of the machine are waited for, on its clock"
)]
pub(crate) fn wait(within: Duration, mut ask: impl FnMut() -> Result<bool>) -> Result<()> {
    let start = Instant::now();
    while !ask()? {
        if start.elapsed() > within {
            bail!("it did not come about within {} s", within.as_secs());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

/// Whether a program of this name can be started.
pub(crate) fn exists(program: &str) -> bool {
    let status = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output();
    !matches!(status, Err(error) if error.kind() == io::ErrorKind::NotFound)
}

fn not_started(command: &Command, error: io::Error) -> anyhow::Error {
    let program = command.get_program().to_string_lossy();
    if error.kind() == io::ErrorKind::NotFound {
        anyhow!("`{program}` is not installed, or not in PATH")
    } else {
        anyhow::Error::new(error).context(format!("starting `{program}`"))
    }
}
