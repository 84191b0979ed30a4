//! Keeping one connection of an endpoint up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use scribemed_resilience::backoff::Backoff;
use scribemed_telemetry::metrics::TargetMetrics;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Endpoint, Slot, State, health};
use crate::clock::Random;
use crate::connect::Connector;
use crate::connection::{Connection, Driver, Ended, Probing, establish};

/// What all endpoints of a channel have in common.
pub(crate) struct Environment {
    pub(crate) connector: Connector,
    /// What the peer must call itself, with TLS.
    pub(crate) server_name: String,
    /// For the requests of health watches.
    pub(crate) origin: http::Uri,
    /// The service whose health is watched on each connection; `None`: a connection is ready once it is there.
    pub(crate) health_service: Option<String>,
    /// The longest that a connection may take to be made: TCP, TLS and HTTP/2.
    pub(crate) connect_timeout: Duration,
    pub(crate) backoff: Backoff,
    pub(crate) probing: Probing,
    pub(crate) random: Arc<Random>,
    pub(crate) metrics: TargetMetrics,
    /// A state has changed: who balances has something to do.
    pub(crate) changed: Notify,
    /// A connection was lost: it is time to ask for the addresses again.
    pub(crate) lost: AtomicBool,
}

/// Why a connection is over that broke, as the metrics have it.
const LOST: &str = "connection lost";
/// A connection that broke sooner than this after it was made counts as one that could not be made: a peer that greets and
/// hangs up, again and again, is asked more and more seldom.
const BRIEF: Duration = Duration::from_secs(1);

impl Environment {
    fn set(&self, slot: &Slot, state: State) {
        if slot.state.swap(state as u8, Relaxed) != state as u8 {
            self.changed.notify_one();
        }
    }
}

/// Keeps connection number `index` of `endpoint` up until `retired`. Calls that are in flight then go on.
pub(crate) async fn run(
    environment: Arc<Environment>,
    endpoint: Arc<Endpoint>,
    index: usize,
    retired: CancellationToken,
) {
    let Some(slot) = endpoint.slots.get(index) else {
        return;
    };
    if index > 0 {
        tokio::select! {
            biased;
            () = retired.cancelled() => return,
            () = slot.wanted.notified() => {}
        }
    }
    let mut failures = 0;
    loop {
        let begun = Instant::now();
        // After a failure the endpoint counts as failed until it is ready again (gRFC A62): calls do not wait for it.
        if failures == 0 {
            environment.set(slot, State::Connecting);
        }
        let made = tokio::select! {
            biased;
            () = retired.cancelled() => break,
            made = connect(&environment, &endpoint) => made,
        };
        environment.metrics.connection_attempt(made.is_ok());
        match made {
            Ok((connection, driver)) => {
                tracing::debug!(endpoint = %endpoint.name, "connected");
                let since = Instant::now();
                let why = serve(&environment, &endpoint, slot, connection, driver, &retired).await;
                slot.connection.store(None);
                let Some(why) = why else {
                    break;
                };
                let brief = why == LOST && since.elapsed() < BRIEF;
                failures = if brief { failures + 1 } else { 0 };
                environment.lost.store(true, Relaxed);
                environment.set(slot, State::Connecting);
                environment.metrics.disconnected(why);
            }
            Err(what) => {
                failures += 1;
                tracing::debug!(endpoint = %endpoint.name, failures, "no connection: {what}");
                endpoint.failed(what);
                environment.lost.store(true, Relaxed);
                environment.set(slot, State::Failed);
                // Also where it was failed before: what is said of it has changed.
                environment.changed.notify_one();
            }
        }
        // Attempts begin at least this far apart (gRPC connection backoff), spread so that the callers of a server that
        // comes back do not come all at once.
        let wait = environment
            .backoff
            .delay(failures.max(1), &mut environment.random.source());
        tokio::select! {
            biased;
            () = retired.cancelled() => break,
            () = tokio::time::sleep_until(begun + wait) => {}
        }
    }
    environment.set(slot, State::Idle);
}

async fn connect(
    environment: &Environment,
    endpoint: &Endpoint,
) -> Result<(Arc<Connection>, Driver), String> {
    let making = async {
        let io = environment
            .connector
            .connect(&endpoint.address, &environment.server_name)
            .await
            .map_err(|error| error.to_string())?;
        let probing = Probing {
            calm: Arc::clone(&endpoint.calm),
            ..environment.probing.clone()
        };
        establish(io, probing).await
    };
    tokio::time::timeout(environment.connect_timeout, making)
        .await
        .unwrap_or_else(|_| {
            Err(format!(
                "no HTTP/2 connection within {:?}",
                environment.connect_timeout
            ))
        })
}

/// Drives a connection and watches the health behind it. Returns why it is over; `None`: the endpoint was retired.
async fn serve(
    environment: &Arc<Environment>,
    endpoint: &Arc<Endpoint>,
    slot: &Slot,
    connection: Arc<Connection>,
    mut driver: Driver,
    retired: &CancellationToken,
) -> Option<&'static str> {
    slot.connection.store(Some(Arc::clone(&connection)));
    let tell = |state| environment.set(slot, state);
    let ended = {
        let watch = async {
            match &environment.health_service {
                // A peer that takes one stream at a time has none to spare for a watch that does not end.
                Some(service) if connection.max_streams() > 1 => {
                    connection.set_watched(true);
                    health::watch(environment, endpoint, &connection, service, tell).await;
                    connection.set_watched(false);
                }
                Some(_) | None => tell(State::Ready),
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            biased;
            ended = driver.run() => Some(ended),
            () = retired.cancelled() => None,
            () = watch => None,
        }
    };
    match ended {
        Some(Ended::Closed(what)) => {
            tracing::debug!(endpoint = %endpoint.name, "connection lost: {what}");
            endpoint.failed(what);
            Some(LOST)
        }
        Some(Ended::GoAway) => {
            tracing::debug!(endpoint = %endpoint.name, "the server is going away");
            tokio::spawn(driver.finish());
            Some("GOAWAY")
        }
        Some(Ended::Suspect) => {
            tracing::warn!(endpoint = %endpoint.name, "a ping was not answered; calls go elsewhere");
            endpoint.failed("a ping was not answered in time");
            tokio::spawn(driver.finish());
            Some("ping not answered")
        }
        None => {
            tokio::spawn(driver.finish());
            None
        }
    }
}
