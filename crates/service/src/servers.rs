//! How a service serves others.

mod audit;
pub(crate) mod channelz;
mod limits;
mod overload;
mod sunset;
mod tls;

use std::time::Duration;

use scribemed_audit::AuditLog;
use scribemed_server::{AfterSunset, Builder, Limits, ServerTls};

pub use self::audit::{open_audit, open_audit_at};
pub use self::overload::OverloadSettings;
use crate::Env;
use crate::env;

/// How long calls in flight may take after the shutdown began, unless configured otherwise.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(20);

const GRACE: &str = "SCRIBEMED_GRACE";

/// What holds for all that a service serves: what an operator may set beside the contracts.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    grace: Duration,
    audit: Option<AuditLog>,
    overload: OverloadSettings,
    after_sunset: AfterSunset,
    channelz: bool,
    tls: Option<ServerTls>,
    limits: Limits,
}

/// 20 s to drain, nothing recorded, no TLS.
impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            grace: DEFAULT_GRACE,
            audit: None,
            overload: OverloadSettings::default(),
            after_sunset: AfterSunset::default(),
            channelz: false,
            tls: None,
            limits: Limits::default(),
        }
    }
}

impl ServerSettings {
    /// Reads the environment.
    ///
    /// | variable | what it is | default |
    /// |---|---|---|
    /// | `SCRIBEMED_GRACE` | how long calls in flight may take after the shutdown began, seconds, 0 to 3600 | 20 |
    /// | `SCRIBEMED_MAX_CONNECTIONS` | how many connections there may be at a time | 4000 |
    /// | `SCRIBEMED_MAX_CONNECTIONS_PER_PEER` | how many of them from one address | 100 |
    /// | `SCRIBEMED_MAX_CONNECTION_AGE` | how old one may become, seconds, 10 to 86400; 0 is any age | 1800 |
    /// | `SCRIBEMED_MAX_CONNECTION_IDLE` | how long one may be without a call, seconds, 10 to 86400; 0 is any time | 600 |
    /// | `SCRIBEMED_CONCURRENCY`, `SCRIBEMED_RATE_LIMITS` | what holds against overload | [`OverloadSettings::from_env`] |
    /// | `SCRIBEMED_AFTER_SUNSET` | what becomes of calls to methods that are past their sunset: `serve` or `refuse` | `serve` |
    /// | `SCRIBEMED_CHANNELZ` | whether `grpc.channelz.v1` answers peers on loopback, `on` or `off`; no token is asked for | off |
    /// | `SCRIBEMED_SERVER_TLS` | `off`; `on`: TLS; `optional`: callers may show a certificate; `required`: they must | `off` |
    /// | `SCRIBEMED_TLS_CERT`, `SCRIBEMED_TLS_KEY` | what this service shows of itself, PEM | required with TLS |
    /// | `SCRIBEMED_TLS_CA` | who vouches for callers' certificates, PEM | required where callers show some |
    /// | `SCRIBEMED_TRUST_DOMAIN` | the SPIFFE trust domain that callers' certificates must be of, `scribemed.local` | none: any certificate will do |
    ///
    /// The certificates are those that the service shows where it calls, too ([`ClientSettings`](crate::ClientSettings)).
    /// They are read here, and again every 30 s.
    ///
    /// # Errors
    /// A variable that is malformed, or names a file that cannot be used; the error shows a good value.
    pub fn from_env(env: &Env) -> Result<Self, env::Error> {
        Ok(Self {
            grace: grace(env)?,
            limits: limits::from_env(env)?,
            overload: OverloadSettings::from_env(env)?,
            after_sunset: sunset::from_env(env)?,
            channelz: channelz::from_env(env)?,
            tls: tls::from_env(env)?,
            ..Self::default()
        })
    }

    /// How long calls in flight may take after the shutdown began. Default [`DEFAULT_GRACE`].
    #[must_use]
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How long calls in flight may take after the shutdown began.
    pub fn grace(&self) -> Duration {
        self.grace
    }

    /// Records in `audit` who called what. Default `None`: nothing is recorded.
    #[must_use]
    pub fn with_audit(mut self, audit: Option<AuditLog>) -> Self {
        self.audit = audit;
        self
    }

    /// Where it is recorded who called what.
    pub fn audit(&self) -> Option<&AuditLog> {
        self.audit.as_ref()
    }

    /// What becomes of calls to methods that are past their sunset. Default: they are served.
    #[must_use]
    pub fn with_after_sunset(mut self, what: AfterSunset) -> Self {
        self.after_sunset = what;
        self
    }

    /// What holds against overload. Default [`OverloadSettings::default`].
    #[must_use]
    pub fn with_overload(mut self, overload: OverloadSettings) -> Self {
        self.overload = overload;
        self
    }

    /// Whether `grpc.channelz.v1` answers peers on loopback: who is connected, and whom the service calls. Default: no.
    #[must_use]
    pub fn with_channelz(mut self, served: bool) -> Self {
        self.channelz = served;
        self
    }

    /// Whether `grpc.channelz.v1` answers peers on loopback.
    pub fn channelz(&self) -> bool {
        self.channelz
    }

    /// Asks for TLS on every connection. Default: no TLS.
    #[must_use]
    pub fn with_tls(mut self, tls: ServerTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// The TLS of every connection; `None`: there is none.
    pub fn tls(&self) -> Option<&ServerTls> {
        self.tls.as_ref()
    }

    /// Sets all of it on a server in the making.
    pub(crate) fn configure(&self, server: Builder) -> Builder {
        let server = server
            .grace(self.grace)
            .limits(self.limits.clone())
            .after_sunset(self.after_sunset)
            .tls(self.tls.clone());
        let server = self.overload.configure(server);
        match &self.audit {
            Some(audit) => server.audit(audit.clone()),
            None => server,
        }
    }
}

fn grace(env: &Env) -> Result<Duration, env::Error> {
    const EXAMPLE: &str = "20";
    match env.parse(GRACE, EXAMPLE)? {
        None => Ok(DEFAULT_GRACE),
        Some(seconds @ 0..=3600) => Ok(Duration::from_secs(seconds)),
        Some(_) => Err(env.malformed(GRACE, "it is not from 0 to 3600", EXAMPLE)),
    }
}

#[cfg(test)]
mod tests;
