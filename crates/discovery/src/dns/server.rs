//! Whom to ask, and what is made of the answer.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::future::{Either, select};
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::rdata::SRV;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{TokioResolver, system_conf};
use tokio::time::timeout;

use super::Found;
use crate::ResolveError;

/// What is asked for.
pub(super) const ADDRESSES: &str = "A and AAAA";
const SERVICES: &str = "SRV";

/// How long the second family is waited for when the first one has addresses. RFC 8305 section 3 waits 50 ms because a user
/// waits too; here it is worth more that one set does not look like two.
const OTHER_FAMILY: Duration = Duration::from_secs(1);

/// A question is sent again, or to another server, after this time at the latest.
const ONE_TRY: Duration = Duration::from_secs(2);

/// The servers of DNS that know a name.
pub(super) struct Server {
    resolver: TokioResolver,
    search: Vec<Name>,
    ndots: usize,
    source: String,
}

impl Server {
    /// Those of `/etc/resolv.conf`.
    pub(super) fn system() -> Result<Self, ResolveError> {
        let (config, options) = system_conf::read_system_conf().map_err(|error| {
            ResolveError::failed(
                "/etc/resolv.conf",
                format!("it does not say which DNS server to ask: {error}"),
            )
        })?;
        let sockets: Vec<_> = config
            .name_servers()
            .iter()
            .map(|server| SocketAddr::new(server.ip, 53))
            .collect();
        Self::new(config, options, describe(&sockets))
    }

    /// These, without a search list.
    pub(super) fn at(servers: &[SocketAddr]) -> Result<Self, ResolveError> {
        if servers.is_empty() {
            return Err(ResolveError::failed(
                "any name",
                "there is no DNS server to ask; give one",
            ));
        }
        let configs = servers.iter().map(|server| {
            let connections =
                [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
                    connection.port = server.port();
                    connection
                });
            NameServerConfig::new(server.ip(), true, connections.into())
        });
        let config = ResolverConfig::from_parts(None, Vec::new(), configs.collect());
        Self::new(config, ResolverOpts::default(), describe(servers))
    }

    fn new(
        config: ResolverConfig,
        mut options: ResolverOpts,
        source: String,
    ) -> Result<Self, ResolveError> {
        // Names are completed here and the hosts file is read here: both have to be the same for A and AAAA.
        let (_, search, servers) = config.into_parts();
        options.use_hosts_file = ResolveHosts::Never;
        options.cache_size = 0;
        options.timeout = options.timeout.min(ONE_TRY);
        let ndots = options.ndots;
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        let mut builder =
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        *builder.options_mut() = options;
        let resolver = builder
            .build()
            .map_err(|error| ResolveError::failed("any name", error.to_string()).of(&*source))?;
        Ok(Self {
            resolver,
            search,
            ndots,
            source,
        })
    }

    /// Completes names with these domains.
    pub(super) fn search(&mut self, domains: &[&str], ndots: usize) -> Result<(), ResolveError> {
        self.search = domains
            .iter()
            .map(|domain| absolute(domain))
            .collect::<Result<_, _>>()?;
        self.ndots = ndots;
        Ok(())
    }

    /// Who they are, for messages.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// The addresses of a host.
    pub(super) async fn addresses(
        &self,
        host: &str,
        limit: Duration,
    ) -> Result<Found, ResolveError> {
        let mut worst = None;
        for name in self.candidates(host)? {
            match self.both_families(&name).await {
                Ok(found) => return Ok(found),
                Err(failure) => {
                    if !Failure::goes_on(&mut worst, failure) {
                        break;
                    }
                }
            }
        }
        Err(self.error(host, ADDRESSES, worst, limit))
    }

    /// The addresses of a complete name.
    pub(super) async fn addresses_of(
        &self,
        name: &Name,
        limit: Duration,
    ) -> Result<Found, ResolveError> {
        self.both_families(name)
            .await
            .map_err(|failure| self.error(&written(name), ADDRESSES, Some(failure), limit))
    }

    /// The SRV records of lowest priority, heaviest first, and how long they hold.
    pub(super) async fn services(
        &self,
        name: &str,
        limit: Duration,
    ) -> Result<(Vec<SRV>, Duration), ResolveError> {
        let mut worst = None;
        for candidate in self.candidates(name)? {
            match self.records(&candidate, RecordType::SRV).await {
                Ok((data, ttl)) => {
                    let records = preferred(data);
                    if !records.is_empty() {
                        return Ok((records, ttl));
                    }
                    Failure::goes_on(&mut worst, Failure::Empty);
                }
                Err(failure) => {
                    if !Failure::goes_on(&mut worst, failure) {
                        break;
                    }
                }
            }
        }
        Err(self.error(name, SERVICES, worst, limit))
    }

    /// The complete names that `text` may stand for, in order (resolv.conf(5), `search` and `ndots`).
    fn candidates(&self, text: &str) -> Result<Vec<Name>, ResolveError> {
        let complete = absolute(text)?;
        if text.ends_with('.') || self.search.is_empty() {
            return Ok(vec![complete]);
        }
        let mut relative = complete.clone();
        relative.set_fqdn(false);
        // A name that gets too long by a domain is no name.
        let searched = self
            .search
            .iter()
            .filter_map(|domain| relative.clone().append_domain(domain).ok());
        let as_is_first = text.matches('.').count() >= self.ndots;
        let mut names = Vec::new();
        if as_is_first {
            names.push(complete.clone());
        }
        names.extend(searched);
        if !as_is_first {
            names.push(complete);
        }
        Ok(names)
    }

    async fn both_families(&self, name: &Name) -> Result<Found, Failure> {
        let v6 = std::pin::pin!(self.family(name, RecordType::AAAA));
        let v4 = std::pin::pin!(self.family(name, RecordType::A));
        let (Either::Left((first, other)) | Either::Right((first, other))) = select(v6, v4).await;
        let second = match first {
            Ok(_) => timeout(OTHER_FAMILY, other).await.ok(),
            Err(_) => Some(other.await),
        };
        match (first, second) {
            (Ok(first), Some(Ok(second))) => Ok(Found {
                ips: [first.ips, second.ips].concat(),
                ttl: first.ttl.min(second.ttl),
            }),
            (Ok(found), _) | (Err(_), Some(Ok(found))) => Ok(found),
            (Err(first), Some(Err(second))) => Err(first.max(second)),
            (Err(failure), None) => Err(failure),
        }
    }

    async fn family(&self, name: &Name, records: RecordType) -> Result<Found, Failure> {
        let (data, ttl) = self.records(name, records).await?;
        let ips: Vec<IpAddr> = data.iter().filter_map(RData::ip_addr).collect();
        if ips.is_empty() {
            return Err(Failure::Empty);
        }
        Ok(Found {
            ips,
            ttl: Some(ttl),
        })
    }

    /// The data of the answer, and the shortest time that a record of it holds: aliases on the way (CNAME) count.
    async fn records(
        &self,
        name: &Name,
        records: RecordType,
    ) -> Result<(Vec<RData>, Duration), Failure> {
        let answer = self.resolver.lookup(name.clone(), records).await?;
        let ttl = answer
            .answers()
            .iter()
            .map(|record| record.ttl)
            .min()
            .unwrap_or(0);
        let data = answer.answers().iter().map(|record| record.data.clone());
        Ok((data.collect(), Duration::from_secs(ttl.into())))
    }

    fn error(
        &self,
        name: &str,
        asked: &'static str,
        failure: Option<Failure>,
        limit: Duration,
    ) -> ResolveError {
        let error = match failure.unwrap_or(Failure::NotFound) {
            Failure::NotFound => ResolveError::not_found(name),
            Failure::Empty => ResolveError::empty(name),
            Failure::Timeout => ResolveError::timeout(name, limit),
            Failure::Other(reason) => ResolveError::failed(name, reason),
        };
        error.asking(asked).of(&*self.source)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("source", &self.source)
            .field("search", &self.search)
            .finish_non_exhaustive()
    }
}

/// What came instead of an answer. In order: of two, the greater says more of what is wrong, since a name that may be there is
/// not to be called missing.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Failure {
    NotFound,
    Empty,
    Other(String),
    Timeout,
}

impl Failure {
    /// Keeps the greater of both. Whether the next domain of the search list is worth a try: after a time-out there is no time,
    /// after anything else it is what other resolvers do.
    fn goes_on(worst: &mut Option<Self>, failure: Self) -> bool {
        let again = failure != Self::Timeout;
        *worst = worst.take().max(Some(failure));
        again
    }
}

impl From<NetError> for Failure {
    fn from(error: NetError) -> Self {
        if let NetError::Dns(DnsError::NoRecordsFound(none)) = &error {
            return if none.response_code == ResponseCode::NXDomain {
                Self::NotFound
            } else {
                Self::Empty
            };
        }
        if matches!(error, NetError::Timeout) {
            return Self::Timeout;
        }
        let code = if let NetError::Dns(DnsError::ResponseCode(code)) = &error {
            Some(*code)
        } else {
            None
        };
        Self::Other(if code == Some(ResponseCode::ServFail) {
            "the server could not tell (SERVFAIL)".to_owned()
        } else if code == Some(ResponseCode::Refused) {
            "the server refuses to tell (REFUSED)".to_owned()
        } else {
            error.to_string()
        })
    }
}

/// Those of lowest priority, heaviest first, then by name and port. A target `.` says that there is no such service, and a port 0
/// cannot be connected to (RFC 2782).
fn preferred(data: Vec<RData>) -> Vec<SRV> {
    let mut records: Vec<SRV> = data
        .into_iter()
        .filter_map(|data| {
            if let RData::SRV(srv) = data {
                Some(srv)
            } else {
                None
            }
        })
        .filter(|srv| srv.port != 0 && !srv.target.is_root())
        .collect();
    let lowest = records.iter().map(|srv| srv.priority).min();
    records.retain(|srv| Some(srv.priority) == lowest);
    records.sort_by(|a, b| (b.weight, &a.target, a.port).cmp(&(a.weight, &b.target, b.port)));
    records.dedup();
    records
}

/// `text` as a complete name.
fn absolute(text: &str) -> Result<Name, ResolveError> {
    let mut name = Name::from_ascii(text)
        .map_err(|error| ResolveError::failed(text, format!("it is no name of DNS: {error}")))?;
    name.set_fqdn(true);
    Ok(name)
}

fn written(name: &Name) -> String {
    let text = name.to_ascii();
    text.strip_suffix('.').unwrap_or(&text).to_owned()
}

/// Servers, for messages.
pub(super) fn describe(servers: &[SocketAddr]) -> String {
    let all: Vec<_> = servers.iter().map(ToString::to_string).collect();
    format!("the DNS server {}", all.join(" or "))
}
