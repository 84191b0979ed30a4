//! `cargo xtask tidy`: checks the structure of the repository.

mod contents;
mod files;
mod graph;
mod links;
mod sizes;
mod transport;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

pub(crate) use self::graph::GOLDEN;
use crate::workspace;

/// What to do about the golden graph.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Accept the dependencies between our crates as they are: rewrite xtask/golden/crates.txt.
    #[arg(long)]
    bless: bool,
}

/// One thing that is wrong, and what would be right.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// Relative to the root.
    path: PathBuf,
    /// From 1 on.
    line: usize,
    what: String,
    right: String,
}

impl Finding {
    fn new(
        path: impl Into<PathBuf>,
        line: usize,
        what: impl Into<String>,
        right: impl Into<String>,
    ) -> Self {
        Self {
            path: path.into(),
            line,
            what: what.into(),
            right: right.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{}:{}: {}; {}",
            self.path.display(),
            self.line,
            self.what,
            self.right
        )
    }
}

/// Checks everything and prints each finding.
///
/// # Errors
/// When there is a finding, or the tree cannot be read.
pub(crate) fn run(args: &Args) -> Result<()> {
    let root = workspace::root();
    if args.bless {
        graph::bless(&root)?;
        println!("Wrote {}", graph::GOLDEN);
    }
    let findings = check(&root)?;
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => {
            println!("The structure is in order.");
            Ok(())
        }
        count => bail!("the structure is not in order: {count} finding(s)"),
    }
}

fn check(root: &Path) -> Result<Vec<Finding>> {
    let files = files::read(root)?;
    let mut findings = graph::check(root)?;
    findings.extend(transport::check(&files));
    findings.extend(sizes::check(&files));
    findings.extend(contents::check(&files));
    findings.extend(links::check(root, &files));
    findings.sort();
    Ok(findings)
}

#[cfg(test)]
mod tests;
