//! Descriptor images of the contract: built, found and compared.
//!
//! Images are compared with images: buf cannot compare two trees that have a different number of modules.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process;

/// What others make is theirs to keep compatible.
const CONFIG: &str =
    r#"{"version": "v2", "breaking": {"use": ["FILE"], "ignore": ["buf", "google", "grpc"]}}"#;
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

/// Whether callers of `old` still work with `new`; buf prints what does not.
///
/// # Errors
/// When there is a breaking change, or buf fails.
pub(super) fn compare(buf: &Path, root: &Path, new: &Path, old: &Path) -> Result<()> {
    let mut command = Command::new(buf);
    command
        .arg("breaking")
        .arg(new)
        .arg("--against")
        .arg(old)
        .args(["--config", CONFIG]);
    process::show(command.current_dir(root))
}

fn git(root: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(root);
    command
}
