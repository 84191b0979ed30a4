//! Measures the platform against bare tonic and against grpc-go: `cargo xtask bench`.
//!
//! Servers and clients are processes of their own, this program again with another command, so that the CPU time of each
//! side is measured apart. What is compared runs in short rounds in turn, on the same machine at the same time.

mod checks;
mod contract;
mod drive;
mod fleet;
mod identity;
mod order;
mod orders;
mod overload;
mod peer;
mod picks;
mod run;
mod serve;
mod stack;
mod tokens;
mod usage;

use clap::Parser;

/// Measures the platform against bare tonic and against grpc-go.
#[derive(Debug, Parser)]
#[command(name = "scribemed-bench")]
enum Command {
    /// Measure, and show what came of it.
    Run(run::Args),
    /// Offer more than a server can do, and show what came of it.
    Overload(overload::Args),
    /// Be a server.
    Serve(serve::Args),
    /// Be a client that makes calls.
    Drive(drive::Args),
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Run(args) => run::run(&args),
        Command::Overload(args) => overload::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Drive(args) => drive::run(&args),
    }
}
