//! `scribemed calls` in a container: somebody who calls all the time.

use std::process::{Child, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::project::Project;
use crate::process;

/// It ends by itself after this, should nobody end it.
const AT_MOST_SECONDS: &str = "180";
/// Well below what a replica can serve on one core, so that a call that fails was not shed.
const PER_SECOND: &str = "50";

/// Calls that go on until [`Load::end`].
pub(super) struct Load<'a> {
    project: &'a Project<'a>,
    name: &'static str,
    process: Option<Child>,
}

/// How they ended.
#[derive(Debug)]
pub(super) struct Outcome {
    calls: u64,
    failed: u64,
    /// The first failures.
    failures: String,
}

impl<'a> Load<'a> {
    /// Begins to call a service; the calls begin a moment later.
    pub(super) fn start(
        project: &'a Project<'a>,
        name: &'static str,
        service: &str,
    ) -> Result<Self> {
        let arguments = [
            "calls",
            "--service",
            service,
            "--seconds",
            AT_MOST_SECONDS,
            "--per-second",
            PER_SECOND,
        ];
        let process = project
            .scribemed(&["--name", name], &arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("starting the calls")?;
        Ok(Self {
            project,
            name,
            process: Some(process),
        })
    }

    /// Ends it, and tells how its calls ended.
    pub(super) fn end(mut self) -> Result<Outcome> {
        process::read(
            &mut self
                .project
                .docker(&["kill", "--signal", "TERM", self.name]),
        )?;
        let process = self.process.take().context("it was ended before")?;
        let output = process
            .wait_with_output()
            .context("waiting for the calls to end")?;
        let said = String::from_utf8_lossy(&output.stdout);
        println!("        {}", said.trim());
        Outcome::read(&said).with_context(|| {
            let error = String::from_utf8_lossy(&output.stderr);
            format!("the calls left no result: {said}{error}")
        })
    }
}

impl Drop for Load<'_> {
    fn drop(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        // After a failure. Its container goes with the project, too.
        let removed = process::read(&mut self.project.docker(&["rm", "--force", self.name]));
        let waited = process.kill().and_then(|()| process.wait());
        if let (Err(error), _) | (Ok(_), Err(error)) = (removed, waited.context("waiting for it")) {
            println!("The calls did not end well: {error:#}");
        }
    }
}

impl Outcome {
    fn read(said: &str) -> Result<Self> {
        let object: Value = serde_json::from_str(said.trim())?;
        let count = |key: &str| {
            object[key]
                .as_u64()
                .with_context(|| format!("it has no {key}"))
        };
        Ok(Self {
            calls: count("calls")?,
            failed: count("failed")?,
            failures: object["failures"].to_string(),
        })
    }

    /// # Errors
    /// A call failed; tells the first ones.
    pub(super) fn none_failed(&self) -> Result<()> {
        ensure!(
            self.failed == 0,
            "{} of {} calls failed: {}",
            self.failed,
            self.calls,
            self.failures
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn a_failed_call_is_told() {
        let read = |failed: u32| {
            let said =
                format!(r#"{{"calls": 9, "failed": {failed}, "failures": ["cannot be reached"]}}"#);
            Outcome::read(&said)
                .unwrap()
                .none_failed()
                .map_err(|error| error.to_string())
        };
        assert_eq!(read(0), Ok(()));
        assert_eq!(
            read(2),
            Err(r#"2 of 9 calls failed: ["cannot be reached"]"#.to_owned())
        );
        assert!(Outcome::read("error: no key").is_err());
    }
}
