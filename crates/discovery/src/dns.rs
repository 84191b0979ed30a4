//! Looks targets up in DNS.

mod answer;
mod hosts;
mod server;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use hickory_resolver::proto::rr::rdata::SRV;
use tokio::time::timeout;

use crate::address::interleave;
use crate::target::{Host, Kind};
use crate::{Address, BoxFuture, Resolution, Resolve, ResolveError, Target};
use answer::{Found, together};
use hosts::HostsFile;
use server::Server;

/// Looks targets up in DNS, with A, AAAA and SRV records. It caches nothing: [`Discovery`](crate::Discovery) asks when the
/// records have expired.
///
/// - A and AAAA are both asked for. One family is enough; the other one, once there are addresses, is waited for 1 s longer.
/// - IP addresses, `localhost` and what ends in `.localhost` (RFC 6761 section 6.3) never ask DNS. Neither do names in the
///   hosts file, unless the target names a server.
/// - A name without a final dot is completed with the search list of `/etc/resolv.conf`, unless the target names a server.
/// - SRV: the records of the lowest priority are used, all of them; those of a higher one never are. The order is by
///   weight, heaviest first. The weight decides nothing else: load is what balancing goes by.
/// - Of several names (a static list, SRV) one that does not exist is left out. One that could not be looked up fails the
///   whole, which keeps the last good set; see [`ResolveError::partial`].
///
/// `/etc/resolv.conf` and the hosts file are read once: a change takes a restart.
#[derive(Debug)]
pub struct DnsResolver {
    server: Server,
    hosts: HostsFile,
    limit: Duration,
}

/// A little less than [`Config::timeout`](crate::Config::timeout), so that the error which knows who did not answer is the
/// one that is seen.
const LIMIT: Duration = Duration::from_millis(4_500);

/// So many names of a list are looked up at a time: a server takes 32 questions at once, and each name is two.
const NAMES_AT_A_TIME: usize = 12;

/// When a name that does not exist is asked for again, while others of its list do.
const MISSING_TTL: Duration = Duration::from_secs(10);

impl DnsResolver {
    /// Asks as the system does: by `/etc/resolv.conf` and the hosts file. A look-up takes 4.5 s at most.
    ///
    /// # Errors
    /// `/etc/resolv.conf` cannot be read, or names no server.
    pub fn system() -> Result<Self, ResolveError> {
        Ok(Self {
            server: Server::system()?,
            hosts: HostsFile::system(),
            limit: LIMIT,
        })
    }

    /// Asks these servers, whatever the system does: no search list and no hosts file.
    ///
    /// # Errors
    /// There is no server in the list.
    pub fn with_servers(servers: &[SocketAddr]) -> Result<Self, ResolveError> {
        Ok(Self {
            server: Server::at(servers)?,
            hosts: HostsFile::default(),
            limit: LIMIT,
        })
    }

    /// The same, with these domains to complete names with. A name with at least `ndots` dots is tried as it is first, others
    /// at last (resolv.conf(5)).
    ///
    /// # Errors
    /// One of them is no name.
    pub fn with_search(mut self, domains: &[&str], ndots: usize) -> Result<Self, ResolveError> {
        self.server.search(domains, ndots)?;
        Ok(self)
    }

    /// The same, with the text of a hosts file (hosts(5)). Lines that cannot be read are skipped and logged.
    #[must_use]
    pub fn with_hosts(mut self, text: &str) -> Self {
        self.hosts = HostsFile::parse(text);
        self
    }

    /// The same, with a look-up taking at most `limit`.
    #[must_use]
    pub fn with_timeout(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    async fn look_up(&self, target: &Target) -> Result<Resolution, ResolveError> {
        match target.kind() {
            Kind::Static(addresses) => Ok(fixed(addresses.clone())),
            Kind::Unix(path) => Ok(fixed(vec![Address::Unix(Arc::clone(path))])),
            Kind::Dns {
                server: None,
                host,
                port,
            } => Ok(self.name(host).await?.at(*port)),
            Kind::Dns {
                server: Some(server),
                host,
                port,
            } => {
                if let Some(found) = hosts::localhost(host) {
                    return Ok(found.at(*port));
                }
                let server = Server::at(&[*server])?;
                Ok(server.addresses(host, self.limit).await?.at(*port))
            }
            Kind::Srv { name } => self.services(name).await,
            Kind::Names(hosts) => {
                let asked: Vec<_> = hosts.iter().map(|host| self.entry(host)).collect();
                let answers = stream::iter(asked)
                    .buffered(NAMES_AT_A_TIME)
                    .collect()
                    .await;
                together(answers, MISSING_TTL)
            }
        }
    }

    /// A name as the system looks it up.
    async fn name(&self, host: &str) -> Result<Found, ResolveError> {
        if let Some(found) = self.hosts.get(host).or_else(|| hosts::localhost(host)) {
            return Ok(found);
        }
        self.server.addresses(host, self.limit).await
    }

    /// An entry of a static list.
    async fn entry(&self, host: &Host) -> Result<Resolution, ResolveError> {
        match host {
            Host::Address(socket) => Ok(fixed(vec![Address::Socket(*socket)])),
            Host::Name(name, port) => Ok(self.name(name).await?.at(*port)),
        }
    }

    async fn service(&self, record: &SRV) -> Result<Resolution, ResolveError> {
        let found = self.server.addresses_of(&record.target, self.limit).await?;
        Ok(found.at(record.port))
    }

    async fn services(&self, name: &str) -> Result<Resolution, ResolveError> {
        let (records, ttl) = self.server.services(name, self.limit).await?;
        let asked: Vec<_> = records.iter().map(|record| self.service(record)).collect();
        let answers = stream::iter(asked)
            .buffered(NAMES_AT_A_TIME)
            .collect()
            .await;
        let mut resolution = together(answers, MISSING_TTL)?;
        resolution.ttl = Some(resolution.ttl.map_or(ttl, |of_names| of_names.min(ttl)));
        Ok(resolution)
    }
}

impl Resolve for DnsResolver {
    fn resolve<'a>(
        &'a self,
        target: &'a Target,
    ) -> BoxFuture<'a, Result<Resolution, ResolveError>> {
        Box::pin(async move {
            match timeout(self.limit, self.look_up(target)).await {
                Ok(answer) => answer,
                Err(_) => Err(self.too_late(target)),
            }
        })
    }
}

impl DnsResolver {
    fn too_late(&self, target: &Target) -> ResolveError {
        let (name, asked) = match target.kind() {
            Kind::Dns { host, .. } => (host.clone(), server::ADDRESSES),
            Kind::Srv { name } => (name.clone(), "SRV, then A and AAAA"),
            Kind::Static(_) | Kind::Names(_) | Kind::Unix(_) => {
                (target.to_string(), server::ADDRESSES)
            }
        };
        let source = match target.kind() {
            Kind::Dns {
                server: Some(server),
                ..
            } => server::describe(&[*server]),
            Kind::Dns { .. }
            | Kind::Srv { .. }
            | Kind::Static(_)
            | Kind::Names(_)
            | Kind::Unix(_) => self.server.source().to_owned(),
        };
        ResolveError::timeout(name, self.limit)
            .asking(asked)
            .of(source)
    }
}

/// What never changes.
fn fixed(addresses: Vec<Address>) -> Resolution {
    Resolution {
        addresses,
        ttl: None,
    }
}

impl Found {
    /// Its addresses with a port.
    fn at(self, port: u16) -> Resolution {
        let sockets = self
            .ips
            .into_iter()
            .map(|ip| Address::Socket(SocketAddr::new(ip, port)));
        Resolution {
            addresses: interleave(sockets.collect()),
            ttl: self.ttl,
        }
    }
}
