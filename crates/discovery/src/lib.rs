//! Where a service is.
//!
//! A [`Target`] says how a service is addressed; a [`ServiceRegistry`] knows the target of each service by its discovery name,
//! read from `<NAME>_SERVICE_URL`. A [`Discovery`] keeps the [`Address`]es of a target up to date, asking a [`Resolve`]:
//! [`DnsResolver`] is the one for DNS.

mod address;
mod discovery;
mod dns;
mod registry;
mod resolve;
pub mod subset;
mod target;

pub use address::Address;
pub use discovery::{Config, Discovery, Subset, View};
pub use dns::DnsResolver;
pub use registry::{RegistryError, ServiceRegistry, variable};
pub use resolve::{BoxFuture, Resolution, Resolve, ResolveError};
pub use target::{Host, Kind, Target, TargetError};
