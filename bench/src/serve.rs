//! A server, as a process of its own.

mod echo;
mod work;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, bail};
use scribemed_server::Concurrency;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::echo::Echo;
use self::work::Work;
use crate::contract::{DESCRIPTOR_SET, bare, v1};
use crate::identity::{Identity, NAME};
use crate::order::{Order, Serving, Used};
use crate::stack::{Layer, Stack};
use crate::{orders, usage};

/// What to serve with.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The stack.
    #[arg(long)]
    stack: Stack,
    /// The file of the key that tokens are verified with.
    #[arg(long)]
    key: PathBuf,
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Threads of the runtime.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// What the limit on calls at a time is not lowered below. By default it is where it begins, so that all is done for it and
    /// nothing refused: a load that is closed, with large messages, is meant to be too much.
    #[arg(long, default_value_t = Concurrency::default().max)]
    min_concurrency: u32,
    /// What the server has besides, or goes without.
    #[arg(long)]
    layer: Option<Layer>,
    /// What is logged, in the syntax of RUST_LOG; nothing but warnings if it is not given.
    #[arg(long, default_value = "warn")]
    log: String,
}

/// Serves until standard input ends.
pub(crate) fn run(args: &Args) -> Result<()> {
    scribemed_telemetry::init(scribemed_telemetry::Format::Json, &args.log)?;
    orders::runtime(args.threads)?.block_on(serve(args))
}

/// With the layer, or without it.
fn layered(
    builder: scribemed_server::Builder,
    layer: Option<Layer>,
    folder: &tempfile::TempDir,
) -> Result<scribemed_server::Builder> {
    Ok(match layer {
        None => builder,
        Some(Layer::Unlimited) => builder.concurrency(None),
        Some(Layer::Audit) => {
            let config = scribemed_audit::Config::new(folder.path().join("audit.jsonl"), NAME);
            builder.audit(scribemed_audit::AuditLog::open(config)?)
        }
        Some(Layer::RateLimit) => builder.rate_limits("*=4000000000/s".parse()?),
    })
}

async fn serve(args: &Args) -> Result<()> {
    let calls = Arc::new(AtomicU64::new(0));
    let folder = tempfile::tempdir().context("making a temporary folder")?;
    let echo = Echo::new(Arc::clone(&calls));
    let work = Work::new(Arc::clone(&calls));
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("{} cannot be listened on", args.listen))?;
    let address = listener.local_addr()?.to_string();
    let shutdown = CancellationToken::new();
    // A task, so that it runs on the threads that are counted out for it.
    let served = match args.stack {
        Stack::Ours => {
            let identity = Identity::load(&args.key)?;
            let concurrency = Concurrency {
                min: args.min_concurrency,
                ..Concurrency::default()
            };
            let builder = scribemed_server::Builder::new(NAME, identity.verifier()?)
                .descriptor_set(DESCRIPTOR_SET)
                .concurrency(Some(concurrency));
            let server = layered(builder, args.layer, &folder)?
                .add(v1::bench_service_server::BenchServiceServer::new(echo))
                .add(v1::work_service_server::WorkServiceServer::new(work))
                .serve(listener, shutdown.clone());
            tokio::spawn(async move { anyhow::Ok(server.await?) })
        }
        Stack::Bare => {
            // With health, which a channel of ours watches.
            let (reporter, health) = tonic_health::server::health_reporter();
            reporter
                .set_service_status(
                    v1::bench_service_server::SERVICE_NAME,
                    tonic_health::ServingStatus::Serving,
                )
                .await;
            let server = tonic::transport::Server::builder()
                .add_service(bare::bench_service_server::BenchServiceServer::new(echo))
                .add_service(bare::work_service_server::WorkServiceServer::new(work))
                .add_service(health)
                .serve_with_incoming_shutdown(
                    tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true)),
                    shutdown.clone().cancelled_owned(),
                );
            tokio::spawn(async move { anyhow::Ok(server.await?) })
        }
        Stack::BareWithHeaders => bail!("headers are a matter of the driver; serve `bare`"),
    };
    let answer = async {
        orders::say(&Serving { address })?;
        let mut orders = orders::receive();
        while let Some(order) = orders.recv().await {
            match order? {
                Order::Usage => orders::say(&Used {
                    calls: calls.load(Ordering::Relaxed),
                    cpu_ns: usage::cpu_ns()?,
                })?,
                Order::Load(_) | Order::Pace(_) => {
                    bail!("a server cannot do what is asked of a driver")
                }
            }
        }
        anyhow::Ok(())
    };
    tokio::select! {
        ended = served => ended?,
        answered = answer => answered,
    }
}
