//! Plays simulations: `cargo xtask simulate` builds and runs this.
#![allow(
    clippy::print_stdout,
    reason = "a command line program talks to its user"
)]

use std::process::ExitCode;
use std::thread;

use anyhow::{Context as _, Result};
use clap::Parser;
use scribemed_testing::{Play, Scenario, check, scenario, simulate, sweep};

/// Plays each scenario with many seeds, and shows each seed that broke a promise.
#[derive(Debug, Parser)]
struct Args {
    /// How many seeds.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Only this scenario.
    #[arg(long)]
    scenario: Option<String>,
    /// Show all that happens.
    #[arg(long)]
    verbose: bool,
    /// Play each seed twice, and show the first difference.
    #[arg(long)]
    twice: bool,
    /// How many simulations to play at once. Default: as many as there are cores.
    #[arg(long)]
    threads: Option<usize>,
    /// Show what the platform logs, in the syntax of RUST_LOG.
    #[arg(long)]
    log: Option<String>,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    if let Some(filter) = &args.log {
        scribemed_telemetry::init(scribemed_telemetry::Format::Readable, filter)?;
    }
    let scenarios: Vec<Scenario> = match &args.scenario {
        None => scenario::ALL.to_vec(),
        Some(name) => vec![scenario::by_name(name).with_context(|| {
            let names = scenario::ALL.map(|scenario| scenario.name).join(", ");
            format!("there is no scenario {name}; there are {names}")
        })?],
    };
    let seeds = args.first..args.first.saturating_add(args.seeds);
    if args.verbose {
        for scenario in &scenarios {
            for seed in seeds.clone() {
                show(scenario, seed)?;
            }
        }
    }
    let threads = args
        .threads
        .unwrap_or_else(|| thread::available_parallelism().map_or(1, std::num::NonZero::get));
    let times = if args.twice { Play::Twice } else { Play::Once };
    let summaries = sweep(&scenarios, seeds, times, threads);
    for summary in &summaries {
        println!("{summary}");
    }
    let failures: Vec<_> = summaries
        .iter()
        .flat_map(|summary| &summary.failures)
        .collect();
    for failure in &failures {
        println!("\n{failure}");
    }
    Ok(if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn show(scenario: &Scenario, seed: u64) -> Result<()> {
    let script = scenario.script(seed);
    println!("{}, seed {seed}: {}", scenario.name, scenario.about);
    let journal = simulate(&script, seed)?;
    print!("{}", journal.text());
    for violation in check(&script, &journal).violations {
        println!("{violation}");
    }
    Ok(())
}
