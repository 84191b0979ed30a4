//! `scribemed up`: the whole platform in one process.

mod addresses;
mod banner;
pub(crate) mod setup;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use scribemed_discovery::ServiceRegistry;
use scribemed_service::{Admin, Platform, admin, cancel_on_signal};
use scribemed_telemetry::Format;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::addresses::Addresses;
use crate::data::{Data, DataArgs};
use crate::services::{self, Opening, Task};

/// Where to serve, and with what.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    addresses: Addresses,
    /// Services whose address is not named take any port that is free.
    #[arg(long)]
    free_ports: bool,
    /// Opens no admin ports. Otherwise each service has one, 1,000 above its own.
    #[arg(long)]
    no_admin: bool,
    /// The speech model, a ggml file. Default: models/ggml-tiny.en.bin in the data folder.
    #[arg(long, env = "TRANSCRIPTION_MODEL", value_name = "FILE")]
    model: Option<PathBuf>,
    /// The folder below which `file:` URIs may name recordings. Default: audio in the data folder.
    #[arg(long, env = "TRANSCRIPTION_AUDIO_DIR", value_name = "FOLDER")]
    audio: Option<PathBuf>,
    /// What is logged, in the syntax of RUST_LOG.
    #[arg(
        long,
        env = "SCRIBEMED_LOG",
        default_value = scribemed_telemetry::DEFAULT_FILTER,
        value_name = "FILTER"
    )]
    log: String,
    /// How log lines look: readable or json.
    #[arg(
        long,
        env = "SCRIBEMED_LOG_FORMAT",
        default_value = "readable",
        value_name = "FORMAT"
    )]
    log_format: Format,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    scribemed_telemetry::init(args.log_format, &args.log)?;
    let data = Data::new(&args.data)?;
    data.create()?;
    // Every address is taken before anything starts: what cannot be served is known at once.
    let asked = args.addresses.resolve(args.free_ports);
    let mut registry = ServiceRegistry::default();
    let mut addresses = Vec::new();
    let mut listeners = Vec::new();
    for (service, address) in services::ALL.iter().zip(&asked) {
        let listener = listen(service.name, *address).await?;
        let address = listener.local_addr()?;
        registry = registry.with(service.name, format!("http://{address}"));
        addresses.push(address);
        listeners.push(listener);
    }
    let mut admin_listeners = Vec::new();
    for (service, address) in services::ALL.iter().zip(&asked) {
        admin_listeners.push(listen_admin(service.name, *address, args.no_admin).await?);
    }
    let admin_addresses = admin_listeners
        .iter()
        .flatten()
        .map(TcpListener::local_addr)
        .collect::<Result<Vec<_>, _>>()?;
    let mut keys = setup::keys(&data).await?;

    let shutdown = CancellationToken::new();
    cancel_on_signal(shutdown.clone())?;
    let mut running: FuturesUnordered<Task<()>> = FuturesUnordered::new();
    let mut lacking = Vec::new();
    let all = services::ALL.iter().zip(listeners).zip(admin_listeners);
    for ((service, listener), admin_listener) in all {
        let opened = (service.open)(Opening {
            name: service.name,
            data: data.clone(),
            listener,
            registry: registry.clone(),
            shutdown: shutdown.clone(),
            key: keys.remove(service.name),
            model: args.model.clone(),
            audio: args.audio.clone(),
        })
        .await?;
        lacking.extend(opened.lacks);
        running.push(beside(
            service.name,
            opened.platform,
            admin_listener,
            opened.run,
        ));
    }

    // A service that cannot start ends the whole; so does a signal before everything is up.
    tokio::select! {
        ready = banner::when_ready(&registry) => {
            let health = ready?;
            print!("{}", banner::text(&data, &addresses, &admin_addresses, &health, &lacking));
        }
        Some(ended) = running.next() => {
            shutdown.cancel();
            finish(ended, &mut running).await?;
            return Ok(ExitCode::SUCCESS);
        }
    }
    while let Some(ended) = running.next().await {
        // The first to end, by a signal or a failure, takes the others along.
        shutdown.cancel();
        finish(ended, &mut running).await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits for all services to drain; the first failure is the result.
async fn finish(
    first: anyhow::Result<()>,
    running: &mut FuturesUnordered<Task<()>>,
) -> anyhow::Result<()> {
    let mut result = first;
    while let Some(ended) = running.next().await {
        result = result.and(ended);
    }
    result
}

async fn listen(service: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!(
            "{service} cannot serve on {address}; if another platform is running, stop it, or choose another address: \
             --{service} 127.0.0.1:{}",
            address.port().wrapping_add(1000)
        )
    })
}

/// The admin port of a service that serves on `address`.
async fn listen_admin(
    service: &str,
    address: SocketAddr,
    none: bool,
) -> anyhow::Result<Option<TcpListener>> {
    if none {
        return Ok(None);
    }
    let way_out = "choose another address for the service, or do without with --no-admin";
    let address = admin::beside(&address.to_string()).ok().with_context(|| {
        format!("no port is 1,000 above that of {service}, {address}; {way_out}")
    })?;
    let listener = TcpListener::bind(&address).await.with_context(|| {
        format!("the admin port of {service}, {address}, cannot be opened; {way_out}")
    })?;
    Ok(Some(listener))
}

/// Runs a service beside its admin port, and then writes what is still to be told.
fn beside(
    name: &'static str,
    platform: Platform,
    admin_listener: Option<TcpListener>,
    service: Task<()>,
) -> Task<()> {
    Box::pin(async move {
        let closing = async {
            let ended = service.await;
            platform.close().await;
            ended
        };
        let ended = shown(&platform).beside(admin_listener, closing).await;
        ended.context(name)
    })
}

fn shown(platform: &Platform) -> Admin {
    let admin = Admin::new();
    admin.show(platform);
    admin
}
