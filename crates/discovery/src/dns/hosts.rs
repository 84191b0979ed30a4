//! Names that need no server.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Found;

/// A hosts file (hosts(5)).
#[derive(Debug, Default)]
pub(super) struct HostsFile {
    by_name: BTreeMap<String, Vec<IpAddr>>,
}

/// Where the system keeps it.
#[cfg(unix)]
const PATH: &str = "/etc/hosts";
#[cfg(not(unix))]
const PATH: &str = r"C:\Windows\System32\drivers\etc\hosts";

impl HostsFile {
    /// That of the system. One that cannot be read is as good as empty: a container may have none.
    pub(super) fn system() -> Self {
        match std::fs::read(PATH) {
            Ok(bytes) => Self::parse(&String::from_utf8_lossy(&bytes)),
            Err(error) => {
                tracing::debug!(path = PATH, %error, "no hosts file");
                Self::default()
            }
        }
    }

    pub(super) fn parse(text: &str) -> Self {
        let mut by_name: BTreeMap<String, Vec<IpAddr>> = BTreeMap::new();
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_whitespace();
            let Some(first) = words.next() else {
                continue;
            };
            let Ok(ip) = first.parse::<IpAddr>() else {
                tracing::warn!(
                    line,
                    "skipped a line of the hosts file: it does not begin with an IP address"
                );
                continue;
            };
            for name in words {
                by_name
                    .entry(name.to_ascii_lowercase())
                    .or_default()
                    .push(ip);
            }
        }
        Self { by_name }
    }

    /// The addresses of a name in small letters.
    pub(super) fn get(&self, name: &str) -> Option<Found> {
        let ips = self.by_name.get(name.strip_suffix('.').unwrap_or(name))?;
        Some(Found {
            ips: ips.clone(),
            ttl: None,
        })
    }
}

/// The loopback addresses, if `name` stands for them (RFC 6761 section 6.3).
pub(super) fn localhost(name: &str) -> Option<Found> {
    let name = name.strip_suffix('.').unwrap_or(name);
    (name == "localhost" || name.ends_with(".localhost")).then(|| Found {
        ips: vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()],
        ttl: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_hosts_files_hold() {
        let file = HostsFile::parse(
            "# who is who\n\n127.0.0.1 localhost\n10.0.0.7\tAuth auth.internal # the first\n10.0.0.8 auth\nfe80::1%eth0 odd\nnonsense\n10.0.0.9\n",
        );
        let check = |name: &str, expect: &[&str]| {
            let ips: Vec<String> = file
                .get(name)
                .map(|found| found.ips.iter().map(ToString::to_string).collect())
                .unwrap_or_default();
            assert_eq!(ips, expect, "{name}");
        };
        check("auth", &["10.0.0.7", "10.0.0.8"]);
        check("auth.", &["10.0.0.7", "10.0.0.8"]);
        check("auth.internal", &["10.0.0.7"]);
        check("localhost", &["127.0.0.1"]);
        check("odd", &[]);
        check("", &[]);
    }

    #[test]
    fn knows_localhost() {
        for (name, expect) in [
            ("localhost", true),
            ("localhost.", true),
            ("a.localhost", true),
            ("notlocalhost", false),
        ] {
            assert_eq!(localhost(name).is_some(), expect, "{name}");
        }
    }
}
