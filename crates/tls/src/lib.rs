//! Certificates: read from files, looked at again while the process runs, and the SPIFFE ids in them.
//!
//! What the two sides of a TLS connection have in common. Each side makes its own configuration of it: the channel in
//! `scribemed-client`, the server in `scribemed-server`. The cryptography is that of aws-lc-rs on both.

mod error;
mod files;
mod live;
mod spiffe;

use std::sync::Arc;

use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};

pub use error::{Error, Part, describe};
pub use files::{Authorities, Files, Identity, IdentityFiles, Material};
pub use live::Live;
pub use spiffe::{InvalidTrustDomain, NoSpiffeId, SpiffeId, TrustDomain};

/// The protocol that both sides must agree on (ALPN), as gRPC over TLS requires.
pub const ALPN: &[u8] = b"h2";

/// The cryptography of both sides.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
