//! A client that makes calls all the time.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use scribemed_client::{CallReport, Channel, Config};
use scribemed_discovery::Target;
use scribemed_resilience::budget;
use scribemed_rpc::ClientContract as _;
use scribemed_telemetry::metrics::Metrics;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tonic::{Code, Status};

use crate::clock::SimulatedClock;
use crate::identity::Identity;
use crate::journal::{Event, Journal, Kind};
use crate::names::Names;
use crate::network::SimulatedSockets;
use crate::v1::simulated_service_client::SimulatedServiceClient;
use crate::v1::{SIMULATED_SERVICE_POLICY, SimulatedRequest};

/// How long after the last call a channel is closed, and how long after that nothing of it may be left: what still waits for
/// a silent peer gives up after 5 s.
const QUIET: Duration = Duration::from_secs(1);
pub(crate) const GONE: Duration = Duration::from_secs(6);

/// A client.
pub(crate) struct Caller {
    pub(crate) client: usize,
    pub(crate) seed: u64,
    pub(crate) rate: u32,
    pub(crate) mix: [u32; 5],
    pub(crate) stop: Duration,
    pub(crate) names: Names,
    pub(crate) identity: Identity,
    pub(crate) clock: SimulatedClock,
    pub(crate) journal: Journal,
}

type Client = SimulatedServiceClient<Channel>;

impl Caller {
    /// Makes calls until it is time to stop, waits for them, closes the channel, and notes what is left.
    pub(crate) async fn run(self) -> turmoil::Result {
        let mut random = StdRng::seed_from_u64(self.seed);
        let begin = Instant::now();
        let metrics = Metrics::new();
        let client = Client::over(self.channel(random.random(), metrics.clone())?);
        let calls = TaskTracker::new();
        let mut number = 0;
        loop {
            let mean = 1.0 / f64::from(self.rate.max(1));
            let pause = Duration::from_secs_f64(mean * random.random_range(0.5..1.5));
            tokio::time::sleep(pause).await;
            if begin.elapsed() >= self.stop {
                break;
            }
            let kind = self.kind(&mut random);
            let id = self.client as u64 * 1_000_000 + number;
            number += 1;
            calls.spawn(make(
                self.client,
                client.clone(),
                self.journal.clone(),
                kind,
                id,
            ));
        }
        calls.close();
        // A call that never ends is found in the journal.
        let _ended = tokio::time::timeout(2 * Kind::Stream.timeout(), calls.wait()).await;
        tokio::time::sleep(QUIET).await;
        drop(client);
        tokio::time::sleep(GONE).await;
        self.journal.note(Event::Left {
            client: self.client,
            attempts: attempts(&metrics),
            tasks: tokio::runtime::Handle::current()
                .metrics()
                .num_alive_tasks(),
        });
        Ok(())
    }

    fn channel(&self, seed: u64, metrics: Metrics) -> turmoil::Result<Channel> {
        let target: Target = "dns:///simulated:50051".parse()?;
        let config = Config {
            seed: Some(seed),
            // Without the attempts that are there in any case, the share alone bounds what is sent again.
            budget: budget::Config {
                min_per_second: 0,
                ..budget::Config::default()
            },
            ..Config::default()
        };
        let channel = Channel::builder(&target, &[&SIMULATED_SERVICE_POLICY])
            .connector(Arc::new(SimulatedSockets))
            .resolver(Arc::new(self.names.clone()))
            .tokens(Some(self.identity.tokens(self.clock.clone())))
            .metrics(metrics)
            .config(config)
            .build()?;
        Ok(channel)
    }

    fn kind(&self, random: &mut StdRng) -> Kind {
        let mut at = random.random_range(0..self.mix.iter().sum::<u32>().max(1));
        for (kind, weight) in Kind::ALL.into_iter().zip(self.mix) {
            if at < weight {
                return kind;
            }
            at -= weight;
        }
        Kind::Call
    }
}

/// Attempts that were begun, in whatever way they ended: also those that were refused and those that never left.
fn attempts(metrics: &Metrics) -> u64 {
    metrics
        .render()
        .lines()
        .filter(|line| line.starts_with("grpc_client_attempt_started_total"))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum()
}

/// Makes one call.
async fn make(client: usize, mut stub: Client, journal: Journal, kind: Kind, id: u64) {
    journal.note(Event::Begun { client, id, kind });
    let request = SimulatedRequest { id };
    let result = match kind {
        Kind::Call => stub.call(request).await.map(drop),
        Kind::Once => stub.once(request).await.map(drop),
        Kind::Hedged => stub.hedged(request).await.map(drop),
        Kind::Private => stub.private(request).await.map(drop),
        Kind::Stream => drain(&mut stub, request).await,
    };
    let (code, nobody, message) = match result {
        Ok(()) => (Code::Ok, false, String::new()),
        Err(status) => (
            status.code(),
            nobody_there(&status),
            status.message().to_owned(),
        ),
    };
    journal.note(Event::Ended {
        client,
        id,
        code,
        nobody,
        message,
    });
}

/// Reads a stream to its end.
async fn drain(stub: &mut Client, request: SimulatedRequest) -> Result<(), Status> {
    let mut answers = stub.stream(request).await?.into_inner();
    while answers.message().await?.is_some() {}
    Ok(())
}

/// Whether it failed for want of an endpoint: there was none, or none was ready before the deadline.
fn nobody_there(status: &Status) -> bool {
    let unsent = CallReport::of(status).is_some_and(|report| report.attempts() == 0);
    let unreachable = status.message().contains("cannot be reached");
    unsent
        && (status.code() == Code::DeadlineExceeded
            || (status.code() == Code::Unavailable && unreachable))
}
