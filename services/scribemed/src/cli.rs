//! The subcommands.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::{audit, calls, certs, doctor, health, init, note, token, up, versions};

/// Turns recorded visits into clinical notes: runs the platform and talks to it.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts all services in this process.
    Up(up::Args),
    /// Turns a recording into a note.
    Note(note::Args),
    /// Prints an access token, for grpcurl.
    Token(token::Args),
    /// Checks what the platform needs, and says how to mend what is wrong.
    Doctor(doctor::Args),
    /// Makes the keys and grants that services need before their first start.
    Init(init::Args),
    /// Makes certificates for TLS between services, for development.
    Certs(certs::Args),
    /// Asks a service whether it serves; exit code 0 if it does.
    Health(health::Args),
    /// Repeats a harmless call for some time and counts how it ended.
    Calls(calls::Args),
    /// Shows which methods go away, who still calls them, and how long is left.
    Versions(versions::Args),
    /// Looks at audit logs.
    #[command(subcommand)]
    Audit(audit::Command),
}

/// Runs what the command line asks for.
pub(crate) fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("the runtime cannot be started")?;
    let result = runtime.block_on(async {
        match cli.command {
            Command::Up(args) => up::run(args).await,
            Command::Note(args) => note::run(args).await,
            Command::Token(args) => token::run(args).await,
            Command::Doctor(args) => doctor::run(args).await,
            Command::Init(args) => init::run(args).await,
            Command::Certs(args) => certs::run(args).await,
            Command::Health(args) => health::run(args).await,
            Command::Calls(args) => calls::run(args).await,
            Command::Versions(args) => versions::run(args).await,
            Command::Audit(command) => audit::run(&command),
        }
    });
    // Work that blocks, such as a model that is being loaded, must not hold up the exit.
    runtime.shutdown_background();
    result
}
