//! What a pick costs, measured on the balancer itself.

use std::sync::Arc;
use std::time::Duration;

use scribemed_discovery::Address;
use scribemed_resilience::slow_start::SlowStart;
use scribemed_rpc::policy::LoadBalancing;
use tokio::time::Instant;

use super::{Balancer, Otherwise, Snapshot};
use crate::clock::{Clock, Random};
use crate::connection::Connection;
use crate::endpoint::Endpoint;

/// How long it takes to make so many `picks` among so many ready `endpoints` with the default balancing, each with its
/// connection. The clock is read once a call, not for the pick. For benchmarks.
///
/// # Panics
/// Outside of a tokio runtime.
pub async fn measure_picks(endpoints: usize, picks: usize) -> Duration {
    let clock = Clock::start();
    let balancer = Balancer::new(
        LoadBalancing::PeakEwma,
        Arc::new(Random::seeded(1)),
        SlowStart::default(),
    );
    let mut ready = Vec::new();
    // Connections to nobody: a pick does not use them.
    let mut transports = Vec::new();
    for port in 0..endpoints {
        let port = u16::try_from(port).unwrap_or(u16::MAX);
        let address = Address::Socket(([127, 0, 0, 1], port).into());
        let endpoint = Endpoint::new(address, 1, clock.now());
        let (near, far) = tokio::io::duplex(1024);
        if let Ok((send, transport)) = h2::client::handshake(near).await {
            endpoint.connect(Arc::new(Connection::new(send)));
            transports.push((transport, far));
        }
        ready.push(Arc::new(endpoint));
    }
    balancer.publish(Snapshot {
        ready: ready.into(),
        otherwise: Otherwise::Connecting,
        all: Box::default(),
    });
    let begun = Instant::now();
    let now = clock.at(begun);
    for _ in 0..picks {
        std::hint::black_box(balancer.pick(None, now).is_ok());
    }
    begun.elapsed()
}
