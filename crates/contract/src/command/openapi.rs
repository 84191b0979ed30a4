//! `openapi`.

use std::path::PathBuf;
use std::process::ExitCode;

use scribemed_contract::openapi;

use super::{Outcome, Source, write};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Write to this file instead of the standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
}

impl Args {
    pub(super) fn run(&self) -> Outcome {
        let document = openapi::of(&self.source.read()?).map_err(|error| error.to_string())?;
        write(self.out.as_deref(), &format!("{}\n", document.pretty()))?;
        Ok(ExitCode::SUCCESS)
    }
}
