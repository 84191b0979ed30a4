//! `cargo xtask test`: sets up and checks everything.

mod report;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use self::report::Report;
use crate::tools::Missing;
use crate::{compose, guides, interop, model, process, proto, setup, tidy, tools, workspace};

/// Runs every step, whatever the others did, and closes with a table of them.
///
/// # Errors
/// When a step failed; where the variable `CI` is `true`, also when one was not run.
pub(crate) fn run() -> Result<()> {
    let root = workspace::root();
    let mut report = Report::new();
    report.step("packages of the system", || {
        Ok(setup::ensure(&[setup::BUILD, setup::FETCH, setup::TEST])?)
    });
    report.step("speech model", || {
        model::run(&model::Args::default()).map(drop)
    });
    let buf = report.step("tool: buf", || Ok(tools::buf()?));
    let grpcurl = report.step("tool: grpcurl", || Ok(tools::grpcurl()?));
    let tools = Tools { buf, grpcurl };

    report.step("format", || {
        cargo(&root, &["fmt", "--all", "--check"], &tools)
    });
    report.step("lints", || {
        cargo(
            &root,
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "--deny",
                "warnings",
            ],
            &tools,
        )
    });
    report.step("documentation", || {
        process::show(
            workspace::cargo(&root)
                .args(["doc", "--workspace", "--no-deps"])
                .env("RUSTDOCFLAGS", "-D warnings"),
        )
    });
    report.step("structure", || tidy::run(&tidy::Args::default()));
    report.step("contract", || proto::run(&proto::Args::default()));
    report.step("contract: what breaks callers is seen", || {
        tools::buf()?;
        cargo(
            &root,
            &[
                "test",
                "--package",
                "xtask",
                "--test",
                "breaking",
                "--",
                "--ignored",
            ],
            &tools,
        )
    });
    report.step("contract exports: for other languages", || {
        exports(&root, ("SCRIBEMED_PYTHON", tools::python()?), "python")
    });
    report.step("contract exports: with grpcurl", || {
        exports(&root, ("SCRIBEMED_GRPCURL", tools::grpcurl()?), "grpcurl")
    });
    report.step("contract exports: in a browser", || {
        let driver = tools::chromedriver()?;
        exports(&root, ("SCRIBEMED_CHROMEDRIVER", driver), "browser")
    });
    report.step("scaffold: a new service is whole", || {
        tools::buf()?;
        tools::grpcurl()?;
        cargo(
            &root,
            &[
                "test",
                "--package",
                "xtask",
                "--test",
                "scaffold",
                "--",
                "--ignored",
            ],
            &tools,
        )
    });
    report.step("tests", || cargo(&root, &["test", "--workspace"], &tools));
    report.step("interoperability", || {
        interop::run(&interop::Args::default())
    });
    report.step("interleavings", || interleavings(&root));
    let built = report.step("release build", || {
        cargo(
            &root,
            &["build", "--release", "--package", "scribemed"],
            &tools,
        )
    });
    report.step("end to end", || match built {
        Some(()) => end_to_end(&root, &tools),
        None => Err(not_built().into()),
    });
    report.step("guides", || guides::run(&guides::Args::default()));
    report.step("compose", || compose::run(&compose::Args::default()));
    report.close(std::env::var_os("CI").is_some_and(|ci| ci == "true"))
}

/// The exports of the contract as others take them: the tests of this name, with a tool that they find by a variable.
fn exports(root: &Path, (variable, tool): (&str, PathBuf), name: &str) -> Result<()> {
    process::show(
        workspace::cargo(root)
            .args([
                "test",
                "--package",
                "scribemed-contract",
                "--test",
                "exports",
            ])
            .args(["--", "--ignored", &format!("{name}::")])
            .env(variable, tool),
    )
}

/// What calls share without a lock, under every interleaving of their threads. Its own target folder: the flag is for every
/// crate there.
fn interleavings(root: &Path) -> Result<()> {
    process::show(
        workspace::cargo(root)
            .args([
                "test",
                "--package",
                "scribemed-resilience",
                "--release",
                "--test",
                "loom",
                "--target-dir",
                "target/loom",
            ])
            .env("RUSTFLAGS", "--cfg loom"),
    )
}

/// The platform as its users meet it: built in release, real audio, real tools.
fn end_to_end(root: &Path, tools: &Tools) -> Result<()> {
    cargo(
        root,
        &[
            "test",
            "--release",
            "--package",
            "scribemed",
            "--test",
            "e2e",
        ],
        tools,
    )
}

fn not_built() -> Missing {
    Missing {
        what: "the platform".to_owned(),
        why: "the release build failed".to_owned(),
        how_to_get: "mend the release build".to_owned(),
    }
}

/// The tools that could be had; tests find them through variables.
struct Tools {
    buf: Option<PathBuf>,
    grpcurl: Option<PathBuf>,
}

fn cargo(root: &Path, args: &[&str], tools: &Tools) -> Result<()> {
    let mut command: Command = workspace::cargo(root);
    command.args(args);
    for (variable, tool) in [
        ("SCRIBEMED_BUF", &tools.buf),
        ("SCRIBEMED_GRPCURL", &tools.grpcurl),
    ] {
        if let Some(path) = tool {
            command.env(variable, path);
        }
    }
    process::show(&mut command)
}
