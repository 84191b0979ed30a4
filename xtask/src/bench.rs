//! `cargo xtask bench`: builds what measures and what it is measured against, and runs it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::{process, workspace};

/// The peer in Go.
const GO: &str = "bench/grpc-go";

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write JSON to standard output instead of a table.
    #[arg(long)]
    json: bool,
    /// Fewer and shorter rounds: about two minutes, and wider spreads.
    #[arg(long)]
    quick: bool,
    /// Only these parts: headline, features, picks, tokens, grpc-go, kill, matrix.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Threads of each server and each client. More than one adds what they cost each other, and noise.
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

/// Builds and runs. Everything but the result goes to standard error.
///
/// # Errors
/// When the build or a measurement fails. Without Go the rest is measured, and the result says what was not run.
pub(crate) fn run(args: &Args) -> Result<()> {
    let built = build(&workspace::root())?;
    let mut command = Command::new(built.join("scribemed-bench"));
    command
        .arg("run")
        .args(["--threads", &args.threads.to_string()]);
    if args.json {
        command.arg("--json");
    }
    if args.quick {
        command.arg("--quick");
    }
    if !args.only.is_empty() {
        command.args(["--only", &args.only.join(",")]);
    }
    if args.only.is_empty() || args.only.iter().any(|part| part == "grpc-go") {
        with_go(&mut command, &built);
    }
    process::show(&mut command)
}

/// Builds what measures. Returns the folder where it lies.
///
/// # Errors
/// When the build fails.
pub(crate) fn build(root: &Path) -> Result<PathBuf> {
    eprintln!("Building in release; the first time takes some minutes ...");
    process::show(workspace::cargo(root).args([
        "build",
        "--release",
        "--package",
        "scribemed-bench",
    ]))?;
    Ok(workspace::target(root)?.join("release"))
}

/// Builds the peer in Go and names it, or says why there is none.
pub(crate) fn with_go(command: &mut Command, built: &Path) {
    match go(&workspace::root().join(GO), built) {
        Ok(program) => command.arg("--grpc-go").arg(program),
        Err(error) => command.args(["--no-grpc-go", &format!("{error:#}")]),
    };
}

/// Builds the peer in Go.
///
/// # Errors
/// There is no Go, or its modules cannot be had.
fn go(source: &Path, built: &Path) -> Result<PathBuf> {
    eprintln!("Building {GO} ...");
    let program = built.join("bench-grpc-go");
    process::read(
        Command::new("go")
            .args(["build", "-o"])
            .arg(&program)
            .arg(".")
            .current_dir(source),
    )?;
    Ok(program)
}
