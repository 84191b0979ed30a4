//! `service-config`.

use std::process::ExitCode;

use scribemed_contract::service_config;

use super::{Outcome, Source, write};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A discovery name (`documentation`: all services behind it), or the full name of a service.
    name: String,
    #[command(flatten)]
    source: Source,
}

impl Args {
    pub(super) fn run(&self) -> Outcome {
        let reference = self.source.read()?;
        let config =
            service_config::of(&reference, &self.name).map_err(|error| error.to_string())?;
        for note in &config.notes {
            eprintln!("note: {note}");
        }
        write(None, &format!("{}\n", config.json.pretty()))?;
        Ok(ExitCode::SUCCESS)
    }
}
