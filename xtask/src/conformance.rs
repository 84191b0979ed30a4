//! `cargo xtask conformance`: protovalidate's own suite against what the code generator makes of its contracts.

mod expected;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use self::expected::Expected;
use crate::tools::{self, Missing};
use crate::{process, workspace};

/// Of the rules (`proto/vendor/buf`), the cases and the program that plays them.
pub(crate) const VERSION: &str = "1.2.2";

/// What is known not to pass, below the root.
const EXPECTED: &str = "crates/conformance/expected_failures.yaml";

/// What to play.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Only the suites whose names match this regular expression.
    #[arg(long)]
    suite: Option<String>,
    /// Only the cases whose names match this regular expression.
    #[arg(long)]
    case: Option<String>,
}

/// Plays the suite and, unless only some of it is wanted, compares with another implementation.
///
/// # Errors
/// Those of [`suite`] and [`differential`].
pub(crate) fn run(args: &Args) -> Result<()> {
    suite(args)?;
    if args.suite.is_none() && args.case.is_none() {
        differential()?;
    }
    Ok(())
}

/// Gets the suite, builds the executor with its cases, plays them, and prints what came of each suite.
///
/// # Errors
/// The suite cannot be had ([`Missing`]), the build fails, a case that is not expected to fail did, or one that is did not.
pub(crate) fn suite(args: &Args) -> Result<()> {
    let root = workspace::root();
    let harness = tools::protovalidate_conformance()?;
    let module = module()?;
    let expected = Expected::read(&root.join(EXPECTED))?;
    let build = ["build", "--package", "scribemed-conformance"];
    process::show(
        workspace::cargo(&root)
            .args(build)
            .env("SCRIBEMED_PROTOVALIDATE", &module),
    )?;
    let target = workspace::target(&root)?;
    let said = play(
        &harness,
        &target.join("debug/scribemed-conformance"),
        &root,
        args,
    )?;
    let report = target.join("conformance.txt");
    std::fs::write(&report, &said).with_context(|| format!("writing {}", report.display()))?;
    println!("{}", shown(&said, &expected));
    let counted = Counted::of(&said).context("the suite printed no total")?;
    println!(
        "{} passed, {} failed as expected, {} did otherwise; {} in all. What each case did: {}",
        counted.passed,
        counted.skipped,
        counted.failed,
        counted.total,
        report.display()
    );
    ensure!(
        counted.failed == 0,
        "{} cases did otherwise than {EXPECTED} says: one that fails wants mending, one that passes is to be struck off",
        counted.failed
    );
    let all = args.suite.is_none() && args.case.is_none();
    ensure!(
        !all || counted.skipped == expected.len(),
        "{EXPECTED} names {} cases and the suite knows {} of them; strike off those that are no more",
        expected.len(),
        counted.skipped
    );
    Ok(())
}

/// What our validators find in random messages of the cases, and what prost-protovalidate finds.
///
/// # Errors
/// The cases or protoc cannot be had ([`Missing`]), or the two find different things.
pub(crate) fn differential() -> Result<()> {
    let (module, protoc) = (module()?, tools::protoc()?);
    process::show(
        workspace::cargo(&workspace::root())
            .args(["test", "--package", "scribemed-conformance"])
            .args(["--features", "oracle", "--test", "differential"])
            .env("SCRIBEMED_PROTOVALIDATE", module)
            .env("PROTOC", protoc),
    )
}

/// The folder with the contracts that the cases are of.
fn module() -> Result<PathBuf, Missing> {
    tools::go_module("github.com/bufbuild/protovalidate", VERSION).map_err(|error| Missing {
        what: format!("protovalidate's cases {VERSION}"),
        why: format!("{error:#}"),
        how_to_get: "install Go 1.25 or newer (https://go.dev/dl)".to_owned(),
    })
}

/// Everything that the suite says. Its exit code is the number of failures modulo 256, so it says nothing.
fn play(harness: &Path, executor: &Path, root: &Path, args: &Args) -> Result<String> {
    let mut command = Command::new(harness);
    command.args([
        "--strict_message",
        "--strict_error",
        "--verbose",
        "--timeout=60s",
    ]);
    command.arg("--expected_failures").arg(root.join(EXPECTED));
    for (flag, filter) in [("--suite", &args.suite), ("--case", &args.case)] {
        if let Some(filter) = filter {
            command.args([flag, filter]);
        }
    }
    let output = process::capture(command.arg(executor))?;
    String::from_utf8(output.stderr).context("what the suite says is not UTF-8")
}

/// The suites, and of the cases those that did otherwise than expected.
fn shown(said: &str, expected: &Expected) -> String {
    let mut lines = Vec::new();
    let mut suite = "";
    let mut show = false;
    for line in said.lines() {
        if let Some(case) = line.strip_prefix("    --- ") {
            let passed = case.strip_prefix("PASS: ");
            let name = passed.or_else(|| case.strip_prefix("FAIL: "));
            show = name.is_some_and(|name| passed.is_some() == expected.holds(suite, name));
        } else if let Some(about) = line.strip_prefix("--- ") {
            let name = about.split_once(": ").map_or(about, |(_, name)| name);
            suite = name.split_once(" (").map_or(name, |(suite, _)| suite);
            show = true;
        } else if !line.starts_with(' ') {
            show = false;
        }
        if show {
            lines.push(line);
        }
    }
    lines.join("\n")
}

/// What the suite counted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counted {
    passed: usize,
    /// Failed as expected.
    skipped: usize,
    /// Failed or passed against what is expected.
    failed: usize,
    total: usize,
}

impl Counted {
    /// From the last line: `FAIL (failed: 1, skipped: 2, passed: 3, total: 6)`.
    fn of(said: &str) -> Option<Self> {
        let (_, counts) = said.lines().last()?.split_once('(')?;
        let mut counted = Self::default();
        for count in counts.strip_suffix(')')?.split(", ") {
            let (name, count) = count.split_once(": ")?;
            let slot = match name {
                "passed" => &mut counted.passed,
                "skipped" => &mut counted.skipped,
                "failed" => &mut counted.failed,
                "total" => &mut counted.total,
                _ => return None,
            };
            *slot = count.parse().ok()?;
        }
        Some(counted)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const SAID: &str = "--- FAIL: bool (failed: 2, skipped: 1, passed: 1, total: 4)
    --- PASS: const/valid
    --- PASS: const/mended
    --- FAIL: const/expected
       input: {}
    --- FAIL: const/invalid
        want: valid
FAIL (failed: 2, skipped: 1, passed: 1, total: 4)
";

    #[test]
    fn what_did_otherwise_is_shown() {
        let expected = "bool:\n  # why\n  - const/mended\n  - const/expected\n";
        let expect = "--- FAIL: bool (failed: 2, skipped: 1, passed: 1, total: 4)
    --- PASS: const/mended
    --- FAIL: const/invalid
        want: valid";
        assert_eq!(shown(SAID, &Expected::parse(expected).unwrap()), expect);
    }

    #[test]
    fn the_total_is_read() {
        let expect = Counted {
            passed: 1,
            skipped: 1,
            failed: 2,
            total: 4,
        };
        assert_eq!(Counted::of(SAID), Some(expect));
        assert_eq!(Counted::of("failed to execute conformance test"), None);
    }
}
