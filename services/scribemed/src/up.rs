//! `scribemed up`: the whole platform in one process.

mod banner;
pub(crate) mod setup;

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::ExitCode;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use scribemed_auth_service::AuthService;
use scribemed_discovery::ServiceRegistry;
use scribemed_service::{Platform, Settings, cancel_on_signal};
use scribemed_telemetry::Format;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::data::{Data, DataArgs};
use crate::operator;

/// Where to serve, and with what.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArgs,
    /// Where auth serves. Port 0: any that is free.
    #[arg(long, default_value = "127.0.0.1:50051", value_name = "ADDRESS")]
    auth: SocketAddr,
    /// Where transcription serves.
    #[arg(long, default_value = "127.0.0.1:50052", value_name = "ADDRESS")]
    transcription: SocketAddr,
    /// Where documentation serves.
    #[arg(long, default_value = "127.0.0.1:50053", value_name = "ADDRESS")]
    documentation: SocketAddr,
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
    let listeners = [
        listen("auth", args.auth).await?,
        listen("transcription", args.transcription).await?,
        listen("documentation", args.documentation).await?,
    ];
    let mut registry = ServiceRegistry::default();
    let mut addresses = Vec::new();
    for ((service, _), listener) in operator::SERVICES.iter().zip(&listeners) {
        let address = listener.local_addr()?;
        registry = registry.with(service, format!("http://{address}"));
        addresses.push(address);
    }
    let keys = setup::keys(&data).await?;

    let shutdown = CancellationToken::new();
    cancel_on_signal(shutdown.clone())?;
    let mut running: FuturesUnordered<Running> = FuturesUnordered::new();
    let [
        auth_listener,
        transcription_listener,
        documentation_listener,
    ] = listeners;

    let auth = AuthService::open(scribemed_auth_service::Config {
        data: data.of("auth"),
        grants: data.grants_file(),
        issuer: operator::issuer(),
    })
    .await
    .context("auth")?;
    let platform = Platform::new(auth.settings(), shutdown.clone());
    running.push(Box::pin(async move {
        auth.run(platform, auth_listener).await.context("auth")
    }));

    let platform = |name: &str, key| {
        let settings =
            Settings::with_auth_service(name, registry.clone(), operator::issuer(), key)?;
        anyhow::Ok(Platform::new(settings, shutdown.clone()))
    };
    let transcription = setup::transcription(&data, args.model, args.audio)?;
    let model = setup::model(&transcription);
    let with = platform("transcription", keys.transcription)?;
    running.push(Box::pin(async move {
        scribemed_transcription::run(transcription, with, transcription_listener)
            .await
            .context("transcription")
    }));
    let config = scribemed_documentation::Config {
        data: data.of("documentation"),
    };
    let with = platform("documentation", keys.documentation)?;
    running.push(Box::pin(async move {
        scribemed_documentation::run(config, with, documentation_listener)
            .await
            .context("documentation")
    }));

    // A service that cannot start ends the whole; so does a signal before everything is up.
    tokio::select! {
        ready = banner::when_ready(&registry) => {
            let health = ready?;
            print!("{}", banner::text(&data, &addresses, &health, model.as_deref()));
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

/// A service that runs. All of them are driven by the main task; their connections and jobs have tasks of their own.
type Running = Pin<Box<dyn Future<Output = anyhow::Result<()>>>>;

/// Waits for all services to drain; the first failure is the result.
async fn finish(
    first: anyhow::Result<()>,
    running: &mut FuturesUnordered<Running>,
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
