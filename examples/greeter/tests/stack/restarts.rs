//! Servers that come and go while they are called: no call is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use greeter::greeter::Greeter;
use greeter::identity::{Identity, NAME};
use greeter::v1::FailRequest;
use greeter::v1::greeter_service_server::GreeterServiceServer;
use greeter::v1::trouble_service_client::TroubleServiceClient;
use greeter::v1::trouble_service_server::TroubleServiceServer;
use scribemed_client::Channel;
use scribemed_rpc::ClientContract as _;
use scribemed_server::Limits;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::support::{CONTRACTS, Running, serve, soon, start, target};
use crate::trouble::Trouble;

const INSTANCES: usize = 3;
const CALLERS: usize = 8;
/// So many calls each instance serves before it is restarted, and afterwards.
const SERVED: u32 = 100;

/// Callers that call all the time. What they call is not idempotent by contract: a call that was lost would not be sent again, and
/// would fail.
struct Load {
    callers: Vec<JoinHandle<Result<(), Status>>>,
    over: Arc<AtomicBool>,
    answered: Arc<AtomicU32>,
}

impl Load {
    fn begin(channel: &Channel) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(AtomicU32::new(0));
        let caller = |_| {
            let mut trouble = TroubleServiceClient::over(channel.clone());
            let (over, answered) = (Arc::clone(&over), Arc::clone(&answered));
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    trouble.fail(FailRequest::default()).await?;
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            })
        };
        Self {
            callers: (0..CALLERS).map(caller).collect(),
            over,
            answered,
        }
    }

    /// How many calls were answered: all there were.
    async fn end(self) -> u32 {
        self.over.store(true, Ordering::Relaxed);
        for caller in self.callers {
            let lost = soon(caller).await.unwrap();
            assert!(lost.is_ok(), "{lost:?}");
        }
        self.answered.load(Ordering::Relaxed)
    }
}

/// Waits until this instance has served some calls.
async fn serves(instance: &mut Running) {
    for _ in 0..SERVED {
        instance.event().await;
    }
}

/// Another instance in its place.
async fn restart(mut instance: Running) -> Running {
    let address = instance.address;
    instance.shutdown.cancel();
    soon(&mut instance.served).await.unwrap().unwrap();
    // The port may still be in use for a moment by what is left of the old connections.
    let listener = soon(async {
        loop {
            match TcpListener::bind(address).await {
                Ok(listener) => return listener,
                Err(_in_use) => tokio::task::yield_now().await,
            }
        }
    });
    serve(listener.await, None, |builder| builder)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_instances_restart_in_turn_and_no_call_is_lost() {
    let mut instances = Vec::new();
    for _ in 0..INSTANCES {
        instances.push(start().await);
    }
    let addresses: Vec<_> = instances
        .iter()
        .map(|instance| instance.address.to_string())
        .collect();
    let target = format!("static:///{}", addresses.join(","))
        .parse()
        .unwrap();
    let load = Load::begin(&Channel::new(&target, &CONTRACTS, None).unwrap());
    for number in 0..INSTANCES {
        serves(&mut instances[number]).await;
        let restarted = restart(instances.remove(number)).await;
        instances.insert(number, restarted);
        serves(&mut instances[number]).await;
    }
    let answered = load.end().await;
    assert!(answered >= 6 * SERVED, "{answered}");
}

/// Connections that live for a twentieth of a second: each is replaced under load, and no call is lost with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_come_to_their_age_and_no_call_is_lost() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (accepted, mut connections) = mpsc::unbounded_channel();
    let incoming = TcpListenerStream::new(listener).map(move |connection| {
        accepted.send(()).unwrap();
        connection
    });
    let shutdown = CancellationToken::new();
    let (events, _events) = mpsc::unbounded_channel();
    let trouble = Trouble::new(events, Arc::new(Semaphore::new(0)), None);
    let age = Duration::from_millis(50);
    let server = scribemed_server::Builder::new(NAME, Identity::new().unwrap().verifier().unwrap())
        .limits(Limits::default().max_age(Some(age)))
        .add(GreeterServiceServer::new(Greeter))
        .add(TroubleServiceServer::new(trouble))
        .serve_incoming(incoming, shutdown.clone());
    let server = tokio::spawn(server);
    let load = Load::begin(&Channel::new(&target(address), &CONTRACTS, None).unwrap());
    for _ in 0..6 {
        soon(connections.recv()).await.unwrap();
    }
    assert!(load.end().await > 0);
    shutdown.cancel();
    soon(server).await.unwrap().unwrap();
}
