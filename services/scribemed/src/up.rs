//! `scribemed up`: the whole platform in one process.

mod banner;
pub(crate) mod setup;

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use scribemed_auth_service::AuthService;
use scribemed_discovery::ServiceRegistry;
use scribemed_service::{
    Admin, ClientSettings, EndUserSettings, Env, Platform, ServerSettings, Settings, admin,
    cancel_on_signal, metrics_exporter, open_audit_at, tracer,
};
use scribemed_telemetry::Format;
use scribemed_telemetry::metrics::Metrics;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::data::{Data, DataArgs, create_private};
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
    let listeners = [
        listen("auth", args.auth).await?,
        listen("transcription", args.transcription).await?,
        listen("documentation", args.documentation).await?,
    ];
    let admin_listeners = [
        listen_admin("auth", args.auth, args.no_admin).await?,
        listen_admin("transcription", args.transcription, args.no_admin).await?,
        listen_admin("documentation", args.documentation, args.no_admin).await?,
    ];
    let mut registry = ServiceRegistry::default();
    let mut addresses = Vec::new();
    for ((service, _), listener) in operator::SERVICES.iter().zip(&listeners) {
        let address = listener.local_addr()?;
        registry = registry.with(service, format!("http://{address}"));
        addresses.push(address);
    }
    let admin_addresses = admin_listeners
        .iter()
        .flatten()
        .map(TcpListener::local_addr)
        .collect::<Result<Vec<_>, _>>()?;
    let keys = setup::keys(&data).await?;

    let shutdown = CancellationToken::new();
    cancel_on_signal(shutdown.clone())?;
    let mut running: FuturesUnordered<Running> = FuturesUnordered::new();
    let [
        auth_listener,
        transcription_listener,
        documentation_listener,
    ] = listeners;
    let [auth_admin, transcription_admin, documentation_admin] = admin_listeners;

    let auth = AuthService::open(scribemed_auth_service::Config {
        data: data.of("auth"),
        grants: data.grants_file(),
        issuer: operator::issuer(),
        end_users: EndUserSettings::from_env(&Env::from_process())?,
    })
    .await
    .context("auth")?;
    let mut settings = auth.settings();
    settings.clients = clients("auth")?;
    settings.servers = servers(&data, "auth")?;
    let platform = Platform::new(settings, shutdown.clone());
    let run = Box::pin(auth.run(platform.clone(), auth_listener));
    running.push(beside("auth", platform, auth_admin, run));

    let platform = async |name: &str, key| {
        let (registry, issuer) = (registry.clone(), operator::issuer());
        let settings =
            Settings::with_auth_service(name, registry, issuer, key, clients(name)?).await?;
        let settings = settings.with_servers(servers(&data, name)?);
        anyhow::Ok(Platform::new(settings, shutdown.clone()))
    };
    let transcription = setup::transcription(&data, args.model, args.audio)?;
    let model = setup::model(&transcription);
    let with = platform("transcription", keys.transcription).await?;
    let run = scribemed_transcription::run(transcription, with.clone(), transcription_listener);
    running.push(beside(
        "transcription",
        with,
        transcription_admin,
        Box::pin(run),
    ));
    let config = scribemed_documentation::Config {
        data: data.of("documentation"),
    };
    let with = platform("documentation", keys.documentation).await?;
    let run = scribemed_documentation::run(config, with.clone(), documentation_listener);
    running.push(beside(
        "documentation",
        with,
        documentation_admin,
        Box::pin(run),
    ));

    // A service that cannot start ends the whole; so does a signal before everything is up.
    tokio::select! {
        ready = banner::when_ready(&registry) => {
            let health = ready?;
            print!("{}", banner::text(&data, &addresses, &admin_addresses, &health, model.as_deref()));
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

/// What one service calls others with. Each counts its calls on its own: an admin port shows those of its service.
fn clients(service: &str) -> anyhow::Result<ClientSettings> {
    let env = Env::from_process();
    let metrics = Metrics::new();
    let tracer = tracer(&env, service, &metrics)?;
    let exporter = metrics_exporter(&env, service, &metrics)?;
    let clients = ClientSettings::from_env(&env)?;
    Ok(clients
        .with_metrics(metrics)
        .with_tracer(tracer)
        .with_exporter(exporter))
}

/// What one service serves with.
fn servers(data: &Data, service: &str) -> anyhow::Result<ServerSettings> {
    let env = Env::from_process();
    create_private(&data.of(service)).with_context(|| format!("the data folder of {service}"))?;
    let audit = open_audit_at(&env, service, &data.audit_file(service))?;
    let servers = ServerSettings::from_env(&env)?;
    if servers.tls().is_some() {
        bail!(
            "SCRIBEMED_SERVER_TLS is set, and the services of `scribemed up` share one process and would share one \
             certificate; unset it, or start each service by itself (docs/guides/mutual-tls.md)"
        );
    }
    Ok(servers.with_audit(Some(audit)))
}

/// Runs a service beside its admin port, and then writes what is still to be told.
fn beside<E: Into<anyhow::Error> + 'static>(
    name: &'static str,
    platform: Platform,
    admin_listener: Option<TcpListener>,
    service: Pin<Box<impl Future<Output = Result<(), E>> + 'static>>,
) -> Running {
    Box::pin(async move {
        let closing = async {
            let ended = service.await;
            platform.close().await;
            ended
        };
        let ended = shown(&platform).beside(admin_listener, closing).await;
        ended.map_err(Into::into).context(name)
    })
}

fn shown(platform: &Platform) -> Admin {
    let admin = Admin::new();
    admin.show(platform);
    admin
}
