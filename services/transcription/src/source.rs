//! Where a recording may be fetched from.
//!
//! `audio_url` is chosen by a caller, so it is not trusted. `file:` reaches below one folder, `https:` reaches
//! named hosts at public addresses, and nothing else is reached: not this machine, not its network, not the
//! metadata service of a cloud, not by a redirect and not by a name that resolves to one of these.

mod address;
mod error;
mod file;
mod remote;
mod rules;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use url::Url;

pub use self::error::{ConfigError, Error};
use self::remote::{Client, Network};
use self::rules::Rules;

/// What may be fetched.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder that `file:` URLs reach; none by default.
    pub folder: Option<PathBuf>,
    /// The hosts that `https:` URLs reach, as `host` (port 443) or `host:port`; none by default.
    pub hosts: Vec<String>,
    /// The largest recording, in bytes; 25 MiB by default.
    pub max_bytes: u64,
    /// How long a download may take; 60 s by default.
    pub timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            folder: None,
            hosts: Vec::new(),
            max_bytes: 25 * 1024 * 1024,
            timeout: Duration::from_secs(60),
        }
    }
}

/// A URL that [`Sources::check`] allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked(Target);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    File(PathBuf),
    Https(Url),
}

/// Checks and fetches.
#[derive(Debug, Clone)]
pub struct Sources {
    rules: Arc<Rules>,
    client: Client,
    max_bytes: u64,
}

impl Sources {
    /// Takes the configuration; nothing is read or resolved yet.
    ///
    /// # Errors
    /// [`ConfigError`] when an entry of the hosts is no `host` or `host:port`.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        Self::on(config, Network::default())
    }

    fn on(config: Config, network: Network) -> Result<Self, ConfigError> {
        let rules = Arc::new(Rules::new(config.folder, &config.hosts, network.permitted)?);
        Ok(Self {
            client: Client::new(Arc::clone(&rules), network, config.timeout)?,
            rules,
            max_bytes: config.max_bytes,
        })
    }

    /// Decides whether a URL may be fetched, by its text alone: fast, and without touching disk or network.
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`Error::Refused`], which say what is allowed.
    pub fn check(&self, url: &str) -> Result<Checked, Error> {
        self.rules.check(url)
    }

    /// Fetches a recording.
    ///
    /// # Errors
    /// See [`Error`]; [`Error::is_retryable`] tells whether another attempt can help.
    ///
    /// # Cancel safety
    /// Dropping the future ends the download. Nothing is kept.
    pub async fn fetch(&self, checked: &Checked) -> Result<Bytes, Error> {
        match &checked.0 {
            Target::File(path) => file::read(&self.rules, path, self.max_bytes).await,
            Target::Https(url) => self.client.get(url, self.max_bytes).await,
        }
    }
}
