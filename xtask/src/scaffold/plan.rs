//! What is going to be written.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{process, workspace};

/// The files that will be there or be changed, by their path below the root.
#[derive(Debug)]
pub(super) struct Plan {
    root: PathBuf,
    changes: BTreeMap<String, Change>,
}

#[derive(Debug)]
struct Change {
    /// What the file holds now; `None`: there is none.
    before: Option<String>,
    after: String,
}

impl Plan {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            changes: BTreeMap::new(),
        }
    }

    /// A new file.
    ///
    /// # Errors
    /// It is there already, or is no Rust although it is called so.
    pub(super) fn create(&mut self, path: &str, text: String) -> Result<()> {
        ensure!(
            !self.root.join(path).exists(),
            "{path} is there already; choose another name, or take it away"
        );
        let after = formatted(&self.root, path, text)?;
        let change = Change {
            before: None,
            after,
        };
        self.changes.insert(path.to_owned(), change);
        Ok(())
    }

    /// A change of a file that is there, or planned.
    ///
    /// # Errors
    /// It is not there, or does not look as `edit` expects.
    pub(super) fn edit(
        &mut self,
        path: &str,
        edit: impl FnOnce(&str) -> Result<String>,
    ) -> Result<()> {
        let (before, now) = if let Some(planned) = self.changes.remove(path) {
            (planned.before, planned.after)
        } else {
            let text = fs::read_to_string(self.root.join(path))
                .with_context(|| format!("reading {path}"))?;
            (Some(text.clone()), text)
        };
        let after = edit(&now)
            .with_context(|| format!("{path} does not look as expected; nothing was written"))?;
        let after = formatted(&self.root, path, after)?;
        self.changes
            .insert(path.to_owned(), Change { before, after });
        Ok(())
    }

    /// Writes all of it, or nothing, and says what.
    ///
    /// # Errors
    /// A file cannot be written; those that were are as they were before.
    pub(super) fn carry_out(&self, dry_run: bool) -> Result<()> {
        if !dry_run {
            let mut written = Vec::new();
            for (path, change) in &self.changes {
                written.push(path);
                if let Err(error) = self.write(path, change) {
                    for path in written {
                        self.take_back(path)?;
                    }
                    return Err(error.context("nothing was changed"));
                }
            }
        }
        for (path, change) in &self.changes {
            let what = match (&change.before, dry_run) {
                (None, false) => "new    ",
                (Some(_), false) => "changed",
                (None, true) => "would be new    ",
                (Some(_), true) => "would be changed",
            };
            println!("{what}  {path}");
        }
        Ok(())
    }

    fn write(&self, path: &str, change: &Change) -> Result<()> {
        let to = self.root.join(path);
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).with_context(|| format!("making the folder of {path}"))?;
        }
        fs::write(&to, &change.after).with_context(|| format!("writing {path}"))
    }

    fn take_back(&self, path: &str) -> Result<()> {
        let to = self.root.join(path);
        let change = self.changes.get(path).context("it was planned")?;
        let done = match &change.before {
            Some(before) => fs::write(&to, before),
            None if to.exists() => fs::remove_file(&to),
            None => Ok(()),
        };
        done.with_context(|| format!("{path} is half done, and cannot be taken back"))
    }
}

/// Rust as rustfmt has it: how lines are broken depends on the length of the names.
fn formatted(root: &Path, path: &str, text: String) -> Result<String> {
    if Path::new(path)
        .extension()
        .is_none_or(|ending| ending != "rs")
    {
        return Ok(text);
    }
    let mut command = Command::new("rustfmt");
    command.args(["--edition", "2024", "--emit", "stdout"]);
    command.current_dir(root);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("rustfmt cannot be started; get it with `rustup component add rustfmt`")?;
    let mut input = child.stdin.take().context("rustfmt takes no input")?;
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output()?;
    let written = writer.join();
    if !output.status.success() || !matches!(written, Ok(Ok(()))) {
        bail!(
            "{path} would be no Rust: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    String::from_utf8(output.stdout).with_context(|| format!("{path} would not be UTF-8"))
}

/// Has Cargo write the new package into Cargo.lock. It knows all dependencies already, so the network is not asked.
///
/// # Errors
/// Cargo does not understand the workspace.
pub(super) fn renew_lock(root: &Path) -> Result<()> {
    let mut cargo = workspace::cargo(root);
    cargo.args(["metadata", "--format-version", "1", "--offline"]);
    process::read(&mut cargo).context("everything was written, and Cargo does not take it")?;
    println!("changed  Cargo.lock");
    Ok(())
}

/// Has the contract tool write the reference anew, and the graph of who calls whom.
///
/// # Errors
/// The contract is refused.
pub(super) fn renew_reference(root: &Path) -> Result<()> {
    const FOLDER: &str = "docs/reference/contract";
    const CALLS: &str = "docs/reference/contract/calls.mmd";
    for what in [
        ["docs", "--only", "markdown", "--out", FOLDER].as_slice(),
        &["graph", "--out", CALLS],
    ] {
        let mut cargo = workspace::cargo(root);
        cargo.args(["run", "--quiet", "--package", "scribemed-contract", "--"]);
        process::read(cargo.args(what))
            .context("everything was written, and the contract is refused")?;
    }
    println!("changed  {FOLDER}");
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn what_cannot_be_written_whole_is_not_written() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a"), "old").unwrap();
        fs::write(root.path().join("z"), "a file, and no folder").unwrap();
        let mut plan = Plan::new(root.path());
        plan.edit("a", |_| Ok("new".to_owned())).unwrap();
        plan.create("b", "new".to_owned()).unwrap();
        plan.create("z/c", "cannot be".to_owned()).unwrap();
        plan.carry_out(true).unwrap();
        assert!(!root.path().join("b").exists());
        let error = plan.carry_out(false).unwrap_err();
        assert!(error.to_string().contains("nothing was changed"), "{error}");
        assert_eq!(fs::read_to_string(root.path().join("a")).unwrap(), "old");
        assert!(!root.path().join("b").exists());
    }

    #[test]
    fn what_is_there_is_not_overwritten_and_rust_is_formatted() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a"), "").unwrap();
        let mut plan = Plan::new(root.path());
        assert!(plan.create("a", String::new()).is_err());
        assert!(plan.edit("b", |text| Ok(text.to_owned())).is_err());
        plan.create("x.rs", "fn  x( ){}".to_owned()).unwrap();
        assert_eq!(plan.changes["x.rs"].after, "fn x() {}\n");
        assert!(plan.create("y.rs", "fn".to_owned()).is_err());
    }
}
