//! A machine on which a server is started, drained and killed.

use std::time::Duration;

use scribemed_server::Builder;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::SimulatedClock;
use crate::handler::Handler;
use crate::identity::{Identity, NAME};
use crate::network::incoming;
use crate::script::Order;
use crate::v1::simulated_service_server::SimulatedServiceServer;

/// The port of each server.
pub(crate) const PORT: u16 = 50051;
/// How long a draining server waits for its calls: longer than any call takes.
const GRACE: Duration = Duration::from_secs(5);

/// A machine for a server.
pub(crate) struct Machine {
    pub(crate) handler: Handler,
    pub(crate) identity: Identity,
    pub(crate) clock: SimulatedClock,
    pub(crate) orders: UnboundedReceiver<Order>,
}

impl Machine {
    /// Runs servers as it is ordered to, until nobody can give orders any more.
    pub(crate) async fn run(mut self) -> turmoil::Result {
        let mut processes: Vec<AbortHandle> = Vec::new();
        let mut shutdown = CancellationToken::new();
        while let Some(order) = self.orders.recv().await {
            match order {
                Order::Start => {
                    shutdown = CancellationToken::new();
                    processes.push(self.start(shutdown.clone()).await?);
                }
                Order::Drain => shutdown.cancel(),
                // Those that drain still die, too.
                Order::Kill => processes.drain(..).for_each(|process| process.abort()),
            }
            processes.retain(|process| !process.is_finished());
        }
        Ok(())
    }

    async fn start(&self, shutdown: CancellationToken) -> turmoil::Result<AbortHandle> {
        // The one before may not have been told yet that it is over.
        let mut tries = 0;
        let connections = loop {
            match incoming(PORT).await {
                Ok(connections) => break connections,
                Err(error) if tries == 10 => return Err(error.into()),
                Err(_) => tries += 1,
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        let server = Builder::new(NAME, self.identity.verifier(self.clock.clone()))
            .grace(GRACE)
            .add(SimulatedServiceServer::new(self.handler.clone()))
            .serve_incoming(connections, shutdown);
        let process = tokio::spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "a server did not start");
            }
        });
        Ok(process.abort_handle())
    }
}
