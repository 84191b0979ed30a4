//! The services of the platform, in one table: all that `up`, `init`, `certs`, `token` and `doctor` know of each.
//!
//! `cargo xtask new-service` adds a module and a line of [`ALL`].

mod auth;
mod documentation;
mod transcription;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use anyhow::{Context as _, bail};
use scribemed_auth::SigningKey;
use scribemed_discovery::ServiceRegistry;
use scribemed_rpc::ServicePolicy;
use scribemed_service::{
    ClientSettings, Env, Platform, ServerSettings, Settings, metrics_exporter, open_audit_at,
    tracer,
};
use scribemed_telemetry::metrics::Metrics;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::data::{Data, create_private};
use crate::operator;

/// Every service, in the order in which they start.
pub(crate) const ALL: &[&Service] = &[
    &auth::SERVICE,
    &transcription::SERVICE,
    &documentation::SERVICE,
];

/// One service.
#[derive(Debug)]
pub(crate) struct Service {
    /// Its discovery name.
    pub(crate) name: &'static str,
    /// Where it serves by default. Its admin port is 1,000 higher.
    pub(crate) port: u16,
    /// What it may do at others. `None`: it calls nobody, and has no key of its own.
    pub(crate) calls: Option<&'static [&'static str]>,
    /// What the operator may do at it.
    pub(crate) operator: &'static [&'static str],
    /// Its contracts, one for each version.
    pub(crate) contracts: &'static [&'static ServicePolicy],
    /// Makes it ready to run.
    pub(crate) open: fn(Opening) -> Task<Opened>,
}

/// Work of a service. All services are driven by the main task; their connections and jobs have tasks of their own.
pub(crate) type Task<T> = Pin<Box<dyn Future<Output = anyhow::Result<T>>>>;

/// What a service of `scribemed up` is given.
pub(crate) struct Opening {
    pub(crate) name: &'static str,
    pub(crate) data: Data,
    pub(crate) listener: TcpListener,
    /// Where the services are.
    pub(crate) registry: ServiceRegistry,
    pub(crate) shutdown: CancellationToken,
    /// Its own key, if it calls others.
    pub(crate) key: Option<SigningKey>,
    /// The speech model that the command line names.
    pub(crate) model: Option<PathBuf>,
    /// The folder of recordings that the command line names.
    pub(crate) audio: Option<PathBuf>,
}

/// A service that is ready to run.
pub(crate) struct Opened {
    pub(crate) platform: Platform,
    /// The service, until it ends.
    pub(crate) run: Task<()>,
    /// What it does not have yet, and how to get it.
    pub(crate) lacks: Option<String>,
}

impl Opening {
    /// The platform of a service with a key of its own.
    async fn platform(&mut self) -> anyhow::Result<Platform> {
        let name = self.name;
        let key = self
            .key
            .take()
            .with_context(|| format!("no key was made for {name}"))?;
        let settings = Settings::with_auth_service(
            name,
            self.registry.clone(),
            operator::issuer(),
            key,
            self.clients()?,
        )
        .await?;
        let settings = settings.with_servers(self.servers()?);
        Ok(Platform::new(settings, self.shutdown.clone()))
    }

    /// What it calls others with. Each counts its calls on its own: an admin port shows those of its service.
    fn clients(&self) -> anyhow::Result<ClientSettings> {
        let env = Env::from_process();
        let metrics = Metrics::new();
        let tracer = tracer(&env, self.name, &metrics)?;
        let exporter = metrics_exporter(&env, self.name, &metrics)?;
        let clients = ClientSettings::from_env(&env)?;
        Ok(clients
            .with_metrics(metrics)
            .with_tracer(tracer)
            .with_exporter(exporter))
    }

    /// What it serves with.
    fn servers(&self) -> anyhow::Result<ServerSettings> {
        let (env, name) = (Env::from_process(), self.name);
        create_private(&self.data.of(name))
            .with_context(|| format!("the data folder of {name}"))?;
        let audit = open_audit_at(&env, name, &self.data.audit_file(name))?;
        let servers = ServerSettings::from_env(&env)?;
        if servers.tls().is_some() {
            bail!(
                "SCRIBEMED_SERVER_TLS is set, and the services of `scribemed up` share one process and would share one \
                 certificate; unset it, or start each service by itself (docs/guides/mutual-tls.md)"
            );
        }
        Ok(servers.with_audit(Some(audit)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use scribemed_rpc::policy::Access;

    use super::*;

    #[test]
    fn the_table_agrees_with_the_contracts() {
        let ports: BTreeSet<u16> = ALL.iter().map(|service| service.port).collect();
        assert_eq!(ports.len(), ALL.len(), "each has a port of its own");
        let asked: BTreeSet<&str> = ALL
            .iter()
            .flat_map(|service| service.contracts)
            .flat_map(|contract| contract.methods)
            .flat_map(|method| match method.access {
                Access::Permissions(required) => required,
                Access::Public => &[],
            })
            .copied()
            .collect();
        for service in ALL {
            for contract in service.contracts {
                assert_eq!(contract.discovery_name, service.name);
            }
            let granted = service
                .operator
                .iter()
                .chain(service.calls.unwrap_or_default());
            for permission in granted {
                assert!(
                    asked.contains(permission),
                    "no method asks for {permission}"
                );
            }
        }
    }
}
