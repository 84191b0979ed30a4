//! `scribemed`: runs the platform and talks to it.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line prints"
)]

mod data;
mod doctor;
mod failure;
mod json;
mod note;
mod operator;
mod token;
mod up;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

/// Turns recorded visits into clinical notes: runs the platform and talks to it.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts auth, transcription and documentation in this process.
    Up(up::Args),
    /// Turns a recording into a note.
    Note(note::Args),
    /// Prints an access token, for grpcurl.
    Token(token::Args),
    /// Checks what the platform needs, and says how to mend what is wrong.
    Doctor(doctor::Args),
}

fn main() -> ExitCode {
    run(Cli::parse()).unwrap_or_else(|error| failure::report(&error))
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("the runtime cannot be started")?;
    let result = runtime.block_on(async {
        match cli.command {
            Command::Up(args) => up::run(args).await,
            Command::Note(args) => note::run(args).await,
            Command::Token(args) => token::run(args).await,
            Command::Doctor(args) => doctor::run(args).await,
        }
    });
    // Work that blocks, such as a model that is being loaded, must not hold up the exit.
    runtime.shutdown_background();
    result
}
