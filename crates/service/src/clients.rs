//! How a service calls others.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A certificate and its key, as files.
pub use scribemed_client::IdentityFiles as TlsIdentity;
use scribemed_client::TrustDomain;
use scribemed_telemetry::metrics::{Exporter, Metrics};
use scribemed_telemetry::traces::Tracer;

use crate::Env;
use crate::channels::Channels;
use crate::env;

/// How long the name of a service may take to be resolved for the first time, unless configured otherwise.
pub const DEFAULT_RESOLVE_WITHIN: Duration = Duration::from_secs(10);

const RESOLVE_WITHIN: &str = "SCRIBEMED_RESOLVE_WITHIN";
const CONFIG_SUFFIX: &str = "_SERVICE_CONFIG";
pub(crate) const CA: &str = "SCRIBEMED_TLS_CA";
pub(crate) const CA_EXAMPLE: &str = "/etc/scribemed/ca.pem";
pub(crate) const CERTIFICATE: &str = "SCRIBEMED_TLS_CERT";
pub(crate) const CERTIFICATE_EXAMPLE: &str = "/run/secrets/tls.pem";
pub(crate) const KEY: &str = "SCRIBEMED_TLS_KEY";
pub(crate) const KEY_EXAMPLE: &str = "/run/secrets/tls.key";
pub(crate) const TRUST_DOMAIN: &str = "SCRIBEMED_TRUST_DOMAIN";
pub(crate) const TRUST_DOMAIN_EXAMPLE: &str = "scribemed.local";

/// What holds for all calls of one service: what an operator may set beside the contracts. Clones belong to the same
/// service: a platform shows the channels that were made with its settings.
#[derive(Clone)]
pub struct ClientSettings {
    resolve_within: Duration,
    service_configs: BTreeMap<String, PathBuf>,
    tls: Tls,
    metrics: Metrics,
    tracer: Option<Tracer>,
    exporter: Option<Exporter>,
    channels: Channels,
}

/// For calls to `https://` targets. The files are PEM, read by the channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// The authorities that vouch for the services that are called. `None`: those of the system.
    pub ca: Option<PathBuf>,
    /// What this service shows of itself (mTLS). `None`: nothing.
    pub identity: Option<TlsIdentity>,
    /// Where there is one, a service that is called must have a certificate with its id,
    /// `spiffe://<trust domain>/service/<discovery name>`, and the host in the target says nothing. `None`: the certificate
    /// must be for that host.
    pub trust_domain: Option<TrustDomain>,
}

impl Tls {
    /// Reads the files, for calls to the service with this discovery name. `None`: to one whose name is not known, so that
    /// its certificate must be for the host in the target. Blocks.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn load(
        &self,
        service: Option<&str>,
    ) -> Result<scribemed_client::Tls, scribemed_client::TlsError> {
        let identity = self
            .identity
            .as_ref()
            .map(|identity| (&*identity.certificate, &*identity.key));
        let ca = self.ca.as_deref();
        match (&self.trust_domain, service) {
            (Some(domain), Some(service)) => {
                scribemed_client::Tls::for_service(domain.service(service)?, ca, identity)
            }
            _ => scribemed_client::Tls::from_files(ca, identity),
        }
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
            exporter: None,
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
    /// | `SCRIBEMED_TRUST_DOMAIN` | the SPIFFE trust domain of services that are called, `scribemed.local` | none: certificates are for hosts |
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
                ca: file(CA, CA_EXAMPLE)?,
                identity,
                trust_domain: env.parse(TRUST_DOMAIN, TRUST_DOMAIN_EXAMPLE)?,
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

    /// What exports the metrics, to be closed with the platform. Default `None`: they are only to be fetched.
    #[must_use]
    pub fn with_exporter(mut self, exporter: Option<Exporter>) -> Self {
        self.exporter = exporter;
        self
    }

    /// What exports the metrics.
    pub fn exporter(&self) -> Option<&Exporter> {
        self.exporter.as_ref()
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
