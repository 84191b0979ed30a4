//! The one way to serve.
//!
//! A service author writes a handler and gets, in this order for each call: a request id and a trace, one line in the log,
//! the deadline (over the whole call, streamed bodies included), authentication, the permissions of the contract, size
//! limits, validation (in the generated codec), panic isolation, and google.rpc details on every error. Health, reflection
//! and draining come with it.

mod begin;
mod body;
mod builder;
mod call;
mod connection;
mod doorbell;
mod exchange;
mod expiry;
mod health;
mod keepalive;
mod limit;
mod peer;
mod principal;
mod quota;
mod response;
mod route;
mod serve;
mod shed;
mod stack;

pub use builder::{Builder, Error};
pub use health::{Health, Status};
pub use peer::Peer;
pub use principal::principal;
pub use quota::{MalformedRateLimit, RateLimits};
pub use scribemed_resilience::limit::Config as Concurrency;
