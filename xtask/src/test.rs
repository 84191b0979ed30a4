//! `cargo xtask test`: sets up and checks everything.

mod report;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use self::report::Report;
use crate::tools::Missing;
use crate::{
    compose, conformance, guides, interop, model, process, proto, setup, tidy, tools, workspace,
};

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
        let tools = [("SCRIBEMED_BUF", tools::buf()?)];
        ignored(&root, ("xtask", "breaking"), "", &tools)
    });
    // What the contract tool writes, as others take it.
    let exports = ("scribemed-contract", "exports");
    report.step("contract exports: for other languages", || {
        let tools = [("SCRIBEMED_PYTHON", tools::python()?)];
        ignored(&root, exports, "python::", &tools)
    });
    report.step("contract exports: with grpcurl", || {
        let tools = [("SCRIBEMED_GRPCURL", tools::grpcurl()?)];
        ignored(&root, exports, "grpcurl::", &tools)
    });
    report.step("contract exports: in a browser", || {
        let tools = [("SCRIBEMED_CHROMEDRIVER", tools::chromedriver()?)];
        ignored(&root, exports, "browser::", &tools)
    });
    report.step("scaffold: a new service is whole", || {
        let tools = [
            ("SCRIBEMED_BUF", tools::buf()?),
            ("SCRIBEMED_GRPCURL", tools::grpcurl()?),
        ];
        ignored(&root, ("xtask", "scaffold"), "", &tools)
    });
    report.step("tests", || cargo(&root, &["test", "--workspace"], &tools));
    report.step("interoperability", || {
        interop::run(&interop::Args::default())
    });
    report.step("conformance", || {
        conformance::suite(&conformance::Args::default())
    });
    report.step("conformance: another implementation", || {
        conformance::differential()
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

/// The ignored tests of a package's test program whose names hold `filter`, with the tools that they find by variables.
fn ignored(
    root: &Path,
    (package, program): (&str, &str),
    filter: &str,
    tools: &[(&str, PathBuf)],
) -> Result<()> {
    process::show(
        workspace::cargo(root)
            .args(["test", "--package", package, "--test", program])
            .args(["--", "--ignored", filter])
            .envs(tools.iter().map(|(variable, tool)| (variable, tool))),
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
