//! What is allowed, decided by the text of a URL.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Component, PathBuf};

use url::{Host, Url};

use super::{Checked, ConfigError, Error, Target};

const HTTPS: u16 = 443;
const EXAMPLE: &str = "https://audio.example.org/visit.wav";

/// The folder, the hosts and the addresses that may be reached.
#[derive(Debug)]
pub(super) struct Rules {
    folder: Option<PathBuf>,
    hosts: BTreeSet<(String, u16)>,
    permitted: fn(IpAddr) -> bool,
}

impl Rules {
    pub(super) fn new(
        folder: Option<PathBuf>,
        hosts: &[String],
        permitted: fn(IpAddr) -> bool,
    ) -> Result<Self, ConfigError> {
        let hosts = hosts
            .iter()
            .map(|entry| host(entry))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            folder,
            hosts,
            permitted,
        })
    }

    pub(super) fn check(&self, url: &str) -> Result<Checked, Error> {
        let url = Url::parse(url).map_err(|fault| Error::Malformed {
            detail: fault.to_string(),
            example: EXAMPLE,
        })?;
        match url.scheme() {
            "file" => self.check_file(&url).map(Target::File),
            "https" => self.check_https(&url).map(|()| Target::Https(url)),
            other => Err(self.refuse(format!("the scheme {other:?}"))),
        }
        .map(Checked)
    }

    fn check_file(&self, url: &Url) -> Result<PathBuf, Error> {
        let Some(folder) = &self.folder else {
            return Err(self.refuse("file URLs"));
        };
        if url
            .host_str()
            .is_some_and(|host| !host.is_empty() && host != "localhost")
        {
            return Err(self.refuse("a file on another host"));
        }
        // The parser drops "localhost" and resolves "..", but leaves "..%2F" to be found here.
        let path = url
            .to_file_path()
            .map_err(|()| self.refuse("a file on another host"))?;
        let plain = path
            .components()
            .all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
        let inside = path.starts_with(folder) && path != *folder;
        if !plain || !inside || path.as_os_str().as_encoded_bytes().contains(&0) {
            return Err(self.refuse("a file outside of the folder"));
        }
        Ok(path)
    }

    /// Also asked about each redirect.
    pub(super) fn check_https(&self, url: &Url) -> Result<(), Error> {
        if url.scheme() != "https" {
            return Err(self.refuse(format!("the scheme {:?}", url.scheme())));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(self.refuse("a URL with a user name or a password"));
        }
        let port = url.port_or_known_default().unwrap_or(HTTPS);
        let name = url.host_str().unwrap_or_default();
        if !self.hosts.contains(&(name.to_owned(), port)) {
            return Err(self.refuse(format!("the host {name}:{port}")));
        }
        match url.host() {
            Some(Host::Ipv4(address)) => self.check_address(name, address.into()),
            Some(Host::Ipv6(address)) => self.check_address(name, address.into()),
            Some(Host::Domain(_)) | None => Ok(()),
        }
    }

    /// Whether a connection to this address, found under this name, may be made.
    pub(super) fn check_address(&self, name: &str, address: IpAddr) -> Result<(), Error> {
        if (self.permitted)(address) {
            return Ok(());
        }
        Err(self.refuse(format!(
            "{name} at the address {address}, which is not public"
        )))
    }

    /// The folder, for the check that a link does not lead out of it.
    pub(super) fn folder(&self) -> Option<&PathBuf> {
        self.folder.as_ref()
    }

    /// Says what is allowed.
    pub(super) fn refuse(&self, what: impl Into<String>) -> Error {
        let mut allowed = Vec::new();
        if let Some(folder) = &self.folder {
            allowed.push(format!("file://{}/...", folder.display()));
        }
        allowed.extend(self.hosts.iter().map(|(host, port)| match *port {
            HTTPS => format!("https://{host}/..."),
            port => format!("https://{host}:{port}/..."),
        }));
        if allowed.is_empty() {
            allowed.push("no URLs here: send the audio itself".to_owned());
        }
        Error::Refused {
            what: what.into(),
            allowed: allowed.join(", "),
        }
    }
}

/// Reads `host` or `host:port`, in the spelling that the URL parser gives it.
fn host(entry: &str) -> Result<(String, u16), ConfigError> {
    let invalid = || ConfigError::Host {
        entry: entry.to_owned(),
    };
    let url = Url::parse(&format!("https://{entry}")).map_err(|_| invalid())?;
    let plain = url.path() == "/"
        && !entry.ends_with('/')
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    match url.host_str() {
        Some(host) if plain => Ok((host.to_owned(), url.port().unwrap_or(HTTPS))),
        _ => Err(invalid()),
    }
}
