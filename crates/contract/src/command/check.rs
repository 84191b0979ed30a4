//! `check`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use prost_reflect::DescriptorPool;
use scribemed_codegen::lifecycle::{is_day, today};
use scribemed_contract::check::allow::Allowed;
use scribemed_contract::check::{check, report};
use scribemed_contract::image;

use super::{FINDINGS, Outcome, write};

/// Two contracts, and what they are judged by.
#[derive(Debug, clap::Args)]
pub(super) struct Judged {
    /// The image of the contract that callers were built with.
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The image of the contract that is to replace it.
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// The breaks that were decided; see docs/reference/contract-rules.md.
    #[arg(long, value_name = "FILE")]
    allow: Option<PathBuf>,
    /// The day that sunsets are compared with. Default: today, in UTC.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    today: Option<String>,
}

impl Judged {
    pub(super) fn read_old(&self) -> Result<DescriptorPool, String> {
        read(&self.old)
    }

    pub(super) fn read_new(&self) -> Result<DescriptorPool, String> {
        read(&self.new)
    }

    pub(super) fn allowed(&self) -> Result<Allowed, String> {
        match &self.allow {
            None => Ok(Allowed::default()),
            Some(path) => Allowed::read(path).map_err(|error| error.to_string()),
        }
    }

    pub(super) fn today(&self) -> String {
        self.today.clone().unwrap_or_else(today)
    }
}

fn read(path: &Path) -> Result<DescriptorPool, String> {
    image::read(path).map_err(|error| error.to_string())
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    judged: Judged,
    /// One more older image to compare with; for several, several times. An allowance is stale when none of them needs it.
    #[arg(long, value_name = "FILE")]
    also: Vec<PathBuf>,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// What the day alone brings about, as a sunset that has passed: a finding, or only told.
    #[arg(long, value_enum, default_value_t = Calendar::Finding)]
    calendar: Calendar,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Calendar {
    Finding,
    Notice,
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
        let new = self.judged.read_new()?;
        let allowed = self.judged.allowed()?;
        let today = self.judged.today();
        let mut findings = Vec::new();
        for old in std::iter::once(&self.judged.old).chain(&self.also) {
            for finding in check(&read(old)?, &new, &today) {
                if !findings.contains(&finding) {
                    findings.push(finding);
                }
            }
        }
        let mut outcome = allowed.apply(findings);
        if self.calendar == Calendar::Notice {
            outcome = outcome.tell_calendar();
        }
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
