//! `grpc.health.v1.Health`: what serves, and what does not.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use scribemed_rpc::{Fault, reason};
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Code, Request, Response};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{self, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

/// Whether a service can do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It can.
    Serving,
    /// It cannot: something that it needs is missing, or it is shutting down.
    NotServing,
}

/// The state of each service, by full name; the empty name stands for the whole server. Clones share it.
#[derive(Debug, Clone)]
pub struct Health {
    states: Arc<watch::Sender<States>>,
}

#[derive(Debug, Clone, Default)]
struct States {
    services: BTreeMap<String, Status>,
    draining: bool,
}

impl States {
    /// `None`: there is no such service. The whole server serves while each of its services does.
    fn of(&self, service: &str) -> Option<Status> {
        let own = if service.is_empty() {
            let all = self
                .services
                .values()
                .all(|status| *status == Status::Serving);
            Some(if all {
                Status::Serving
            } else {
                Status::NotServing
            })
        } else {
            self.services.get(service).copied()
        };
        own.map(|status| {
            if self.draining {
                Status::NotServing
            } else {
                status
            }
        })
    }
}

impl Health {
    pub(crate) fn new() -> Self {
        Self {
            states: Arc::new(watch::Sender::new(States::default())),
        }
    }

    /// Sets the state of a service. Whoever watches it is told.
    pub fn set(&self, service: &str, status: Status) {
        self.states.send_if_modified(|states| {
            states.services.insert(service.to_owned(), status) != Some(status)
        });
    }

    /// The state of a service; the empty name stands for the whole server. `None`: there is no such service.
    pub fn get(&self, service: &str) -> Option<Status> {
        self.states.borrow().of(service)
    }

    /// Says NOT_SERVING of everything, then ends the watches.
    pub(crate) fn drain(&self) {
        self.states.send_modify(|states| states.draining = true);
    }

    /// Comes back when every watch has come to its end.
    pub(crate) async fn told(&self) {
        self.states.closed().await;
    }

    pub(crate) fn service(&self) -> HealthServer<Self> {
        HealthServer::new(self.clone())
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
                "health.scribemed",
                "there is no service of this name; `list` by reflection shows those that there are",
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
        let service = request.into_inner().service;
        let mut last = None;
        let mut drained = false;
        let updates = WatchStream::new(self.states.subscribe())
            // Draining is the last thing that is said.
            .take_while(move |states| !std::mem::replace(&mut drained, states.draining))
            .filter_map(move |states| {
                let status = states.of(&service);
                (last.replace(status) != Some(status)).then(|| Ok(answer(status)))
            });
        let drained = self.states.subscribe();
        let updates = futures_util::StreamExt::take_until(updates, until_drained(drained));
        Ok(Response::new(Box::pin(updates)))
    }
}

/// Ends one turn after draining was announced, so that the watch sends NOT_SERVING first.
async fn until_drained(mut states: watch::Receiver<States>) {
    // A closed channel means that the server is gone, which ends the watch as well.
    let _ = states.wait_for(|states| states.draining).await.map(|_| ());
    tokio::task::yield_now().await;
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::health_server::Health as _;
    use super::*;

    fn request(service: &str) -> Request<HealthCheckRequest> {
        Request::new(HealthCheckRequest {
            service: service.to_owned(),
        })
    }

    #[tokio::test]
    async fn the_whole_serves_while_every_part_does() {
        let health = Health::new();
        health.set("a", Status::Serving);
        health.set("b", Status::Serving);
        assert_eq!(health.get(""), Some(Status::Serving));
        health.set("b", Status::NotServing);
        assert_eq!(
            (health.get("a"), health.get("")),
            (Some(Status::Serving), Some(Status::NotServing))
        );
        assert_eq!(
            health.check(request("c")).await.unwrap_err().code(),
            Code::NotFound
        );
    }

    #[tokio::test]
    async fn a_watch_tells_changes_and_ends_when_draining() {
        let health = Health::new();
        let mut watch = health.watch(request("a")).await.unwrap().into_inner();
        let mut next = async || watch.next().await.map(|answer| answer.unwrap().status());
        assert_eq!(next().await, Some(ServingStatus::ServiceUnknown));
        health.set("a", Status::Serving);
        assert_eq!(next().await, Some(ServingStatus::Serving));
        health.set("b", Status::Serving);
        health.set("a", Status::NotServing);
        assert_eq!(next().await, Some(ServingStatus::NotServing));
        health.set("a", Status::Serving);
        assert_eq!(next().await, Some(ServingStatus::Serving));
        health.drain();
        assert_eq!(next().await, Some(ServingStatus::NotServing));
        assert_eq!(next().await, None);
    }
}
