//! The commands.

mod buf_config;
mod check;
mod docs;
mod explain;
mod graph;
mod openapi;
mod rules;
mod samples;
mod service_config;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use scribemed_contract::image;
use scribemed_contract::reference::Reference;

/// What a contract says, in other forms, and what a change of it would break.
#[derive(Debug, clap::Parser)]
#[command(name = "scribemed-contract", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// One file each.
#[derive(Debug, clap::Subcommand)]
enum Command {
    /// The standard gRPC service config of a service, for clients in other languages.
    ServiceConfig(service_config::Args),
    /// A reference of all services, methods and messages, as a site and as Markdown.
    Docs(docs::Args),
    /// OpenAPI 3.1, from google.api.http.
    Openapi(openapi::Args),
    /// Which service calls which methods of which other, as Mermaid.
    Graph(graph::Args),
    /// The policy in force for a method, and where each part comes from.
    Explain(explain::Args),
    /// What a change breaks and `buf breaking` cannot see. Exit code 100 where there is something.
    Check(check::Args),
    /// What `buf breaking` is told, so that it does not hold on to what is past its sunset or allowed to go.
    BufConfig(buf_config::Args),
    /// The rules of `check`, in Markdown.
    Rules(rules::Args),
    /// Adds what the messages of a release look like to the golden files.
    Samples(samples::Args),
}

/// Exit code 0: fine; 100: findings. Bad input is an error, one line, and the exit code is 2.
type Outcome = Result<ExitCode, String>;

/// Where findings were made; as buf has it.
const FINDINGS: u8 = 100;

/// Where the contract is.
#[derive(Debug, clap::Args)]
struct Source {
    /// An image, as `buf build` writes it. Default: the contract of the working directory.
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// One more folder whose files the contract of the working directory may import; for several, several times.
    #[arg(long, value_name = "DIR", conflicts_with = "image")]
    include: Vec<PathBuf>,
}

impl Source {
    fn read(&self) -> Result<Reference, String> {
        let pool = image::open(self.image.as_deref(), Path::new("."), &self.include)
            .map_err(|error| error.to_string())?;
        Reference::read(pool).map_err(|error| error.to_string())
    }
}

impl Cli {
    pub(crate) fn run(self) -> Outcome {
        match self.command {
            Command::ServiceConfig(args) => args.run(),
            Command::Docs(args) => args.run(),
            Command::Openapi(args) => args.run(),
            Command::Graph(args) => args.run(),
            Command::Explain(args) => args.run(),
            Command::Check(args) => args.run(),
            Command::BufConfig(args) => args.run(),
            Command::Rules(args) => args.run(),
            Command::Samples(args) => args.run(),
        }
    }
}

/// To a file, or to the standard output.
fn write(out: Option<&Path>, text: &str) -> Result<(), String> {
    match out {
        None => {
            use std::io::Write as _;

            let mut out = std::io::stdout().lock();
            out.write_all(text.as_bytes())
                .and_then(|()| out.flush())
                .map_err(|error| format!("the standard output cannot be written: {error}"))
        }
        Some(path) => std::fs::write(path, text)
            .map_err(|error| format!("{} cannot be written: {error}", path.display())),
    }
}
