//! `graph`.

use std::path::PathBuf;
use std::process::ExitCode;

use scribemed_contract::graph::Graph;

use super::{FINDINGS, Outcome, Source, write};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Write to this file instead of the standard output.
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    out: Option<PathBuf>,
    /// Compare with this file: exit code 100 where it says otherwise.
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
}

impl Args {
    pub(super) fn run(&self) -> Outcome {
        let text = Graph::of(&self.source.read()?).mermaid();
        let Some(golden) = &self.check else {
            write(self.out.as_deref(), &text)?;
            return Ok(ExitCode::SUCCESS);
        };
        let known = std::fs::read_to_string(golden)
            .map_err(|error| format!("{} cannot be read: {error}", golden.display()))?;
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let (known, now) = (lines(&known), lines(&text));
        if known == now {
            return Ok(ExitCode::SUCCESS);
        }
        for (sign, lines, others) in [("-", &known, &now), ("+", &now, &known)] {
            for line in lines.iter().filter(|line| !others.contains(line)) {
                println!("{sign}{line}");
            }
        }
        eprintln!(
            "who calls whom is not as {} has it; once it is meant so: graph --out {}",
            golden.display(),
            golden.display()
        );
        Ok(ExitCode::from(FINDINGS))
    }
}
