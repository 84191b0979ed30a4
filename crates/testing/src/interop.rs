//! grpc.testing.TestService behind our server, and the official cases through our channel.
//!
//! What each case is stands in gRPC's `doc/interop-test-descriptions.md`. `cargo xtask interop` plays them with grpc-go on the
//! other side.
//!
//! Not there: the cases about credentials of Google's cloud and about load reports, which we do not have; and those of
//! compression, which choose for each message whether it is compressed, as tonic cannot (and grpc-go's client has none).

mod cases;
mod echo;
mod service;

use std::io;
use std::net::SocketAddr;

use scribemed_server::Builder;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use cases::{CASES, Case, Outcome, contracts};
pub use echo::EchoMetadata;
pub use service::TestServer;

use crate::clock::SimulatedClock;
use crate::identity::Identity;
use v1::test_service_server::TestServiceServer;

/// What is generated from the contract.
#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "generated code; its documentation is that of the contract"
)]
pub mod v1 {
    tonic::include_proto!("grpc.testing");
}

/// Serves the TestService on a free port of the loopback, behind everything that a service has before it, until `shutdown`.
/// Returns the address and what serves it.
///
/// # Errors
/// No port is free, or no keys can be made.
pub async fn serve(
    shutdown: CancellationToken,
) -> io::Result<(SocketAddr, tokio::task::JoinHandle<()>)> {
    let identity = Identity::new().map_err(|error| io::Error::other(error.to_string()))?;
    let verifier = identity.verifier(SimulatedClock::default());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let service = EchoMetadata::new(TestServiceServer::new(TestServer::default()));
    let server = Builder::new("interop", verifier)
        .add(service)
        .serve(listener, shutdown);
    let serving = tokio::spawn(async move {
        if let Err(error) = server.await {
            tracing::error!(%error, "the server did not start");
        }
    });
    Ok((address, serving))
}
