//! Tasks of this repository.
#![allow(
    clippy::print_stdout,
    reason = "a command line program talks to its user"
)]

mod bench;
mod compose;
mod images;
mod model;
mod process;
mod proto;
mod setup;
mod test;
mod tidy;
mod tools;
mod up;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

/// Tasks of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Set up, build and run the whole platform.
    Up(up::Args),
    /// Set up and check everything.
    Test,
    /// Measure the platform against bare tonic and grpc-go.
    Bench(bench::Args),
    /// Put the speech model in place.
    Model(model::Args),
    /// Check the contract with buf.
    Proto(proto::Args),
    /// Check the structure of the repository.
    Tidy(tidy::Args),
    /// Get the pinned tools that the checks run.
    Tools,
    /// Build the image that docker-compose.yml runs.
    Images(images::Args),
    /// Run the services in containers, scale them and kill one under load.
    ComposeTest(compose::Args),
}

fn main() -> ExitCode {
    let done = match Task::parse() {
        Task::Up(args) => up::run(&args),
        Task::Test => test::run(),
        Task::Bench(args) => bench::run(&args),
        Task::Model(args) => model::run(&args).map(drop),
        Task::Proto(args) => proto::run(&args),
        Task::Tidy(args) => tidy::run(&args),
        Task::Tools => tools::run(),
        Task::Images(args) => images::run(&args),
        Task::ComposeTest(args) => compose::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
