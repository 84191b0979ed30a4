//! `rules`.

use std::path::PathBuf;
use std::process::ExitCode;

use scribemed_contract::check::report;

use super::{Outcome, write};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Write to this file instead of the standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Args {
    pub(super) fn run(&self) -> Outcome {
        write(self.out.as_deref(), &report::reference())?;
        Ok(ExitCode::SUCCESS)
    }
}
