//! How a service calls others.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use scribemed_telemetry::metrics::Metrics;
use scribemed_telemetry::traces::Tracer;

use crate::Env;
use crate::channels::Channels;
use crate::env;

/// How long the name of a service may take to be resolved for the first time, unless configured otherwise.
pub const DEFAULT_RESOLVE_WITHIN: Duration = Duration::from_secs(10);

const RESOLVE_WITHIN: &str = "SCRIBEMED_RESOLVE_WITHIN";
const CONFIG_SUFFIX: &str = "_SERVICE_CONFIG";
const CA: &str = "SCRIBEMED_TLS_CA";
const CERTIFICATE: &str = "SCRIBEMED_TLS_CERT";
const CERTIFICATE_EXAMPLE: &str = "/run/secrets/tls.pem";
const KEY: &str = "SCRIBEMED_TLS_KEY";
const KEY_EXAMPLE: &str = "/run/secrets/tls.key";

/// What holds for all calls of one service: what an operator may set beside the contracts. Clones belong to the same
/// service: a platform shows the channels that were made with its settings.
#[derive(Clone)]
pub struct ClientSettings {
    resolve_within: Duration,
    service_configs: BTreeMap<String, PathBuf>,
    tls: Tls,
    metrics: Metrics,
    tracer: Option<Tracer>,
    channels: Channels,
}

/// Files for calls to `https://` targets, PEM. Read by the channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// The authorities that vouch for the services that are called. `None`: those of the system.
    pub ca: Option<PathBuf>,
    /// What this service shows of itself (mTLS). `None`: nothing.
    pub identity: Option<TlsIdentity>,
}

/// A certificate and its key, as files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsIdentity {
    /// The certificate, followed by those that vouch for it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn load(&self) -> Result<scribemed_client::Tls, scribemed_client::TlsError> {
        let identity = self
            .identity
            .as_ref()
            .map(|identity| (&*identity.certificate, &*identity.key));
        scribemed_client::Tls::from_files(self.ca.as_deref(), identity)
    }
}

/// 10 s to resolve a name, the contracts as they are, the system's authorities, the metrics of the process.
impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            resolve_within: DEFAULT_RESOLVE_WITHIN,
            service_configs: BTreeMap::new(),
            tls: Tls::default(),
            metrics: Metrics::global().clone(),
            tracer: None,
            channels: Channels::default(),
        }
    }
}

impl ClientSettings {
    /// Reads the environment.
    ///
    /// | variable | what it is | default |
    /// |---|---|---|
    /// | `SCRIBEMED_RESOLVE_WITHIN` | how long the name of a service may take to be resolved at the start, seconds, 1 to 3600 | 10 |
    /// | `<NAME>_SERVICE_CONFIG` | a file with a gRPC service config for calls to a service, JSON | the contract's policy |
    /// | `SCRIBEMED_TLS_CA` | who vouches for `https://` targets, PEM | those of the system |
    /// | `SCRIBEMED_TLS_CERT`, `SCRIBEMED_TLS_KEY` | what this service shows of itself, PEM; both or none | nothing |
    ///
    /// # Errors
    /// A variable that is malformed, or names a file that cannot be read; the error shows a good value.
    pub fn from_env(env: &Env) -> Result<Self, env::Error> {
        let file = |name: &str, example: &str| {
            let Some(path) = env.get(name) else {
                return Ok(None);
            };
            readable(Path::new(path)).map_err(|error| env.malformed(name, error, example))?;
            Ok(Some(PathBuf::from(path)))
        };
        let mut service_configs = BTreeMap::new();
        for (name, _) in env.iter() {
            if name.ends_with(CONFIG_SUFFIX)
                && let Some(path) = file(name, "/etc/scribemed/service_config.json")?
            {
                service_configs.insert(name.to_owned(), path);
            }
        }
        let certificate = file(CERTIFICATE, CERTIFICATE_EXAMPLE)?;
        let key = file(KEY, KEY_EXAMPLE)?;
        let identity = match (certificate, key) {
            (Some(certificate), Some(key)) => Some(TlsIdentity { certificate, key }),
            (None, None) => None,
            (Some(_), None) => return Err(unset(KEY, KEY_EXAMPLE)),
            (None, Some(_)) => return Err(unset(CERTIFICATE, CERTIFICATE_EXAMPLE)),
        };
        Ok(Self {
            resolve_within: resolve_within(env)?,
            service_configs,
            tls: Tls {
                ca: file(CA, "/etc/scribemed/ca.pem")?,
                identity,
            },
            ..Self::default()
        })
    }

    /// How long the name of a service may take to be resolved. Default [`DEFAULT_RESOLVE_WITHIN`].
    #[must_use]
    pub fn with_resolve_within(mut self, within: Duration) -> Self {
        self.resolve_within = within;
        self
    }

    /// Counts calls in `metrics`. Default [`Metrics::global`].
    #[must_use]
    pub fn with_metrics(mut self, metrics: Metrics) -> Self {
        self.metrics = metrics;
        self
    }

    /// Hands the spans of sampled calls to `tracer`: of those that are made, and of those that are served. Default `None`.
    #[must_use]
    pub fn with_tracer(mut self, tracer: Option<Tracer>) -> Self {
        self.tracer = tracer;
        self
    }

    /// Where spans go.
    pub fn tracer(&self) -> Option<&Tracer> {
        self.tracer.as_ref()
    }

    /// How long the name of a service may take to be resolved.
    pub fn resolve_within(&self) -> Duration {
        self.resolve_within
    }

    /// The file with the service config for calls to `service`, if an operator gave one.
    pub fn service_config(&self, service: &str) -> Option<&Path> {
        self.service_configs
            .get(&service_config_variable(service))
            .map(PathBuf::as_path)
    }

    /// For calls to `https://` targets.
    pub fn tls(&self) -> &Tls {
        &self.tls
    }

    /// Where calls are counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(crate) fn channels(&self) -> &Channels {
        &self.channels
    }
}

impl std::fmt::Debug for ClientSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientSettings")
            .field("resolve_within", &self.resolve_within)
            .field("service_configs", &self.service_configs)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// The variable that names the service config for calls to `service`: `TRANSCRIPTION_SERVICE_CONFIG`.
fn service_config_variable(service: &str) -> String {
    format!(
        "{}{CONFIG_SUFFIX}",
        service.to_uppercase().replace('-', "_")
    )
}

fn unset(name: &str, example: &str) -> env::Error {
    env::Error::Unset {
        name: name.to_owned(),
        example: example.to_owned(),
    }
}

fn readable(path: &Path) -> std::io::Result<()> {
    if File::open(path)?.metadata()?.is_dir() {
        return Err(std::io::ErrorKind::IsADirectory.into());
    }
    Ok(())
}

fn resolve_within(env: &Env) -> Result<Duration, env::Error> {
    const EXAMPLE: &str = "10";
    match env.parse(RESOLVE_WITHIN, EXAMPLE)? {
        None => Ok(DEFAULT_RESOLVE_WITHIN),
        Some(seconds @ 1..=3600) => Ok(Duration::from_secs(seconds)),
        Some(_) => Err(env.malformed(RESOLVE_WITHIN, "it is not from 1 to 3600", EXAMPLE)),
    }
}

#[cfg(test)]
mod tests;
