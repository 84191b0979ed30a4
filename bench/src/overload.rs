//! What a server does when it is asked for more than it can: `cargo xtask overload`.
//!
//! A server with one thread on a processor of its own, and callers on another, who do not wait for each other: a caller that waits
//! for answers before it asks again slows down with the server, and shows no overload.

mod flood;
mod report;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use scribemed_server::Concurrency;

use self::flood::{Flood, Seen};
use self::report::{NotRun, Report, Row};
use crate::fleet::{Fleet, Server, Where};
use crate::identity::Identity;
use crate::order::{Order, Used};
use crate::orders;
use crate::stack::Stack;

/// What a caller gives a call.
const TIMEOUT: Duration = Duration::from_millis(300);
/// Calls in flight while the peak is measured: enough that the server is never idle.
const AT_PEAK: usize = 16;
/// What is offered, in times of the peak.
const TIMES: [u32; 3] = [1, 2, 3];

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
    /// The peer in Go.
    #[arg(long)]
    grpc_go: Option<PathBuf>,
    /// Why there is no peer in Go.
    #[arg(long, conflicts_with = "grpc_go")]
    no_grpc_go: Option<String>,
}

/// Measures and reports.
///
/// # Errors
/// A server that cannot be started, or that answers nothing while it has time.
pub(crate) fn run(args: &Args) -> Result<()> {
    ensure!(args.rounds > 0, "at least one round is needed");
    let fleet = Fleet::new(1)?;
    let pinned = Processors::find()?;
    let mut report = Report::new(pinned.is_some());
    let mut stacks = vec![Subject::Ours, Subject::Bare];
    match &args.grpc_go {
        Some(program) => stacks.push(Subject::Go(program.clone())),
        None => report.not_run.push(NotRun {
            what: "grpc-go",
            why: args
                .no_grpc_go
                .clone()
                .unwrap_or_else(|| "no program was named".to_owned()),
            how_to_get: "install Go (https://go.dev/dl) and run `cargo xtask overload`, which builds bench/grpc-go",
        }),
    }
    let mut measured = Vec::new();
    for round in 0..args.rounds {
        for stack in &stacks {
            eprintln!("round {}: {} ...", round + 1, stack.name());
            if let Some(processors) = &pinned {
                sched_setaffinity(SELF, &processors.server)?;
            }
            let server = stack.start(&fleet)?;
            if let Some(processors) = &pinned {
                sched_setaffinity(SELF, &processors.callers)?;
            }
            let time = Duration::from_secs(args.seconds);
            measured.extend(measure(stack.name(), server, &fleet, time)?);
        }
    }
    report.rows = report::medians(measured);
    report.print(args.json)
}

/// The calling thread, and what it starts from then on.
const SELF: Pid = Pid::from_raw(0);

/// Where what runs. `None` on a machine with one processor.
struct Processors {
    server: CpuSet,
    callers: CpuSet,
}

impl Processors {
    fn find() -> Result<Option<Self>> {
        let ours = sched_getaffinity(SELF).context("asking which processors there are")?;
        let mut there = (0..CpuSet::count()).filter(|index| ours.is_set(*index).unwrap_or(false));
        let (Some(first), Some(second)) = (there.next(), there.next()) else {
            return Ok(None);
        };
        let only = |index| -> Result<CpuSet> {
            let mut set = CpuSet::new();
            set.set(index)?;
            Ok(set)
        };
        Ok(Some(Self {
            server: only(first)?,
            callers: only(second)?,
        }))
    }
}

/// What is measured.
enum Subject {
    Ours,
    Bare,
    Go(PathBuf),
}

impl Subject {
    fn name(&self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Bare => "bare tonic",
            Self::Go(_) => "grpc-go",
        }
    }

    fn start(&self, fleet: &Fleet) -> Result<Server> {
        match self {
            Self::Ours => fleet.server_at(
                Stack::Ours,
                Where {
                    // As it is where nobody says otherwise.
                    min_concurrency: Some(Concurrency::default().min),
                    ..Where::default()
                },
            ),
            Self::Bare => fleet.server(Stack::Bare),
            Self::Go(program) => fleet.go_server(program, true),
        }
    }
}

/// The peak, and then each load.
fn measure(
    name: &'static str,
    mut server: Server,
    fleet: &Fleet,
    time: Duration,
) -> Result<Vec<Row>> {
    let identity = Identity::load(&fleet.key())?;
    let target = format!("http://{}", server.address);
    // A runtime of its own for each server: nothing of the last one is left.
    let runtime = orders::runtime(1)?;
    let callers = runtime
        .block_on(async { flood::callers(&target, &identity, name == Subject::Ours.name()) })?;
    let mut run = |flood: Flood| -> Result<(Seen, f64)> {
        let before: Used = server.peer.ask(&Order::Usage)?;
        let callers = callers.clone();
        let seen =
            runtime.block_on(async move { runtime_task(flood::run(callers, flood)).await })?;
        let after: Used = server.peer.ask(&Order::Usage)?;
        let cpu = Duration::from_nanos(after.cpu_ns - before.cpu_ns).as_secs_f64();
        Ok((seen, cpu))
    };
    let closed = |time| Flood::Closed {
        in_flight: AT_PEAK,
        time,
    };
    run(closed(time / 4))?;
    let (seen, cpu) = run(closed(time))?;
    let peak = seen.good_per_second();
    ensure!(
        peak > 1.0,
        "{name} answers nothing: {}",
        seen.first_failure.as_deref().unwrap_or("nothing was said")
    );
    let at_peak = seen.good() / cpu;
    let mut rows = Vec::new();
    for times in TIMES {
        let (seen, cpu) = run(Flood::Open {
            per_second: peak * f64::from(times),
            time,
            timeout: TIMEOUT,
        })?;
        rows.push(Row::new(
            name,
            times,
            peak,
            &seen,
            seen.good() / cpu / at_peak,
        ));
        // What is left of it must not be taken for the next.
        run(closed(time / 4))?;
    }
    Ok(rows)
}

/// On the threads that are counted out for it, not on the one that waits.
async fn runtime_task<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    tokio::spawn(work).await.context("the callers panicked")?
}
