//! Descriptor images of the contract: built, found and compared.
//!
//! Images are compared with images: buf cannot compare two trees that have a different number of modules.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::process;

const WORKSPACE: &str = "buf.yaml";

/// Builds the image of a folder or an archive, without comments and places: small, and the same for the same contract.
///
/// # Errors
/// When the contract in it does not compile.
pub(super) fn build(buf: &Path, root: &Path, input: &Path, image: &Path) -> Result<()> {
    let mut command = Command::new(buf);
    command
        .arg("build")
        .arg(input)
        .args(["--exclude-source-info", "--output"])
        .arg(image);
    process::read(command.current_dir(root)).context("building the contract")?;
    Ok(())
}

/// Builds the image of the working tree, with the places that findings name.
///
/// # Errors
/// When the contract does not compile.
pub(super) fn build_with_places(buf: &Path, root: &Path, image: &Path) -> Result<()> {
    let mut command = Command::new(buf);
    command.args(["build", "--output"]).arg(image);
    process::read(command.current_dir(root)).context("building the contract")?;
    Ok(())
}

/// Builds the image of the contract in a commit.
///
/// # Errors
/// When git fails or that contract does not compile.
pub(super) fn build_commit(buf: &Path, root: &Path, commit: &str, image: &Path) -> Result<()> {
    let archive = image.with_extension("tar");
    let mut git = git(root);
    git.args(["archive", "--format=tar", "--output"])
        .arg(&archive)
        .args([commit, WORKSPACE, "proto"]);
    process::read(&mut git)?;
    build(buf, root, &archive, image).with_context(|| format!("in the commit {commit}"))
}

/// Where this branch left `main`, when that is another commit than this one and had a contract.
///
/// # Errors
/// When git cannot be run.
pub(super) fn merge_base(root: &Path) -> Result<Option<String>> {
    let ask = |args: &[&str]| -> Result<Option<String>> {
        let output = process::capture(git(root).args(args))?;
        let answer = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(output.status.success().then_some(answer))
    };
    for main in ["origin/main", "main"] {
        let Some(base) = ask(&["merge-base", "HEAD", main])? else {
            continue;
        };
        let is_head = ask(&["rev-parse", "HEAD"])?.is_some_and(|head| head == base);
        let has_contract = ask(&["cat-file", "-e", &format!("{base}:{WORKSPACE}")])?.is_some();
        return Ok((!is_head && has_contract).then_some(base));
    }
    Ok(None)
}

/// Whether the files in a folder have lost no line since a commit: they may only be added to.
///
/// # Errors
/// When a line was changed or removed, with each of them, or git fails.
pub(super) fn only_grows(root: &Path, commit: &str, folder: &str) -> Result<()> {
    let mut git = git(root);
    git.args(["diff", "--no-color", "--no-ext-diff", "--unified=0", commit]);
    let diff = process::read(git.args(["--", folder]))?;
    let mut file = "";
    let mut lost = Vec::new();
    for line in diff.lines() {
        if let Some(name) = line.strip_prefix("--- ") {
            file = name.trim_start_matches("a/");
        } else if let Some(text) = line.strip_prefix('-') {
            let start: String = text.chars().take(80).collect();
            lost.push(format!("{file}: {start}"));
        }
    }
    ensure!(
        lost.is_empty(),
        "what was released was changed or removed, and callers were built with it; put it back (a message that is gone after \
         its sunset gets a line `retired REASON`):\n{}",
        lost.join("\n")
    );
    Ok(())
}

/// The images of what was released, with what to call each; none before the first release.
///
/// # Errors
/// When the folder is there and cannot be read.
pub(super) fn released(root: &Path, golden: &str) -> Result<Vec<(String, PathBuf)>> {
    let mut images = Vec::new();
    let golden = root.join(golden);
    if golden.exists() {
        for entry in
            fs::read_dir(&golden).with_context(|| format!("reading {}", golden.display()))?
        {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "binpb") {
                let name = path.strip_prefix(root).unwrap_or(&path).display();
                images.push((format!("the release in {name}"), path));
            }
        }
    }
    images.sort();
    Ok(images)
}

/// Asks buf whether callers of `old` still work with `new`, by this configuration. What does not is on its standard output,
/// with exit code 100.
pub(super) fn breaking(buf: &Path, root: &Path, new: &Path, old: &Path, config: &str) -> Command {
    let mut command = Command::new(buf);
    command
        .arg("breaking")
        .arg(new)
        .arg("--against")
        .arg(old)
        .args(["--config", config])
        .current_dir(root);
    command
}

fn git(root: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(root);
    command
}
