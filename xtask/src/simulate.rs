//! `cargo xtask simulate`: plays the real client and server on a simulated network, with many seeds.

use anyhow::Result;

use crate::{process, workspace};

/// What to play.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many seeds of each scenario.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Only this scenario; a name that does not exist shows those that do.
    #[arg(long)]
    scenario: Option<String>,
    /// Show all that happens.
    #[arg(long)]
    verbose: bool,
    /// Play each seed twice, and show the first difference.
    #[arg(long)]
    twice: bool,
    /// Show what the platform logs, in the syntax of RUST_LOG.
    #[arg(long)]
    log: Option<String>,
}

/// Builds in release, since a simulation does nothing but compute, and plays.
///
/// # Errors
/// The build fails, or a seed broke a promise: what it broke and how to play it again was printed.
pub(crate) fn run(args: &Args) -> Result<()> {
    let root = workspace::root();
    let mut command = workspace::cargo(&root);
    command
        .args(["run", "--quiet", "--release"])
        .args(["--package", "scribemed-testing", "--bin", "simulate", "--"])
        .args(["--seeds", &args.seeds.to_string()])
        .args(["--first", &args.first.to_string()]);
    if let Some(scenario) = &args.scenario {
        command.args(["--scenario", scenario]);
    }
    if args.verbose {
        command.arg("--verbose");
    }
    if args.twice {
        command.arg("--twice");
    }
    if let Some(filter) = &args.log {
        command.args(["--log", filter]);
    }
    process::show(&mut command)
}
