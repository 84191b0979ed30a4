//! `cargo xtask up`: from a fresh clone to a running platform.

use std::ffi::OsString;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{model, process, setup, workspace};

/// What `scribemed up` shall get.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Arguments for `scribemed up`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

/// Sets up, builds, and becomes `scribemed up`.
///
/// # Errors
/// When something to build with is missing, the build fails, or the program cannot be started.
pub(crate) fn run(args: &Args) -> Result<()> {
    setup::ensure(&[setup::BUILD])?;
    if let Err(missing) = setup::ensure(&[setup::FETCH]) {
        // Not needed where the model is there already; if it is not, the next step says what it could not do.
        println!("{missing}");
    }
    if let Err(error) = model::run(&model::Args::default()) {
        println!(
            "{error:#}\nGoing on without a speech model: transcription will not serve until there is one."
        );
    }
    println!("Building scribemed; the first time takes some minutes ...");
    let root = workspace::root();
    process::show(workspace::cargo(&root).args(["build", "--release", "--package", "scribemed"]))?;
    become_it(
        Command::new(root.join("target/release/scribemed"))
            .arg("up")
            .args(&args.args)
            .current_dir(&root),
    )
}

/// Replaces this process, so that signals reach the platform itself.
#[cfg(unix)]
fn become_it(command: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    let line = process::line(command);
    Err(command.exec()).with_context(|| format!("starting `{line}`"))
}

#[cfg(not(unix))]
fn become_it(command: &mut Command) -> Result<()> {
    process::show(command)
}
