//! How a service is addressed.

mod error;
mod host;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use crate::Address;
pub use error::TargetError;

/// How a service is addressed: what to connect to, or whom to ask for it.
///
/// | target | its addresses |
/// |---|---|
/// | `dns:///transcription:50052` | all that the system's DNS servers know for the name |
/// | `dns://10.0.0.2:53/transcription:50052` | the same from that server; its port is 53 unless said |
/// | `srv:///_grpc._tcp.transcription.internal` | those of the SRV records of lowest priority (RFC 2782) |
/// | `static:///10.0.0.7:50052,10.0.0.8:50052` | those listed; a name in the list is looked up in DNS |
/// | `http://transcription:50052`, `https://...` | as `dns:///`; `https` says that TLS is spoken |
/// | `unix:///run/transcription.sock` | that socket |
///
/// An IP address may stand for a name and is never looked up; an IPv6 address stands in brackets. A port is from 1 to 65535
/// and is never guessed. Names are of ASCII, compared without regard to case, and written in small letters here.
///
/// ```
/// use scribemed_discovery::Target;
///
/// let target: Target = "dns:///transcription:50052".parse()?;
/// assert_eq!(target.authority(), "transcription:50052");
/// # Ok::<(), scribemed_discovery::TargetError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    text: String,
    authority: String,
    server_name: String,
    tls: bool,
    kind: Kind,
}

/// Where the addresses of a target come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A and AAAA records of a name.
    Dns {
        /// The server to ask; without one those of the system, with its hosts file before and its search list.
        server: Option<SocketAddr>,
        /// The name.
        host: String,
        /// The port of each address.
        port: u16,
    },
    /// SRV records of a name, and A and AAAA records of the names in them.
    Srv {
        /// The name: `_grpc._tcp.transcription.internal`.
        name: String,
    },
    /// Known, and in this order. An IP address in a `dns`, `http` or `https` target is such a list of one.
    Static(Vec<Address>),
    /// A static list with at least one name in it, in this order.
    Names(Vec<Host>),
    /// A Unix domain socket.
    Unix(Arc<Path>),
}

/// An entry of a static list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// An address that needs no look-up.
    Address(SocketAddr),
    /// A name, and the port of each of its addresses.
    Name(String, u16),
}

impl Target {
    /// Where the addresses come from.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// What requests carry as `:authority` (RFC 9113 section 8.3.1): `host:port`. For a static list its first entry, for a
    /// Unix socket `localhost`, for SRV the name without its labels for service and protocol.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Whether TLS is spoken: whether the scheme is `https`.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// The name that a TLS server has to prove: the host of [`authority`](Self::authority), without port and brackets.
    pub fn server_name(&self) -> &str {
        &self.server_name
    }
}

impl FromStr for Target {
    type Err = TargetError;

    /// Takes any text and never panics.
    fn from_str(text: &str) -> Result<Self, TargetError> {
        parse::target(text)
    }
}

/// As it was written.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `host:port`, an IPv6 address in brackets.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(socket) => socket.fmt(f),
            Self::Name(name, port) => write!(f, "{name}:{port}"),
        }
    }
}
