//! `cargo xtask proto`: checks the contract, with buf and with our own tool. `cargo xtask release-contract`: what it is now is
//! what callers have.

mod image;
mod summary;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use self::summary::Summary;
use crate::{process, tools, workspace};

/// Where the descriptor images of what was released lie.
const GOLDEN: &str = "proto/golden";
const RELEASED: &str = "released.binpb";
/// What the messages of all releases look like, on the wire and as JSON.
const MESSAGES: &str = "proto/golden/messages";
/// The breaks that were decided.
const ALLOWED: &str = "proto/allowed-breaks.toml";
/// Names our own tool, where it is built already.
const CONTRACT: &str = "SCRIBEMED_CONTRACT";

/// Nothing to choose.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {}

/// Checks format, lint rules and compatibility, and closes with a table.
///
/// # Errors
/// [`tools::Missing`] when buf cannot be had; else when one of the checks fails, after the others ran.
pub(crate) fn run(_: &Args) -> Result<()> {
    let buf = tools::buf()?;
    let root = workspace::root();
    let mut summary = Summary::default();
    summary.add("format", "buf format", format(&buf, &root));
    summary.add("style", "buf lint", lint(&buf, &root));
    compatible(&buf, &root, &mut summary);
    match image::merge_base(&root) {
        Ok(None) => summary.skip(
            "messages as released",
            "there is no merge base to compare with",
        ),
        Ok(Some(base)) => {
            let kept = image::only_grows(&root, &base, MESSAGES);
            summary.add(
                "messages as released",
                "git diff, against the merge base",
                kept,
            );
        }
        Err(error) => summary.add("messages as released", "git merge-base", Err(error)),
    }
    print!("{summary}");
    ensure!(summary.is_fine(), "the contract is not in order");
    Ok(())
}

/// Makes the contract as it is the released one. What that breaks of the last release is shown, and hinders nothing: a release
/// is when what was decided becomes true.
///
/// # Errors
/// [`tools::Missing`] when buf cannot be had; else when the contract does not compile, or breaks format or lint rules.
pub(crate) fn release(_: &Args) -> Result<()> {
    let buf = tools::buf()?;
    let root = workspace::root();
    format(&buf, &root)?;
    lint(&buf, &root)?;
    let golden = root.join(GOLDEN).join(RELEASED);
    std::fs::create_dir_all(root.join(GOLDEN))
        .with_context(|| format!("making the folder {GOLDEN}"))?;
    let folder = tempfile::tempdir().context("making a temporary folder")?;
    let new = folder.path().join(RELEASED);
    image::build(&buf, &root, Path::new("."), &new)?;
    let after = std::fs::read(&new).context("reading the new image")?;
    if golden.exists() {
        let before =
            std::fs::read(&golden).with_context(|| format!("reading {GOLDEN}/{RELEASED}"))?;
        if before == after {
            println!("{GOLDEN}/{RELEASED} is that of this contract already.");
            return add_messages(&root, &golden);
        }
        println!("What callers of the last release will notice:");
        broken(&buf, &root, &golden, &new)?;
    }
    std::fs::write(&golden, &after).with_context(|| format!("writing {GOLDEN}/{RELEASED}"))?;
    println!("Wrote {GOLDEN}/{RELEASED}, {} KiB.", after.len() / 1024);
    add_messages(&root, &golden)?;
    if root.join(ALLOWED).exists() {
        println!(
            "What {ALLOWED} allowed is released now: `cargo xtask proto` names the entries that can go."
        );
    }
    Ok(())
}

/// Adds what the messages of the release look like to those of the releases before it.
fn add_messages(root: &Path, golden: &Path) -> Result<()> {
    let mut command = contract_tool(root, "samples");
    command.arg(golden).args(["--into", MESSAGES]);
    process::show(&mut command).with_context(|| format!("adding to {MESSAGES}"))
}

/// Shows what `new` breaks of `old`, for buf and for our own tool; both say it with exit code 100.
fn broken(buf: &Path, root: &Path, old: &Path, new: &Path) -> Result<()> {
    const FOUND: i32 = 100;
    let mut check = comparing(root, "check", old, new);
    check.args(["--calendar", "notice"]);
    let config = overlooked(root, old, new)?;
    for command in [
        &mut image::breaking(buf, root, new, old, &config),
        &mut check,
    ] {
        let output = process::capture(command)?;
        print!("{}", String::from_utf8_lossy(&output.stdout));
        ensure!(
            matches!(output.status.code(), Some(0 | FOUND)),
            "`{}` failed with {}\n  {}",
            process::line(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

fn format(buf: &Path, root: &Path) -> Result<()> {
    println!("buf format");
    // buf refuses to leave out a whole module, hence the folders of the vendored one.
    let vendored = [
        "--exclude-path",
        "proto/vendor/buf",
        "--exclude-path",
        "proto/vendor/google",
        "--exclude-path",
        "proto/vendor/grpc",
    ];
    process::show(
        Command::new(buf)
            .args(["format", "--diff", "--exit-code"])
            .args(vendored)
            .current_dir(root),
    )
    .context("the contract is not formatted; `buf format --write` does it")
}

fn lint(buf: &Path, root: &Path) -> Result<()> {
    println!("buf lint");
    process::show(Command::new(buf).arg("lint").current_dir(root))
        .context("the contract breaks a lint rule")
}

/// Compares the working tree with where its branch began and with what was released last: with buf, and with our own tool,
/// which sees what buf cannot.
fn compatible(buf: &Path, root: &Path, summary: &mut Summary) {
    let folder = match tempfile::tempdir().context("making a temporary folder") {
        Ok(folder) => folder,
        Err(error) => return summary.add("compatible", "buf build", Err(error)),
    };
    let new = folder.path().join("new.binpb");
    let built = image::build_with_places(buf, root, &new);
    if built.is_err() {
        return summary.add("compatible", "buf build", built);
    }
    let old = match older(buf, root, folder.path()) {
        Ok(old) => old,
        Err(error) => return summary.add("compatible", "buf build", Err(error)),
    };
    if old.is_empty() {
        summary.skip("compatible", "there is nothing older to compare with");
    }
    for (what, path) in &old {
        println!("buf breaking, against {what}");
        let failed = || {
            format!(
                "the contract breaks callers that were built with {what}; a released version stays as it is, a change goes \
                 into a new one"
            )
        };
        let result = overlooked(root, path, &new).and_then(|config| {
            process::show(&mut image::breaking(buf, root, &new, path, &config)).with_context(failed)
        });
        summary.add(
            "compatible",
            &format!("buf breaking, against {what}"),
            result,
        );
    }
    // With nothing older, it still looks at the contract itself: sunsets, successors, imports.
    let against: Vec<&Path> = old.iter().map(|(_, path)| path.as_path()).collect();
    let against = if against.is_empty() {
        vec![new.as_path()]
    } else {
        against
    };
    let names: Vec<&str> = old.iter().map(|(what, _)| what.as_str()).collect();
    let what = if names.is_empty() {
        "scribemed-contract check, of the contract itself".to_owned()
    } else {
        format!("scribemed-contract check, against {}", names.join(" and "))
    };
    println!("{what}");
    summary.add("what buf cannot see", &what, check(root, &against, &new));
}

/// The images to compare with, with what to call each.
fn older(buf: &Path, root: &Path, folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut old = image::released(root, GOLDEN)?;
    if let Some(base) = image::merge_base(root)? {
        let path = folder.join("base.binpb");
        image::build_commit(buf, root, &base, &path)?;
        let short = base.get(..12).unwrap_or(&base);
        old.push((format!("the merge base {short}"), path));
    }
    Ok(old)
}

/// All older images in one run: an allowance is stale when none of them needs it.
fn check(root: &Path, old: &[&Path], new: &Path) -> Result<()> {
    let (first, others) = old.split_first().context("no image to compare with")?;
    let mut command = comparing(root, "check", first, new);
    for other in others {
        command.arg("--also").arg(other);
    }
    // A build that nobody changed does not begin to fail on the day of a sunset.
    command.args(["--calendar", "notice"]);
    process::show(&mut command).with_context(|| {
        format!(
            "the contract breaks what buf cannot see; mend it, or allow it by name in {ALLOWED}"
        )
    })
}

/// What buf is told not to see: what is gone after its sunset, or by name. Our own tool knows the sunsets.
fn overlooked(root: &Path, old: &Path, new: &Path) -> Result<String> {
    let config = process::read(&mut comparing(root, "buf-config", old, new))
        .context("asking scribemed-contract which removals are right")?;
    Ok(config.trim().to_owned())
}

/// A command of our own tool for two images, with the breaks that were decided.
fn comparing(root: &Path, task: &str, old: &Path, new: &Path) -> Command {
    let mut command = contract_tool(root, task);
    command.arg(old).arg(new);
    if root.join(ALLOWED).exists() {
        command.args(["--allow", ALLOWED]);
    }
    command
}

/// A command of our own tool.
fn contract_tool(root: &Path, task: &str) -> Command {
    let mut command = if let Some(program) = std::env::var_os(CONTRACT) {
        let mut command = Command::new(program);
        command.current_dir(root);
        command
    } else {
        let mut command = workspace::cargo(root);
        command.args(["run", "--quiet", "--package", "scribemed-contract", "--"]);
        command
    };
    command.arg(task);
    command
}
