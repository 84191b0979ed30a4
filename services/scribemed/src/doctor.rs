//! `scribemed doctor`: what the platform needs, whether it is there, and how to mend it.

mod clock;
pub(crate) mod health;
mod identity;
mod model;
mod ports;

use std::process::ExitCode;

use crate::data::{Data, DataArgs};
use crate::operator;

/// Which platform.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArgs,
    /// The speech model, a ggml file. Default: models/ggml-tiny.en.bin in the data folder.
    #[arg(long, env = "TRANSCRIPTION_MODEL", value_name = "FILE")]
    model: Option<std::path::PathBuf>,
}

/// What a check found.
pub(crate) enum Finding {
    /// As it should be.
    Good(String),
    /// Not wrong, but worth knowing.
    Note(String),
    /// Wrong, and how to mend it.
    Bad { what: String, mend: String },
}

impl Finding {
    pub(crate) fn bad(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::Bad {
            what: what.into(),
            mend: mend.into(),
        }
    }
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let data = Data::new(&args.data)?;
    let registry = operator::registry();
    let model = args.model.unwrap_or_else(|| data.model_file());
    let mut healthy = true;
    let mut show = |subject: &str, findings: Vec<Finding>| {
        for finding in findings {
            match finding {
                Finding::Good(text) => println!("ok    {subject:<14} {text}"),
                Finding::Note(text) => println!("note  {subject:<14} {text}"),
                Finding::Bad { what, mend } => {
                    healthy = false;
                    println!("FAIL  {subject:<14} {what}\n      {:<14} mend: {mend}", "");
                }
            }
        }
    };
    let (services, running) = ports::check(&registry).await;
    show("ports", services);
    show("data", vec![identity::folder(&data, running)]);
    show("keys", identity::keys(&data, running));
    show("model", vec![model::check(&model)]);
    show("clock", vec![clock::check(&data, running).await]);
    show("health", health::check(&registry, running).await);
    if healthy {
        println!("\nNothing is wrong.");
        Ok(ExitCode::SUCCESS)
    } else {
        println!("\nMend what is marked FAIL, then run this again.");
        Ok(ExitCode::FAILURE)
    }
}
