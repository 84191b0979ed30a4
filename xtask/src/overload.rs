//! `cargo xtask overload`: builds servers and callers, and offers more than the servers can do.

use std::process::Command;

use anyhow::Result;

use crate::{bench, process, workspace};

/// How to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write JSON to standard output instead of a table.
    #[arg(long)]
    json: bool,
    /// Rounds; the table shows the medians.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How long each load lasts, in seconds.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

/// Builds and runs. Everything but the result goes to standard error.
///
/// # Errors
/// When the build or the measurement fails. Without Go the rest is measured, and the result says what was not run.
pub(crate) fn run(args: &Args) -> Result<()> {
    let built = bench::build(&workspace::root())?;
    let mut command = Command::new(built.join("scribemed-bench"));
    command.arg("overload");
    command.args(["--rounds", &args.rounds.to_string()]);
    command.args(["--seconds", &args.seconds.to_string()]);
    if args.json {
        command.arg("--json");
    }
    bench::with_go(&mut command, &built);
    process::show(&mut command)
}
