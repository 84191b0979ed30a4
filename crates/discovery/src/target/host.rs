//! Hosts and ports as targets write them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Host, TargetError};

/// The longest name that DNS carries, without a final dot (RFC 1035 section 2.3.4).
const LONGEST_NAME: usize = 253;
/// The longest label (RFC 1035 section 2.3.4).
const LONGEST_LABEL: usize = 63;

impl Host {
    /// `host:port`.
    pub(super) fn parse(text: &str) -> Result<Self, TargetError> {
        let (host, port) = split_port(text)?;
        if host.is_empty() {
            return Err(TargetError::NoHost);
        }
        let no_port = || TargetError::NoPort {
            entry: text.to_owned(),
        };
        let port = match number(port.ok_or_else(no_port)?)? {
            0 => return Err(no_port()),
            port => port,
        };
        Ok(match ip(host)? {
            Some(ip) => Self::Address(SocketAddr::new(ip, port)),
            None => Self::Name(name(host)?, port),
        })
    }

    /// The host alone, an IPv6 address without brackets.
    pub(super) fn host(&self) -> String {
        match self {
            Self::Address(socket) => socket.ip().to_string(),
            Self::Name(name, _) => name.clone(),
        }
    }
}

/// An IP address with a port or without: a DNS server.
pub(super) fn dns_server(text: &str) -> Result<SocketAddr, TargetError> {
    let wrong = || TargetError::DnsServer {
        server: text.to_owned(),
    };
    let (host, port) = split_port(text).map_err(|_| wrong())?;
    let ip = ip(host).ok().flatten().ok_or_else(wrong)?;
    let port = port.map_or(Ok(53), number).map_err(|_| wrong())?;
    if port == 0 {
        return Err(wrong());
    }
    Ok(SocketAddr::new(ip, port))
}

/// A name of DNS in small letters. A final dot stays: it keeps the search list out.
pub(super) fn name(text: &str) -> Result<String, TargetError> {
    let wrong = |reason| TargetError::Host {
        host: text.to_owned(),
        reason,
    };
    if !text.is_ascii() {
        return Err(wrong("it is not of ASCII; write the name in its xn-- form"));
    }
    let bare = text.strip_suffix('.').unwrap_or(text);
    if bare.len() > LONGEST_NAME {
        return Err(wrong("it is longer than 253 characters"));
    }
    for label in bare.split('.') {
        if label.is_empty() {
            return Err(wrong("there is nothing before, between or after its dots"));
        }
        if label.len() > LONGEST_LABEL {
            return Err(wrong("a part of it is longer than 63 characters"));
        }
        if !label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        {
            return Err(wrong(
                "a name is of letters, digits, - and _, with dots between its parts",
            ));
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(wrong("a part of it begins or ends with -"));
        }
    }
    // What ends in a number is meant as an IPv4 address (WHATWG URL, "ends in a number checker"), and `ip` did not take it.
    if bare
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()))
    {
        return Err(wrong(
            "it is no IPv4 address, and a name does not end in a number; write 10.0.0.7",
        ));
    }
    Ok(text.to_ascii_lowercase())
}

/// The text before the port, and the port. The colons of an IPv6 address in brackets are none of a port.
fn split_port(text: &str) -> Result<(&str, Option<&str>), TargetError> {
    let wrong = |reason| TargetError::Host {
        host: text.to_owned(),
        reason,
    };
    if text.starts_with('[') {
        let (inside, after) = text
            .split_once(']')
            .ok_or_else(|| wrong("a bracket is not closed; write [::1]:50051"))?;
        // `inside` keeps its bracket, which tells an IPv6 address from a name.
        return match after.strip_prefix(':') {
            Some(port) => Ok((inside, Some(port))),
            None if after.is_empty() => Ok((inside, None)),
            None => Err(wrong(
                "only a port may follow an address; write [::1]:50051",
            )),
        };
    }
    match text.split_once(':') {
        Some((_, rest)) if rest.contains(':') => Err(wrong(
            "an IPv6 address stands in brackets; write [::1]:50051",
        )),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((text, None)),
    }
}

/// The IP address that `host` is, if it is meant as one. One of IPv6 still has its opening bracket.
fn ip(host: &str) -> Result<Option<IpAddr>, TargetError> {
    match host.strip_prefix('[') {
        Some(v6) => match v6.parse::<Ipv6Addr>() {
            Ok(ip) => Ok(Some(ip.into())),
            Err(_) => Err(TargetError::Host {
                host: v6.to_owned(),
                reason: "between brackets stands an IPv6 address without a zone; write [::1]:50051",
            }),
        },
        None => Ok(host.parse::<Ipv4Addr>().ok().map(IpAddr::from)),
    }
}

/// A port. No sign and no space, which `str::parse` would take in part.
fn number(text: &str) -> Result<u16, TargetError> {
    let wrong = || TargetError::Port {
        port: text.to_owned(),
    };
    if text.is_empty() {
        return Ok(0);
    }
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    text.parse().map_err(|_| wrong())
}
