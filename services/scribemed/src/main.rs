//! `scribemed`: runs the platform and talks to it.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line prints"
)]

mod audit;
mod calls;
mod certs;
mod cli;
mod data;
mod doctor;
mod failure;
mod health;
mod init;
mod json;
mod note;
mod operator;
mod services;
mod token;
mod up;
mod versions;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    cli::run(cli::Cli::parse()).unwrap_or_else(|error| failure::report(&error))
}
