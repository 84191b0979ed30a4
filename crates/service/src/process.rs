//! A service as a process of its own.

use std::future::Future;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use scribemed_auth::SigningKey;
use scribemed_discovery::ServiceRegistry;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::Env;
use crate::admin::{self, Admin};
use crate::clients::ClientSettings;
use crate::platform::{DEFAULT_ISSUER, Platform, Settings};
use crate::servers::ServerSettings;
use crate::servers::open_audit;
use crate::traces::{metrics_exporter, tracer};

/// Runs the service `name` with what the environment configures, until it ends or SIGTERM or SIGINT ask it to.
///
/// Exit code 0 after a drain, 1 after an error, which is printed with all of its causes.
pub fn main<F, R, E>(name: &str, run: F) -> ExitCode
where
    F: FnOnce(Platform, Env, TcpListener) -> R,
    R: Future<Output = Result<(), E>>,
    E: Into<anyhow::Error>,
{
    let prepare =
        async |env: &Env| Ok::<_, anyhow::Error>((settings(name, env).await?, env.clone()));
    main_with(name, prepare, run)
}

/// As [`main`], for a service that has its own way to tokens and keys: `prepare` opens what it needs for its settings, and
/// hands it on to `run`.
pub fn main_with<T, P, PE, F, R, E>(name: &str, prepare: P, run: F) -> ExitCode
where
    P: AsyncFnOnce(&Env) -> Result<(Settings, T), PE>,
    PE: Into<anyhow::Error>,
    F: FnOnce(Platform, T, TcpListener) -> R,
    R: Future<Output = Result<(), E>>,
    E: Into<anyhow::Error>,
{
    let env = Env::from_process();
    let result = start_logging(&env).and_then(|()| {
        let runtime = tokio::runtime::Runtime::new().context("the runtime cannot be started")?;
        runtime.block_on(async {
            let (address, listener) = listen(&env).await?;
            let admin_listener = admin::listen(&env, address).await?;
            if let Some(listener) = &admin_listener {
                tracing::info!(service = name, address = %listener.local_addr()?, "admin port");
            }
            let shutdown = CancellationToken::new();
            cancel_on_signal(shutdown.clone())?;
            let admin = Admin::new();
            let service = async {
                let (settings, prepared) = prepare(&env).await.map_err(Into::into)?;
                let audit = open_audit(&env, name)?;
                let mut settings = settings;
                if settings.clients.tracer().is_none() {
                    let tracer = tracer(&env, name, settings.clients.metrics())?;
                    settings.clients = settings.clients.with_tracer(tracer);
                }
                let exporter = metrics_exporter(&env, name, settings.clients.metrics())?;
                settings.clients = settings.clients.with_exporter(exporter);
                let servers = settings.servers.clone().with_audit(audit);
                let platform = Platform::new(settings.with_servers(servers), shutdown);
                admin.show(&platform);
                tracing::info!(service = name, address = %listener.local_addr()?, "serving");
                let ended = run(platform.clone(), prepared, listener).await;
                platform.close().await;
                ended.map_err(Into::into)
            };
            admin.beside(admin_listener, service).await
        })
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The settings of a service that gets its tokens and keys from the auth service.
async fn settings(name: &str, env: &Env) -> anyhow::Result<Settings> {
    let file = env.require("SCRIBEMED_KEY", "/run/secrets/transcription.pem")?;
    let key =
        SigningKey::load(Path::new(file)).with_context(|| format!("SCRIBEMED_KEY is {file:?}"))?;
    let variables = env
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let registry = ServiceRegistry::from_variables(variables);
    let issuer = env.get("SCRIBEMED_ISSUER").unwrap_or(DEFAULT_ISSUER);
    let clients = ClientSettings::from_env(env)?;
    let tracer = tracer(env, name, clients.metrics())?;
    let clients = clients.with_tracer(tracer);
    let servers = ServerSettings::from_env(env)?;
    let settings = Settings::with_auth_service(name, registry, issuer, key, clients).await?;
    Ok(settings.with_servers(servers))
}

fn start_logging(env: &Env) -> anyhow::Result<()> {
    let format = env
        .parse("SCRIBEMED_LOG_FORMAT", "json")?
        .unwrap_or_default();
    let filter = env
        .get("SCRIBEMED_LOG")
        .unwrap_or(scribemed_telemetry::DEFAULT_FILTER);
    scribemed_telemetry::init(format, filter)?;
    Ok(())
}

/// The address to serve on as it was configured, taken.
async fn listen(env: &Env) -> anyhow::Result<(&str, TcpListener)> {
    const EXAMPLE: &str = "0.0.0.0:50052";
    let address = env.require("SCRIBEMED_LISTEN", EXAMPLE)?;
    let malformed = |error: std::io::Error| env.malformed("SCRIBEMED_LISTEN", error, EXAMPLE);
    let listener = TcpListener::bind(address).await.map_err(malformed)?;
    Ok((address, listener))
}

/// Cancels `shutdown` on the first SIGTERM or SIGINT. A second one ends the process at once.
///
/// # Errors
/// The signals cannot be listened for.
pub fn cancel_on_signal(shutdown: CancellationToken) -> Result<(), std::io::Error> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        for drain in [true, false] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if drain {
                tracing::info!("draining; a second signal ends at once");
                shutdown.cancel();
            } else {
                std::process::exit(130);
            }
        }
    });
    Ok(())
}
