//! Reads targets.

use std::collections::BTreeSet;
use std::path::Path;

use super::host::{dns_server, name};
use super::{Host, Kind, Target, TargetError};
use crate::Address;

/// The longest path of a Unix socket that every system takes: `sun_path` has 104 bytes on some, with a NUL at the end.
const LONGEST_PATH: usize = 103;

/// Reads any text.
pub(super) fn target(text: &str) -> Result<Target, TargetError> {
    let (scheme, rest) = text.split_once("://").ok_or(TargetError::NoScheme)?;
    let mut target = match scheme {
        "http" => one(Host::parse(host_and_port(rest)?)?, false),
        "https" => one(Host::parse(host_and_port(rest)?)?, true),
        "dns" => dns(rest)?,
        "srv" => srv(after_slash("srv", rest)?)?,
        "static" => list(after_slash("static", rest)?)?,
        "unix" => unix(rest)?,
        _ => {
            return Err(TargetError::Scheme {
                scheme: scheme.to_owned(),
            });
        }
    };
    text.clone_into(&mut target.text);
    Ok(target)
}

/// A single host.
fn one(host: Host, tls: bool) -> Target {
    let (authority, server_name) = (host.to_string(), host.host());
    let kind = match host {
        Host::Address(socket) => Kind::Static(vec![Address::Socket(socket)]),
        Host::Name(host, port) => Kind::Dns {
            server: None,
            host,
            port,
        },
    };
    Target {
        text: String::new(),
        authority,
        server_name,
        tls,
        kind,
    }
}

fn dns(rest: &str) -> Result<Target, TargetError> {
    let (server, host) = rest.split_once('/').ok_or_else(|| TargetError::Slashes {
        rest: rest.to_owned(),
    })?;
    let asked = match server {
        "" => None,
        server => Some(dns_server(server)?),
    };
    let mut target = one(Host::parse(host_and_port(host)?)?, false);
    if let Kind::Dns { server, .. } = &mut target.kind {
        *server = asked;
    }
    Ok(target)
}

fn srv(rest: &str) -> Result<Target, TargetError> {
    let text = bare(rest)?;
    if let Some((_, port)) = text.split_once(':') {
        return Err(TargetError::SrvPort {
            port: port.to_owned(),
        });
    }
    if text.is_empty() {
        return Err(TargetError::NoHost);
    }
    let name = name(text)?;
    // The name of a server is that of its domain: `_grpc._tcp` says only what is looked for (RFC 6125 section 6.2.1).
    let mut domain = name.strip_suffix('.').unwrap_or(&name);
    while domain.starts_with('_') {
        match domain.split_once('.') {
            Some((_, parent)) => domain = parent,
            None => break,
        }
    }
    Ok(Target {
        text: String::new(),
        authority: domain.to_owned(),
        server_name: domain.to_owned(),
        tls: false,
        kind: Kind::Srv { name },
    })
}

fn list(rest: &str) -> Result<Target, TargetError> {
    let text = bare(rest)?;
    let mut hosts = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in text.split(',') {
        let entry = entry.trim_matches(' ');
        if entry.is_empty() {
            return Err(TargetError::EmptyEntry);
        }
        let host = Host::parse(entry)?;
        if !seen.insert(host.clone()) {
            return Err(TargetError::Duplicate {
                entry: host.to_string(),
            });
        }
        hosts.push(host);
    }
    let first = hosts.first().ok_or(TargetError::EmptyEntry)?;
    let (authority, server_name) = (first.to_string(), first.host());
    let addresses: Option<Vec<_>> = hosts
        .iter()
        .map(|host| match host {
            Host::Address(socket) => Some(Address::Socket(*socket)),
            Host::Name(..) => None,
        })
        .collect();
    Ok(Target {
        text: String::new(),
        authority,
        server_name,
        tls: false,
        kind: addresses.map_or_else(|| Kind::Names(hosts), Kind::Static),
    })
}

fn unix(path: &str) -> Result<Target, TargetError> {
    let wrong = |reason| TargetError::Path {
        path: path.to_owned(),
        reason,
    };
    if !path.starts_with('/') {
        return Err(wrong(
            "it does not begin with /; write unix:///run/service.sock with three slashes",
        ));
    }
    if path.ends_with('/') {
        return Err(wrong(
            "it ends with /, which names a folder; write unix:///run/service.sock",
        ));
    }
    if path.contains('\0') {
        return Err(wrong("it holds a NUL; write unix:///run/service.sock"));
    }
    if path.len() > LONGEST_PATH {
        return Err(wrong(
            "it is longer than the 103 bytes that systems take; choose a shorter one",
        ));
    }
    Ok(Target {
        text: String::new(),
        authority: "localhost".to_owned(),
        server_name: "localhost".to_owned(),
        tls: false,
        kind: Kind::Unix(Path::new(path).into()),
    })
}

/// What follows `scheme:///`.
fn after_slash<'a>(scheme: &'static str, rest: &'a str) -> Result<&'a str, TargetError> {
    match rest.split_once('/') {
        Some(("", rest)) => Ok(rest),
        Some((server, _)) => Err(TargetError::Server {
            scheme,
            server: server.to_owned(),
        }),
        None => Err(TargetError::Server {
            scheme,
            server: rest.to_owned(),
        }),
    }
}

/// Host and port of a URI. A single `/` may follow, because people write it.
fn host_and_port(rest: &str) -> Result<&str, TargetError> {
    bare(rest.strip_suffix('/').unwrap_or(rest))
}

/// `text` without a user, a path, a query and a fragment.
fn bare(text: &str) -> Result<&str, TargetError> {
    let excess = |excess: &str| TargetError::Excess {
        excess: excess.to_owned(),
    };
    if let Some(at) = text.find(['/', '?', '#']) {
        return Err(excess(text.get(at..).unwrap_or(text)));
    }
    // Not shown: a password may stand there.
    if text.contains('@') {
        return Err(excess("user@"));
    }
    Ok(text)
}
