//! Why a text is no target.

/// Every scheme, for messages.
pub(super) const SCHEMES: &str = "dns:///, srv:///, static:///, http://, https://, unix:///";

/// Why a text is no target. Each says what is wrong and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// There is no `://`.
    #[error("it has no scheme; begin with one of {SCHEMES}")]
    NoScheme,
    /// The scheme is none of those known.
    #[error("the scheme {scheme:?} is not known; use one of {SCHEMES}")]
    Scheme {
        /// As given.
        scheme: String,
    },
    /// Something stands where only `dns` has a server.
    #[error(
        "{scheme}:// takes no server, but {server:?} stands where one would; write {scheme}:/// with three slashes"
    )]
    Server {
        /// The scheme.
        scheme: &'static str,
        /// As given.
        server: String,
    },
    /// A `dns` target ends where its server does.
    #[error(
        "dns://{} names a DNS server and no host; write dns:///host:port with three slashes", rest.escape_debug()
    )]
    Slashes {
        /// What follows `dns://`.
        rest: String,
    },
    /// The DNS server is no IP address.
    #[error(
        "the DNS server {server:?} is no IP address with a port or without; write dns://10.0.0.2:53/host:port"
    )]
    DnsServer {
        /// As given.
        server: String,
    },
    /// There is no host.
    #[error("it has an empty host; write host:port")]
    NoHost,
    /// The host is neither a name nor an IP address.
    #[error("{host:?} is no host: {reason}")]
    Host {
        /// As given.
        host: String,
        /// What is wrong with it, and what would be right.
        reason: &'static str,
    },
    /// There is no port, or it is 0.
    #[error("{entry:?} names no port; give one from 1 to 65535, as in host:50051")]
    NoPort {
        /// As given.
        entry: String,
    },
    /// The port is no number up to 65535.
    #[error("{port:?} is an invalid port; give a number from 1 to 65535")]
    Port {
        /// As given.
        port: String,
    },
    /// An SRV name came with a port.
    #[error("an SRV name has no port, ports come with its records; leave out \":{}\"", port.escape_debug())]
    SrvPort {
        /// As given.
        port: String,
    },
    /// There is a path, a query, a user or a fragment.
    #[error("it holds more than a host and a port; leave out {excess:?}")]
    Excess {
        /// The part that is too much.
        excess: String,
    },
    /// The list of addresses holds nothing, or nothing between two commas.
    #[error("the list has an empty entry; write static:///host:port,host:port")]
    EmptyEntry,
    /// The list of addresses holds one twice.
    #[error("{entry} stands twice in the list; each address is used once, leave out the second")]
    Duplicate {
        /// The address.
        entry: String,
    },
    /// No Unix socket can be at that path.
    #[error("{path:?} is no path of a socket: {reason}")]
    Path {
        /// As given.
        path: String,
        /// What is wrong with it, and what would be right.
        reason: &'static str,
    },
}
