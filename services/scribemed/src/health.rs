//! `scribemed health`: whether a service serves, for a container's health check.

use std::process::ExitCode;

use anyhow::Context as _;
use scribemed_discovery::Target;
use tonic_health::pb::health_check_response::ServingStatus;

use crate::doctor::health;

/// Whom to ask.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where it is, as http://127.0.0.1:50052 or dns:///transcription:50052.
    target: Target,
    /// The full name of one service of the server. Default: the whole server, which serves while each of its services does.
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "NAME"
    )]
    service: String,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let status = health::status(&args.target, &args.service)
        .await
        .with_context(|| format!("{} does not tell its health", args.target))?;
    println!("{}", status.as_str_name());
    Ok(if status == ServingStatus::Serving {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
