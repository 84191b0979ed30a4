//! `grpc.health.v1.Health`: what serves, and what does not.

mod check;
mod states;

#[cfg(test)]
mod tests;

use std::pin::Pin;
use std::sync::Arc;

use scribemed_rpc::{Fault, reason};
use tokio::sync::watch;
use tokio_stream::Stream;
use tonic::{Code, Request, Response};

pub use self::check::{Check, Prompt};
pub(crate) use self::check::{begin, keep};
use self::states::States;
use crate::grpc::health::v1::health_check_response::ServingStatus;
use crate::grpc::health::v1::health_server::{self, HealthServer};
use crate::grpc::health::v1::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};

/// So many states `List` gives at most, that of the whole server among them, as grpc-go has it. With more services it is
/// RESOURCE_EXHAUSTED.
const MAX_LISTED: usize = 100;
/// The domain of the errors of this service.
const DOMAIN: &str = "health.scribemed";

/// Whether a service can do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It can.
    Serving,
    /// It cannot: something that it needs is missing, or it is shutting down.
    NotServing,
}

/// The state of each service, by full name; the empty name stands for the whole server. Clones share it.
///
/// A service serves while what was [`set`](Self::set) says so, each [`Check`] that concerns it passes, and the server is
/// not shutting down. The whole server serves while each of its services does.
#[derive(Debug, Clone)]
pub struct Health {
    states: Arc<watch::Sender<States>>,
}

impl Health {
    pub(crate) fn new() -> Self {
        Self {
            states: Arc::new(watch::Sender::new(States::default())),
        }
    }

    /// Sets the state of a service. Whoever watches it is told.
    pub fn set(&self, service: &str, status: Status) {
        self.states
            .send_if_modified(|states| states.set(service, status));
    }

    /// The state of a service; the empty name stands for the whole server. `None`: there is no such service.
    pub fn get(&self, service: &str) -> Option<Status> {
        self.states.borrow().of(service)
    }

    /// Why something is not serving, one line for each cause; empty while everything serves. For operators: the lines are
    /// what checks said, and are never sent to callers.
    pub fn reasons(&self) -> Vec<String> {
        self.states.borrow().reasons()
    }

    /// A check failed for good. Returns whether that is new.
    fn fail(&self, check: &'static str, services: &[&'static str], reason: String) -> bool {
        let mut new = false;
        self.states.send_if_modified(|states| {
            let changed = states.fail(check, services, reason);
            new = changed.is_new;
            changed.is_new || changed.is_other
        });
        new
    }

    /// A check passed. Returns whether it had failed before.
    fn pass(&self, check: &'static str) -> bool {
        self.states.send_if_modified(|states| states.pass(check))
    }

    /// Says NOT_SERVING of everything, then ends the watches.
    pub(crate) fn drain(&self) {
        self.states.send_modify(|states| states.draining = true);
    }

    /// Comes back one turn after draining was announced, so that what is told of it can be sent first.
    pub(crate) fn drained(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut states = self.states.subscribe();
        async move {
            // A closed channel means that the server is gone, which ends the streams as well.
            let _ = states.wait_for(|states| states.draining).await.map(|_| ());
            tokio::task::yield_now().await;
        }
    }

    /// Comes back when every watch has come to its end, and what it told last has been handed to its connection.
    pub(crate) async fn told(&self) {
        self.states.closed().await;
    }

    pub(crate) fn service(&self) -> HealthServer<Self> {
        HealthServer::new(self.clone())
    }
}

/// Somebody who watches.
struct Watching {
    states: watch::Receiver<States>,
    service: String,
    /// What was told last.
    last: Option<ServingStatus>,
    /// That the server drains was the last word.
    over: bool,
}

impl Watching {
    /// The next change. `None`: there will be no more.
    async fn next(mut self) -> Option<(Result<HealthCheckResponse, tonic::Status>, Self)> {
        loop {
            if self.over {
                // The last word is handed to the connection before the watch ends: see `Health::told`.
                tokio::task::yield_now().await;
                return None;
            }
            if self.last.is_some() {
                // A closed channel means that the server is gone.
                self.states.changed().await.ok()?;
            }
            let (status, draining) = {
                let states = self.states.borrow_and_update();
                (states.of(&self.service), states.draining)
            };
            self.over = draining;
            let answer = answer(status);
            if self.last.replace(answer.status()) != Some(answer.status()) {
                return Some((Ok(answer), self));
            }
        }
    }
}

type WatchResponses =
    Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, tonic::Status>> + Send>>;

#[tonic::async_trait]
impl health_server::Health for Health {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, tonic::Status> {
        let service = request.into_inner().service;
        match self.get(&service) {
            Some(status) => Ok(Response::new(answer(Some(status)))),
            None => Err(Fault::new(
                Code::NotFound,
                reason::SERVICE_UNKNOWN,
                DOMAIN,
                "there is no service of this name; `List` shows those that there are",
            )
            .into_status()),
        }
    }

    type WatchStream = WatchResponses;

    /// An unknown service is SERVICE_UNKNOWN, and the stream stays open: it may appear.
    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<WatchResponses>, tonic::Status> {
        let watching = Watching {
            states: self.states.subscribe(),
            service: request.into_inner().service,
            last: None,
            over: false,
        };
        let updates = futures_util::stream::unfold(watching, Watching::next);
        Ok(Response::new(Box::pin(updates)))
    }

    /// Every service and the whole server, at one moment.
    async fn list(
        &self,
        _request: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, tonic::Status> {
        let states = self.states.borrow();
        // The whole server has a name, too: the empty one.
        let count = states.names().count() + 1;
        if count > MAX_LISTED {
            return Err(Fault::new(
                Code::ResourceExhausted,
                reason::TOO_MANY_SERVICES,
                DOMAIN,
                format!("{count} states are more than the {MAX_LISTED} that can be listed; `Check` tells of one"),
            )
            .into_status());
        }
        let statuses = states
            .names()
            .chain([""])
            .map(|name| (name.to_owned(), answer(states.of(name))))
            .collect();
        Ok(Response::new(HealthListResponse { statuses }))
    }
}

fn answer(status: Option<Status>) -> HealthCheckResponse {
    let status = match status {
        Some(Status::Serving) => ServingStatus::Serving,
        Some(Status::NotServing) => ServingStatus::NotServing,
        None => ServingStatus::ServiceUnknown,
    };
    HealthCheckResponse {
        status: status.into(),
    }
}
