//! The handler, which notes each call and behaves as it is told to.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};
use tonic::{Request, Response, Status};

use crate::journal::{Event, Journal};
use crate::script::Manner;
use crate::v1::simulated_service_server::SimulatedService;
use crate::v1::{SimulatedRequest, SimulatedResponse};

/// How many messages a stream has, and the time between them.
const MESSAGES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(60);

/// The handler of one server, whichever of its processes runs. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Handler {
    server: usize,
    journal: Journal,
    manner: Arc<Mutex<Manner>>,
    open: Arc<AtomicUsize>,
}

/// Counts a handler that runs.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Relaxed);
        Self(Arc::clone(open))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Handler {
    pub(crate) fn new(server: usize, journal: Journal) -> Self {
        Self {
            server,
            journal,
            manner: Arc::default(),
            open: Arc::default(),
        }
    }

    /// Behaves so from now on.
    pub(crate) fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap_or_else(PoisonError::into_inner) = manner;
    }

    /// How many calls are being handled.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Relaxed)
    }

    async fn handle(
        &self,
        request: Request<SimulatedRequest>,
    ) -> Result<SimulatedResponse, Status> {
        let _open = Open::new(&self.open);
        let previous = request
            .metadata()
            .get("grpc-previous-rpc-attempts")
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .unwrap_or(0);
        let id = request.into_inner().id;
        self.journal.note(Event::Executed {
            server: self.server,
            id,
            previous,
        });
        let manner = *self.manner.lock().unwrap_or_else(PoisonError::into_inner);
        // Between 2 and 17 ms, another time for each call, and the same one when the simulation is played again.
        let usual = Duration::from_millis(2 + id.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 16);
        tokio::time::sleep(usual + manner.delay).await;
        if manner.refuse {
            return Err(Status::unavailable("told to refuse"));
        }
        Ok(SimulatedResponse { id })
    }
}

#[tonic::async_trait]
impl SimulatedService for Handler {
    async fn call(
        &self,
        request: Request<SimulatedRequest>,
    ) -> Result<Response<SimulatedResponse>, Status> {
        self.handle(request).await.map(Response::new)
    }

    async fn once(
        &self,
        request: Request<SimulatedRequest>,
    ) -> Result<Response<SimulatedResponse>, Status> {
        self.handle(request).await.map(Response::new)
    }

    async fn hedged(
        &self,
        request: Request<SimulatedRequest>,
    ) -> Result<Response<SimulatedResponse>, Status> {
        self.handle(request).await.map(Response::new)
    }

    type StreamStream = Pin<Box<dyn Stream<Item = Result<SimulatedResponse, Status>> + Send>>;

    async fn stream(
        &self,
        request: Request<SimulatedRequest>,
    ) -> Result<Response<Self::StreamStream>, Status> {
        let first = self.handle(request).await?;
        let open = Open::new(&self.open);
        let rest = stream::unfold((1, open), move |(sent, open)| async move {
            if sent == MESSAGES {
                return None;
            }
            tokio::time::sleep(PAUSE).await;
            Some((Ok(first), (sent + 1, open)))
        });
        let answers = stream::once(async move { Ok(first) }).chain(rest);
        Ok(Response::new(answers.boxed()))
    }

    async fn private(
        &self,
        request: Request<SimulatedRequest>,
    ) -> Result<Response<SimulatedResponse>, Status> {
        self.handle(request).await.map(Response::new)
    }
}
