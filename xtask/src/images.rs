//! `cargo xtask images`: the image that docker-compose.yml runs, made of the programs that Cargo builds.

pub(crate) mod base;
pub(crate) mod engine;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use self::base::Base;
use self::engine::Engine;
use crate::{process, setup, workspace};

/// What docker-compose.yml runs unless it is told otherwise.
const TAG: &str = "scribemed:local";
/// What the Dockerfile copies, below the root of the repository.
const STAGE: &str = "target/image";
/// Which image to make.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What the image is called.
    #[arg(long, default_value = TAG, value_name = "NAME:TAG")]
    tag: String,
}

/// Builds the programs and the image, on the container engine that runs on this machine.
///
/// # Errors
/// [`Missing`](crate::tools::Missing) when there is no engine or no base image; when something cannot be built.
pub(crate) fn run(args: &Args) -> Result<()> {
    let engine = Engine::running()?;
    build(&engine, &args.tag)?;
    println!("The image is ready: {}", args.tag);
    Ok(())
}

/// Builds the programs, and from them the image `tag` on this engine.
///
/// # Errors
/// As for [`run`].
pub(crate) fn build(engine: &Engine, tag: &str) -> Result<()> {
    setup::ensure(&[setup::BUILD])?;
    let base = Base::of_this_machine()?;
    base.ensure(engine)?;
    let root = workspace::root();
    stage(&root)?;
    println!("Building the image {tag} on {} ...", base.tag());
    // By Compose, so that what the compose file says of the build is what is built.
    let mut compose = engine.compose();
    compose
        .args(["build", "setup"])
        .current_dir(&root)
        .env("SCRIBEMED_IMAGE", tag)
        .env("SCRIBEMED_BASE", base.tag())
        .env("SCRIBEMED_VERSION", env!("CARGO_PKG_VERSION"));
    let revision = process::read(
        Command::new("git")
            .args(["rev-parse", "HEAD"])
            .current_dir(&root),
    );
    if let Ok(revision) = revision {
        compose.env("SCRIBEMED_REVISION", revision.trim());
    }
    process::read(&mut compose)?;
    Ok(())
}

/// Builds the programs in release and puts them where the Dockerfile takes them from.
fn stage(root: &Path) -> Result<()> {
    println!("Building the programs; the first time takes some minutes ...");
    let programs = workspace::programs(root)?;
    let mut cargo = workspace::cargo(root);
    cargo.args(["build", "--release"]);
    for program in &programs {
        cargo.args(["--package", &program.package]);
    }
    process::show(&mut cargo)?;
    let built = workspace::target(root)?.join("release");
    let stage = root.join(STAGE);
    if stage.exists() {
        fs::remove_dir_all(&stage).with_context(|| format!("emptying {}", stage.display()))?;
    }
    fs::create_dir_all(&stage).with_context(|| format!("making {}", stage.display()))?;
    for program in &programs {
        let name = &program.name;
        fs::copy(built.join(name), stage.join(name))
            .with_context(|| format!("copying {name} into {}", stage.display()))?;
    }
    Ok(())
}
