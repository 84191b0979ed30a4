//! The one way to serve.
//!
//! A service author writes a handler and gets, in this order for each call: a request id and a trace, one line in the log,
//! the deadline (over the whole call, streamed bodies included), authentication, the permissions of the contract, size
//! limits, validation (in the generated codec), panic isolation, and google.rpc details on every error. A failure of a
//! service that the handler calls does not become its own answer. Health, reflection and draining come with it.

mod begin;
mod body;
mod builder;
mod call;
mod channelz;
mod connection;
mod doorbell;
mod exchange;
mod expiry;
mod failure;
mod frames;
pub mod grpc;
mod health;
mod keepalive;
mod lifetime;
mod limit;
mod limits;
mod observe;
mod peer;
mod places;
mod preface;
mod principal;
mod quota;
mod reflection;
mod response;
mod route;
mod serve;
mod shed;
mod stack;
mod tls;
mod versions;
mod wire;

pub use builder::{Builder, Error};
pub use channelz::{ChannelView, Channelz, Connectivity, EndpointView};
pub use health::{Check, Health, Prompt, Status};
pub use limits::Limits;
pub use peer::Peer;
pub use principal::principal;
pub use quota::{MalformedRateLimit, RateLimits};
pub use reflection::DescriptorError;
pub use scribemed_resilience::limit::Config as Concurrency;
pub use scribemed_tls::{Error as TlsError, IdentityFiles, Part as TlsPart, SpiffeId, TrustDomain};
pub use tls::{ClientAuthority, ClientCertificates, ServerTls, TlsConfig};
pub use versions::AfterSunset;
