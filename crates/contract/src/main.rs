//! `scribemed-contract`: see the library.
#![allow(
    clippy::print_stdout,
    reason = "a command line program talks to its user"
)]

mod command;

use std::process::ExitCode;

use clap::Parser as _;

use self::command::Cli;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            // One line, whatever is in it.
            let line = error.split_whitespace().collect::<Vec<_>>().join(" ");
            eprintln!("error: {line}");
            ExitCode::from(2)
        }
    }
}
