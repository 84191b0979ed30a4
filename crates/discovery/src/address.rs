//! Where a connection goes.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

/// What a connection is made to: one endpoint of a service.
///
/// Addresses have an order, that of their parts, so that a set of them can be written in one way only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// An IP address and a TCP port.
    Socket(SocketAddr),
    /// The path of a Unix domain socket.
    Unix(Arc<Path>),
}

impl Address {
    /// The IP address and port; none for a Unix socket.
    pub fn socket(&self) -> Option<SocketAddr> {
        match self {
            Self::Socket(socket) => Some(*socket),
            Self::Unix(_) => None,
        }
    }
}

/// `10.0.0.7:50052`, `[2001:db8::7]:50052` or `unix:/run/transcription.sock`.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(socket) => socket.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(socket: SocketAddr) -> Self {
        Self::Socket(socket)
    }
}

/// Without duplicates, the first of each staying where it is.
pub(crate) fn distinct(addresses: Vec<Address>) -> Vec<Address> {
    let mut seen = std::collections::BTreeSet::new();
    let mut kept = addresses;
    kept.retain(|address| seen.insert(address.clone()));
    kept
}

/// One order for one set: each family sorted, then IPv6 and IPv4 by turns, so that a family that does not work delays a
/// connection by one attempt only (RFC 8305 section 4, gRFC A61). Unix sockets come last.
pub(crate) fn interleave(addresses: Vec<Address>) -> Vec<Address> {
    let mut sorted = addresses;
    sorted.sort_unstable();
    sorted.dedup();
    let (sockets, paths): (Vec<_>, Vec<_>) = sorted.into_iter().partition(|a| a.socket().is_some());
    let (v6, v4): (Vec<_>, Vec<_>) = sockets
        .into_iter()
        .partition(|a| a.socket().is_some_and(|socket| socket.is_ipv6()));
    let (mut v6, mut v4) = (v6.into_iter(), v4.into_iter());
    let mut turns = Vec::new();
    loop {
        let pair = [v6.next(), v4.next()];
        if pair.iter().all(Option::is_none) {
            break;
        }
        turns.extend(pair.into_iter().flatten());
    }
    turns.extend(paths);
    turns
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn addresses(text: &[&str]) -> Vec<Address> {
        text.iter()
            .map(|text| match text.strip_prefix("unix:") {
                Some(path) => Address::Unix(Path::new(path).into()),
                None => Address::Socket(text.parse().unwrap()),
            })
            .collect()
    }

    #[test]
    fn is_written_as_targets_write_it() {
        for text in ["10.0.0.7:50052", "[2001:db8::7]:50052", "unix:/run/x.sock"] {
            assert_eq!(addresses(&[text])[0].to_string(), text);
        }
    }

    #[test]
    fn families_take_turns() {
        for (given, expect) in [
            (
                &["1.0.0.2:1", "1.0.0.1:1"][..],
                &["1.0.0.1:1", "1.0.0.2:1"][..],
            ),
            (
                &[
                    "1.0.0.3:1",
                    "unix:/a",
                    "[::2]:1",
                    "1.0.0.1:1",
                    "[::1]:1",
                    "1.0.0.2:1",
                ],
                &[
                    "[::1]:1",
                    "1.0.0.1:1",
                    "[::2]:1",
                    "1.0.0.2:1",
                    "1.0.0.3:1",
                    "unix:/a",
                ],
            ),
            (&["[::1]:1", "[::1]:1", "[::2]:1"], &["[::1]:1", "[::2]:1"]),
            (&[], &[]),
        ] {
            assert_eq!(interleave(addresses(given)), addresses(expect));
        }
    }

    #[test]
    fn the_first_of_equals_stays() {
        let given = addresses(&["1.0.0.2:1", "1.0.0.1:1", "1.0.0.2:1"]);
        assert_eq!(distinct(given), addresses(&["1.0.0.2:1", "1.0.0.1:1"]));
    }
}
