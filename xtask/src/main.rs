//! Tasks of this repository.
#![allow(
    clippy::print_stdout,
    reason = "a command line program talks to its user"
)]

mod bench;
mod compose;
mod conformance;
mod guides;
mod images;
mod interop;
mod mirror;
mod model;
mod overload;
mod process;
mod proto;
mod scaffold;
mod setup;
mod simulate;
mod task;
mod test;
mod tidy;
mod tools;
mod up;
mod workspace;

use std::process::ExitCode;

use clap::Parser as _;

use self::task::Task;

fn main() -> ExitCode {
    match Task::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
