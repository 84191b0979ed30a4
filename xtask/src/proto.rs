//! `cargo xtask proto`: checks the contract with buf.

mod image;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::{process, tools, workspace};

/// Where the descriptor images of what was released lie.
const GOLDEN: &str = "proto/golden";
const RELEASED: &str = "released.binpb";

/// What to do about the golden image.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Accept the contract as it is for released: rewrite proto/golden/released.binpb.
    #[arg(long)]
    bless: bool,
}

/// Checks format, lint rules and compatibility.
///
/// # Errors
/// [`tools::Missing`] when buf cannot be had; else when one of the checks fails, after the others ran.
pub(crate) fn run(args: &Args) -> Result<()> {
    let buf = tools::buf()?;
    let root = workspace::root();
    if args.bless {
        let golden = root.join(GOLDEN).join(RELEASED);
        std::fs::create_dir_all(root.join(GOLDEN))
            .with_context(|| format!("making the folder {GOLDEN}"))?;
        image::build(&buf, &root, Path::new("."), &golden)?;
        println!("Wrote {GOLDEN}/{RELEASED}");
    }
    let results = [
        format(&buf, &root),
        lint(&buf, &root),
        breaking(&buf, &root),
    ];
    let failures: Vec<String> = results
        .into_iter()
        .filter_map(|result| Some(format!("{:#}", result.err()?)))
        .collect();
    ensure!(
        failures.is_empty(),
        "the contract is not in order\n{}",
        failures.join("\n")
    );
    println!("The contract is in order.");
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

/// Compares the working tree with where its branch began and with what was released last.
fn breaking(buf: &Path, root: &Path) -> Result<()> {
    let folder = tempfile::tempdir().context("making a temporary folder")?;
    let new = folder.path().join("new.binpb");
    image::build(buf, root, Path::new("."), &new)?;
    let mut old = image::released(&root.join(GOLDEN))?;
    if let Some(base) = image::merge_base(root)? {
        let path = folder.path().join("base.binpb");
        image::build_commit(buf, root, &base, &path)?;
        old.push((
            format!("the merge base {}", &base[..base.len().min(12)]),
            path,
        ));
    }
    if old.is_empty() {
        println!("buf breaking: there is nothing older to compare with");
    }
    let compare = |(what, path): (String, PathBuf)| {
        println!("buf breaking, against {what}");
        let failed = || format!("the contract breaks callers that were built with {what}");
        image::compare(buf, root, &new, &path).with_context(failed)
    };
    let failures: Vec<String> = old
        .into_iter()
        .filter_map(|old| Some(format!("{:#}", compare(old).err()?)))
        .collect();
    ensure!(
        failures.is_empty(),
        "{}\na released version stays as it is; a change goes into a new one",
        failures.join("\n")
    );
    Ok(())
}
