//! What ties a generated client or server to its policy.

use crate::policy::ServicePolicy;

/// A generated server, `FooServer<T>`. Implemented by code generation.
pub trait ServerContract: Sized {
    /// What the contract says of the service.
    const POLICY: &'static ServicePolicy;

    /// The server with the message limits of the contract set on it.
    #[must_use]
    fn with_contract_limits(self) -> Self;

    /// The server with a limit on its requests, in bytes: of a message as it is sent, and of what it unpacks to.
    #[must_use]
    fn with_request_limit(self, bytes: usize) -> Self;
}

/// A generated client, `FooClient<C>`, over a channel of type `C`. Implemented by code generation.
pub trait ClientContract<C>: Sized {
    /// What the contract says of the service.
    const POLICY: &'static ServicePolicy;

    /// The client over `channel`, with the message limits of the contract set on it.
    fn over(channel: C) -> Self;
}
