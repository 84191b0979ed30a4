//! The process that measures: starts servers and drivers, gives orders, compares.

mod compare;
mod features;
mod fleet;
mod kill;
mod machine;
mod matrix;
mod measure;
mod network;
mod peer;
mod report;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};

use self::fleet::Fleet;
use self::kill::Fault;
use self::measure::Effort;
use self::network::Network;
use self::report::{NotRun, Report};
use crate::picks;
use crate::stack::Stack;

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write JSON to standard output instead of a table.
    #[arg(long)]
    json: bool,
    /// Fewer and shorter rounds: two minutes, and wider spreads.
    #[arg(long)]
    quick: bool,
    /// Only these parts.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
    /// The peer in Go.
    #[arg(long)]
    grpc_go: Option<PathBuf>,
    /// Why there is no peer in Go.
    #[arg(long, conflicts_with = "grpc_go")]
    no_grpc_go: Option<String>,
    /// Threads of each server and each driver.
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

/// A part of the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// Ours against bare tonic: 64 B, 32 in flight.
    Headline,
    /// Each kind of call, size and number in flight.
    Matrix,
    /// What each feature costs.
    Features,
    /// Picks of an endpoint.
    Picks,
    /// Ours against grpc-go.
    GrpcGo,
    /// One of three servers goes away.
    Kill,
}

const GO_IS_MISSING: &str = "no program was named";
const HOW_TO_GET_GO: &str =
    "install Go (https://go.dev/dl) and run `cargo xtask bench`, which builds bench/grpc-go";

/// Measures and reports.
pub(crate) fn run(args: &Args) -> Result<()> {
    ensure!(args.threads > 0, "a runtime needs at least one thread");
    let wanted = |part| args.only.is_empty() || args.only.contains(&part);
    let plan = if args.quick { QUICK } else { FULL };
    let fleet = Fleet::new(args.threads)?;
    let mut report = Report::new(machine::read(args.threads));
    if wanted(Part::Headline) {
        eprintln!("ours against bare tonic ...");
        report.headline = Some(compare::headline(&fleet, plan.headline)?);
    }
    if wanted(Part::Features) {
        eprintln!("what each feature costs ...");
        report.features = features::run(&fleet, plan.features)?;
    }
    if wanted(Part::Picks) {
        eprintln!("picks of an endpoint ...");
        report.picks = [3, 10, 100, 1_000]
            .into_iter()
            .map(|endpoints| Ok((endpoints, picks::nanoseconds(endpoints)?)))
            .collect::<Result<_>>()?;
    }
    if wanted(Part::GrpcGo) {
        match &args.grpc_go {
            Some(program) => {
                eprintln!("ours against grpc-go ...");
                report.grpc_go = Some(compare::grpc_go(&fleet, program, plan.headline)?);
            }
            None => report.not_run.push(NotRun {
                what: "grpc-go",
                why: args
                    .no_grpc_go
                    .clone()
                    .unwrap_or_else(|| GO_IS_MISSING.to_owned()),
                how_to_get: HOW_TO_GET_GO,
            }),
        }
    }
    if wanted(Part::Kill) {
        kill(&fleet, args.quick, plan.after_fault, &mut report)?;
    }
    if wanted(Part::Matrix) {
        eprintln!("kinds of calls, sizes, numbers in flight ...");
        report.matrix = matrix::run(&fleet, plan.matrix, args.quick)?;
    }
    report.print(args.json)
}

fn kill(fleet: &Fleet, quick: bool, after: Duration, report: &mut Report) -> Result<()> {
    let stacks: &[Stack] = if quick {
        &[Stack::Ours]
    } else {
        &[Stack::Ours, Stack::Bare]
    };
    for &stack in stacks {
        for fault in [Fault::Killed, Fault::Frozen] {
            eprintln!("{fault:?}: one of three servers ...");
            report
                .kill
                .push(kill::run(fleet, stack, fault, after, None)?);
        }
        // A network for each run: a namespace that was cut stays so.
        match Network::new() {
            Ok(network) => {
                eprintln!("{:?}: one of three servers ...", Fault::BlackHole);
                let outcome = kill::run(fleet, stack, Fault::BlackHole, after, Some(&network))?;
                report.kill.push(outcome);
            }
            Err(error) => {
                report.not_run.push(NotRun {
                    what: "black hole",
                    why: format!("{error:#}"),
                    how_to_get: network::HOW_TO_GET,
                });
                break;
            }
        }
    }
    Ok(())
}

/// How much is measured in each part.
struct Plan {
    headline: Effort,
    features: Effort,
    matrix: Effort,
    after_fault: Duration,
}

const FULL: Plan = Plan {
    headline: Effort {
        rounds: 9,
        millis: 700,
        warm_up_millis: 500,
    },
    features: Effort {
        rounds: 9,
        millis: 700,
        warm_up_millis: 300,
    },
    matrix: Effort {
        rounds: 5,
        millis: 500,
        warm_up_millis: 200,
    },
    after_fault: Duration::from_secs(8),
};

const QUICK: Plan = Plan {
    headline: Effort {
        rounds: 5,
        millis: 500,
        warm_up_millis: 300,
    },
    features: Effort {
        rounds: 5,
        millis: 300,
        warm_up_millis: 150,
    },
    matrix: Effort {
        rounds: 3,
        millis: 200,
        warm_up_millis: 50,
    },
    after_fault: Duration::from_secs(4),
};
