//! A driver: a client that makes calls, as a process of its own.

mod calls;
mod load;
mod pace;

use std::path::PathBuf;

use anyhow::{Result, bail};

use self::calls::Calls;
use crate::identity::Identity;
use crate::order::Order;
use crate::orders;
use crate::stack::{self, Part, Stack};

/// What to call with.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The stack.
    #[arg(long)]
    stack: Stack,
    /// Whom to call: `http://host:port`, or several as `static:///host:port,host:port`.
    #[arg(long)]
    target: String,
    /// The file of the key that signs tokens.
    #[arg(long)]
    key: PathBuf,
    /// What our channel shall leave out.
    #[arg(long, value_delimiter = ',')]
    off: Vec<Part>,
    /// Threads of the runtime.
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

/// Does what is ordered until standard input ends.
pub(crate) fn run(args: &Args) -> Result<()> {
    scribemed_telemetry::init(scribemed_telemetry::Format::Readable, "warn")?;
    orders::runtime(args.threads)?.block_on(async {
        let identity = Identity::load(&args.key)?;
        match args.stack {
            Stack::Bare => obey(stack::bare(&args.target)?).await,
            Stack::BareWithHeaders => {
                obey(stack::bare_with_headers(&args.target, &identity)?).await
            }
            Stack::Ours => obey(stack::ours(&args.target, identity, &args.off)?).await,
        }
    })
}

async fn obey(client: impl Calls) -> Result<()> {
    let mut orders = orders::receive();
    while let Some(order) = orders.recv().await {
        match order? {
            Order::Load(order) => orders::say(&load::run(&client, order).await?)?,
            Order::Pace(order) => orders::say(&pace::run(&client, order).await?)?,
            Order::Usage => bail!("a driver tells what it used with each load"),
        }
    }
    Ok(())
}
