//! Watching the health of the service behind a connection (gRFC A17).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::{Endpoint, Environment, State};
use crate::body::{Checked, frames};
use crate::connection::{Connection, RecvBody, exchange};

/// Whether it was said already that a service has no health service.
static UNIMPLEMENTED_SAID: AtomicBool = AtomicBool::new(false);

/// Tells the state of `service` behind `connection` with each change, until the watch is of no more use: the service has no
/// health service, and counts as ready.
pub(super) async fn watch(
    environment: &Environment,
    endpoint: &Endpoint,
    connection: &Arc<Connection>,
    service: &str,
    tell: impl Fn(State),
) {
    let direct = Direct {
        connection: Arc::clone(connection),
    };
    let mut client = HealthClient::with_origin(direct, environment.origin.clone());
    let mut failures = 0;
    loop {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        let status = match client.watch(request).await {
            Ok(answers) => {
                let mut answers = answers.into_inner();
                loop {
                    match answers.message().await {
                        Ok(Some(answer)) => {
                            failures = 0;
                            tell(if answer.status() == ServingStatus::Serving {
                                State::Ready
                            } else {
                                endpoint.failed(format!(
                                    "its health service says {} of {service}",
                                    answer.status().as_str_name()
                                ));
                                State::NotServing
                            });
                        }
                        Ok(None) => break Status::unavailable("the watch ended"),
                        Err(status) => break status,
                    }
                }
            }
            Err(status) => status,
        };
        if status.code() == Code::Unimplemented {
            if !UNIMPLEMENTED_SAID.swap(true, Relaxed) {
                tracing::error!(
                    endpoint = %endpoint.name,
                    "the server has no grpc.health.v1.Health: its endpoints count as ready while they are connected"
                );
            }
            tell(State::Ready);
            return;
        }
        failures += 1;
        endpoint.failed(format!(
            "the watch of its health broke: {}",
            status.message()
        ));
        tell(State::Unknown);
        let wait = environment
            .backoff
            .delay(failures, &mut environment.random.source());
        tokio::time::sleep(wait).await;
    }
}

/// One connection as the transport of a generated client: no balancing, no deadline, nothing sent twice.
#[derive(Clone)]
struct Direct {
    connection: Arc<Connection>,
}

impl tower::Service<Request<Body>> for Direct {
    type Response = Response<Checked<RecvBody>>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Status>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let connection = Arc::clone(&self.connection);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let message: Bytes = frames(body).await?;
            let head = Request::from_parts(parts, ());
            let broken = |broken: crate::connection::Broken| Status::new(broken.code, broken.what);
            let (exchange, _) = exchange(&connection, head, Some(message))
                .await
                .map_err(broken)?;
            let response = exchange.head().await.map_err(broken)?;
            Ok(response.map(|stream| Checked::new(RecvBody::new(stream))))
        })
    }
}
