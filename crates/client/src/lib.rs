//! The one way to call another service.
//!
//! A [`Channel`] stands under an unchanged generated client. Every call through it carries, without a word of the caller's,
//! a service token, the request id, the trace, and the time that is left; it ends by the deadline, streamed bodies
//! included, and with the call that made it. It goes to a healthy endpoint, and again to another one where the contract
//! allows it. What became of a call that failed is told by its [`CallReport`].

mod balance;
mod body;
mod builder;
mod call;
mod channel;
mod clock;
mod connect;
mod connection;
mod endpoint;
mod failure;
mod outgoing;
mod payload;
mod policy;
mod reload;
mod report;
mod response;
pub mod service_config;
mod shared;
mod status;
mod ticket;
mod traced;

pub use balance::measure_picks;
pub use builder::{BuildError, Builder, Config};
pub use channel::{Channel, NeverResolved};
pub use connect::{BoxFuture, Connect, Io, SocketConnector, Tls, TlsError};
pub use policy::{CallPolicy, CodeSet, Hedge, Reattempt, Retry};
pub use report::CallReport;
pub use response::ResponseBody;
pub use scribemed_tls::{IdentityFiles, NoSpiffeId, SpiffeId, TrustDomain};
pub use status::{ChannelStatus, EndpointStatus};
