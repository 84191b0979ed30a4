//! The process that measures: starts servers and drivers, gives orders, compares.

mod compare;
mod features;
mod kill;
mod machine;
mod matrix;
mod measure;
mod network;
mod report;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::ValueEnum as _;

use self::kill::Fault;
use self::measure::Effort;
use self::network::Network;
use self::report::{Failed, NotRun, Report};
use crate::fleet::Fleet;
use crate::picks;
use crate::stack::Stack;
use crate::{checks, tokens};

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
    /// What each feature costs.
    Features,
    /// Picks of an endpoint.
    Picks,
    /// A token that is remembered.
    Tokens,
    /// The check of a message against its rules.
    Checks,
    /// Ours against grpc-go.
    GrpcGo,
    /// One of three servers goes away.
    Kill,
    /// Each kind of call, size and number in flight.
    Matrix,
}

const GO_IS_MISSING: &str = "no program was named";
const HOW_TO_GET_GO: &str =
    "install Go (https://go.dev/dl) and run `cargo xtask bench`, which builds bench/grpc-go";

/// Measures and reports. A part that fails does not stop the others.
///
/// # Errors
/// When a part failed, after everything else was reported.
pub(crate) fn run(args: &Args) -> Result<()> {
    ensure!(args.threads > 0, "a runtime needs at least one thread");
    let fleet = Fleet::new(args.threads)?;
    let mut report = Report::new(machine::read(args.threads));
    for part in Part::value_variants() {
        if !args.only.is_empty() && !args.only.contains(part) {
            continue;
        }
        eprintln!("{part:?} ...");
        if let Err(error) = measure(*part, args, &fleet, &mut report) {
            eprintln!("{part:?} failed: {error:#}");
            let (what, why) = (format!("{part:?}"), format!("{error:#}"));
            report.failed.push(Failed { what, why });
        }
    }
    report.print(args.json)?;
    let failed = report.failed.len();
    ensure!(failed == 0, "{failed} part(s) of the measurement failed");
    Ok(())
}

fn measure(part: Part, args: &Args, fleet: &Fleet, report: &mut Report) -> Result<()> {
    let plan = if args.quick { QUICK } else { FULL };
    match part {
        Part::Headline => report.headline = Some(compare::headline(fleet, plan.headline)?),
        Part::Features => report.features = features::run(fleet, plan.features)?,
        Part::Picks => {
            report.picks = [3, 10, 100, 1_000]
                .into_iter()
                .map(|endpoints| Ok((endpoints, picks::nanoseconds(endpoints)?)))
                .collect::<Result<_>>()?;
        }
        Part::Tokens => report.token = Some(tokens::nanoseconds()?),
        Part::Checks => report.checked = Some(checks::run()?),
        Part::GrpcGo => match &args.grpc_go {
            Some(program) => {
                report.grpc_go = Some(compare::grpc_go(fleet, program, plan.headline)?);
            }
            None => report.not_run.push(NotRun {
                what: "grpc-go",
                why: args
                    .no_grpc_go
                    .clone()
                    .unwrap_or_else(|| GO_IS_MISSING.to_owned()),
                how_to_get: HOW_TO_GET_GO,
            }),
        },
        Part::Kill => kill(fleet, args.quick, plan.after_fault, report)?,
        Part::Matrix => report.matrix = matrix::run(fleet, plan.matrix, args.quick)?,
    }
    Ok(())
}

fn kill(fleet: &Fleet, quick: bool, after: Duration, report: &mut Report) -> Result<()> {
    // tonic's own balancer for comparison.
    let stacks: &[Stack] = if quick {
        &[Stack::Ours]
    } else {
        &[Stack::Ours, Stack::BareWithHeaders]
    };
    for &stack in stacks {
        for fault in [Fault::Killed, Fault::Frozen, Fault::BlackHole] {
            // A network for each run: one that was cut stays so.
            let network = (fault == Fault::BlackHole).then(Network::new).transpose();
            let network = match network {
                Ok(network) => network,
                Err(error) => {
                    let why = format!("{error:#}");
                    report.not_run.push(NotRun {
                        what: "black hole",
                        why,
                        how_to_get: network::HOW_TO_GET,
                    });
                    return Ok(());
                }
            };
            let outcome = kill::run(fleet, stack, fault, after, network.as_ref())?;
            eprintln!("  {stack:?}: {fault:?}");
            report.kill.push(outcome);
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
