//! `cargo xtask compose-test`: the services in their containers, for real.

mod checks;
mod load;
mod project;
mod scenario;

use anyhow::Result;

use self::checks::Checks;
use self::project::Project;
use crate::images::engine::Engine;
use crate::{images, model, setup, tools};

/// The image and the project have names of their own: a platform that somebody runs here is left alone.
const IMAGE: &str = "scribemed:test";
const PROJECT: &str = "scribemed-test";

/// How to end.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Leave the containers and volumes there, to look into. Needs an engine that runs already.
    #[arg(long)]
    keep: bool,
}

/// Builds the image, starts docker-compose.yml, and tries what an operator does: make a note, scale up and down, lose a
/// replica under load, stop. Ends with containers, networks and volumes gone, also after a failure.
///
/// # Errors
/// [`Missing`](crate::tools::Missing) when there is no container engine, base image or speech model, recording or grpcurl to be had; otherwise
/// what did not hold, after the logs of the containers were shown.
pub(crate) fn run(args: &Args) -> Result<()> {
    setup::ensure(&[setup::SPEECH])?;
    let model = model::run(&model::Args::default())?;
    let grpcurl = tools::grpcurl()?;
    let engine = if args.keep {
        Engine::running()?
    } else {
        Engine::get()?
    };
    images::build(&engine, IMAGE)?;
    let project = Project::new(&engine, PROJECT, IMAGE, &model, grpcurl, args.keep)?;
    let mut checks = Checks::default();
    scenario::run(&project, &mut checks);
    let result = checks.close();
    if result.is_err() {
        project.explain();
    }
    result
}
