//! A copy of the repository to try something in.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// Where the copy builds, within it. Git ignores it.
const TARGET: &str = "target";

/// A copy of the repository, which nobody else uses until this is dropped.
pub(crate) struct Mirror {
    pub(crate) folder: PathBuf,
    /// The lock goes with the file.
    _lock: File,
}

/// Makes a folder below `copies` hold what git knows of the repository at `root`, and what it would know, committed in a
/// repository of its own on the branch `main`. It builds in a target folder of its own, and it is always the same one: files
/// that are as they were in an earlier copy stay untouched, so Cargo compiles them once, whoever tries something.
///
/// Waits while somebody else uses the copy.
///
/// # Errors
/// Git fails, or a file cannot be read or written.
pub(crate) fn make(root: &Path, copies: &Path) -> Result<Mirror> {
    let folder = copies.join("repository");
    let copy = folder.as_path();
    fs::create_dir_all(copy).with_context(|| format!("making {}", copy.display()))?;
    let lock = File::create(copies.join("lock"))?;
    lock.lock()
        .with_context(|| format!("waiting for who uses {}", copy.display()))?;
    let listed = git(
        root,
        &[
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "-z",
        ],
    )?;
    let mut wanted = BTreeSet::new();
    for path in listed.split('\0').filter(|path| !path.is_empty()) {
        // One that was removed and is not committed yet is listed, too.
        if root.join(path).is_file() {
            wanted.insert(PathBuf::from(path));
        }
    }
    ensure!(
        !wanted.is_empty(),
        "git knows no file of {}",
        root.display()
    );
    for entry in fs::read_dir(copy)? {
        let entry = entry?;
        if entry.file_name() == TARGET {
            continue;
        }
        let is_link = entry.file_type()?.is_symlink();
        clean(copy, &entry.path(), is_link, &wanted)?;
    }
    for path in &wanted {
        let (from, to) = (root.join(path), copy.join(path));
        let text = fs::read(&from).with_context(|| format!("reading {}", from.display()))?;
        if fs::read(&to).is_ok_and(|old| old == text) {
            continue;
        }
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(&from, &to).with_context(|| format!("writing {}", to.display()))?;
    }
    for args in [
        &["init", "--quiet", "--initial-branch=main"][..],
        &["add", "--all"],
        &["commit", "--quiet", "--message=copy"],
    ] {
        git(copy, args)?;
    }
    Ok(Mirror {
        folder,
        _lock: lock,
    })
}

/// Removes what is not wanted at `path` and below.
fn clean(copy: &Path, path: &Path, is_link: bool, wanted: &BTreeSet<PathBuf>) -> Result<()> {
    let relative = path.strip_prefix(copy).unwrap_or(path);
    let removed = if is_link {
        fs::remove_file(path)
    } else if path.is_dir() {
        let below = wanted.range(relative.to_owned()..).next();
        if below.is_some_and(|file| file.starts_with(relative)) {
            for entry in fs::read_dir(path)? {
                let entry = entry?;
                clean(copy, &entry.path(), entry.file_type()?.is_symlink(), wanted)?;
            }
            return Ok(());
        }
        fs::remove_dir_all(path)
    } else if wanted.contains(relative) {
        return Ok(());
    } else {
        fs::remove_file(path)
    };
    removed.with_context(|| format!("removing {}", path.display()))
}

fn git(folder: &Path, args: &[&str]) -> Result<String> {
    let mut git = Command::new("git");
    // A name of its own, and no hooks and signatures of whoever runs this.
    git.args(["-c", "user.name=copy", "-c", "user.email=copy@localhost"])
        .args([
            "-c",
            "commit.gpgsign=false",
            "-c",
            "core.hooksPath=/dev/null",
        ])
        .args(args)
        .current_dir(folder);
    let output = git.output().context("git cannot be started")?;
    ensure!(
        output.status.success(),
        "git {} failed: {}",
        args.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).context("git names a file that is not UTF-8")
}
