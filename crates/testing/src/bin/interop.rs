//! The TestService and the cases, for other implementations: `cargo xtask interop` builds and runs this.
#![allow(
    clippy::print_stdout,
    reason = "a command line program talks to its user"
)]

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;
use scribemed_client::Channel;
use scribemed_discovery::Target;
use scribemed_testing::interop;
use tokio_util::sync::CancellationToken;

/// Serves the TestService, or plays the cases.
#[derive(Debug, Parser)]
enum Args {
    /// Serves on a free port of the loopback, which is the first line that is printed. Ends when it is killed.
    Serve,
    /// Prints the names of the cases.
    List,
    /// Plays a case.
    Call {
        /// Where the server is: 127.0.0.1:10000
        #[arg(long)]
        server: String,
        /// Which.
        #[arg(long)]
        case: String,
        /// How long it may take, in seconds.
        #[arg(long, default_value_t = 20)]
        within: u64,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    scribemed_telemetry::init(scribemed_telemetry::Format::Readable, "warn")?;
    match Args::parse() {
        Args::Serve => {
            let (address, serving) = interop::serve(CancellationToken::new()).await?;
            println!("{}", address.port());
            std::io::stdout().flush()?;
            serving.await?;
        }
        Args::List => {
            for case in interop::CASES {
                println!("{}", case.name);
            }
        }
        Args::Call {
            server,
            case,
            within,
        } => call(&server, &case, Duration::from_secs(within)).await?,
    }
    Ok(())
}

async fn call(server: &str, name: &str, within: Duration) -> Result<()> {
    let case = interop::CASES
        .iter()
        .find(|case| case.name == name)
        .with_context(|| format!("there is no case {name}; `list` names those that there are"))?;
    let target: Target = format!("static:///{server}")
        .parse()
        .with_context(|| format!("{server} is no address; 127.0.0.1:10000 is one"))?;
    let channel = Channel::new(&target, &interop::contracts(), None)?;
    tokio::time::timeout(within, case.play(channel))
        .await
        .with_context(|| format!("{name} took longer than {within:?}"))?
        .with_context(|| format!("{name} failed"))
}
