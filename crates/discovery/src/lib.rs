//! Where a service is.
//!
//! A [`Target`] names a service's address; a [`ServiceRegistry`] knows the target of each service by its discovery name,
//! read from `<NAME>_SERVICE_URL`.

mod registry;
mod target;

pub use registry::{RegistryError, ServiceRegistry, variable};
pub use target::{Target, TargetError};
