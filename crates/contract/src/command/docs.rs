//! `docs`.

use std::path::PathBuf;
use std::process::ExitCode;

use scribemed_contract::docs::{self, Form};

use super::{Outcome, Source};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder to write to; it is made where it is missing. Pages of an earlier run are replaced, and those of packages
    /// that are gone are removed.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Only this form. Default: both.
    #[arg(long)]
    only: Option<Only>,
    #[command(flatten)]
    source: Source,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Only {
    Html,
    Markdown,
}

impl Args {
    pub(super) fn run(&self) -> Outcome {
        let reference = self.source.read()?;
        let forms: &[Form] = match self.only {
            None => &[Form::Html, Form::Markdown],
            Some(Only::Html) => &[Form::Html],
            Some(Only::Markdown) => &[Form::Markdown],
        };
        let count = docs::write(&reference, forms, &self.out).map_err(|error| error.to_string())?;
        println!("Wrote {count} files into {}", self.out.display());
        Ok(ExitCode::SUCCESS)
    }
}
