//! `check`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use scribemed_codegen::lifecycle::{is_day, today};
use scribemed_contract::check::allow::Allowed;
use scribemed_contract::check::{check, report};
use scribemed_contract::image;

use super::{FINDINGS, Outcome, write};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The image of the contract that callers were built with.
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The image of the contract that is to replace it.
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// One more older image to compare with; for several, several times. An allowance is stale when none of them needs it.
    #[arg(long, value_name = "FILE")]
    also: Vec<PathBuf>,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The breaks that were decided; see docs/reference/contract-rules.md.
    #[arg(long, value_name = "FILE")]
    allow: Option<PathBuf>,
    /// The day that sunsets are compared with. Default: today, in UTC.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    today: Option<String>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

fn day(text: &str) -> Result<String, String> {
    if is_day(text) {
        Ok(text.to_owned())
    } else {
        Err("it must be a date, as 2026-01-31".to_owned())
    }
}

impl Args {
    pub(super) fn run(&self) -> Outcome {
        let read = |path: &Path| image::read(path).map_err(|error| error.to_string());
        let new = read(&self.new)?;
        let allowed = match &self.allow {
            None => Allowed::default(),
            Some(path) => Allowed::read(path).map_err(|error| error.to_string())?,
        };
        let today = self.today.clone().unwrap_or_else(today);
        let mut findings = Vec::new();
        for old in std::iter::once(&self.old).chain(&self.also) {
            for finding in check(&read(old)?, &new, &today) {
                if !findings.contains(&finding) {
                    findings.push(finding);
                }
            }
        }
        let outcome = allowed.apply(findings);
        let text = match self.format {
            Format::Text => report::text(&outcome),
            Format::Json => report::json(&outcome),
        };
        write(None, &text)?;
        Ok(if outcome.findings.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(FINDINGS)
        })
    }
}
