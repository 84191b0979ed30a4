//! What answers where a target is.

mod error;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::{Address, Target};
pub use error::ResolveError;

/// A future on the heap that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The answer to one look-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// Every address of the target. [`Discovery`](crate::Discovery) takes an empty list for a failure.
    pub addresses: Vec<Address>,
    /// How long the answer holds. `None`: it never changes, there is no need to ask again.
    pub ttl: Option<Duration>,
}

/// What looks targets up: [`DnsResolver`](crate::DnsResolver) is the one of the platform, a simulation or a registry of
/// another kind brings its own.
pub trait Resolve: Send + Sync + 'static {
    /// Asks once. [`Discovery`](crate::Discovery) bounds the time, asks again and keeps what was good: an implementation
    /// does none of this.
    ///
    /// # Errors
    /// The target has no address, or nobody could say whether it has.
    ///
    /// # Cancel safety
    /// The future may be dropped at any point, and is when the time is over.
    fn resolve<'a>(&'a self, target: &'a Target)
    -> BoxFuture<'a, Result<Resolution, ResolveError>>;
}
