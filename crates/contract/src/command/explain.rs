//! `explain`.

use std::path::PathBuf;
use std::process::ExitCode;

use scribemed_contract::explain;

use super::{Outcome, Source, write};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A full name, `inn.v1.Inn.Book` or `inn.v1.Inn/Book`, or the short name of a method that only one service has.
    method: String,
    /// The operator's service config, as the client gets it.
    #[arg(long, value_name = "FILE")]
    service_config: Option<PathBuf>,
    /// For programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: Source,
}

impl Args {
    pub(super) fn run(&self) -> Outcome {
        let reference = self.source.read()?;
        let explanation = explain::of(&reference, &self.method, self.service_config.as_deref())
            .map_err(|error| error.to_string())?;
        let text = if self.json {
            format!("{}\n", explanation.json().pretty())
        } else {
            explanation.text()
        };
        write(None, &text)?;
        Ok(ExitCode::SUCCESS)
    }
}
