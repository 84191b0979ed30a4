//! The admin port: what an operator, a probe and Prometheus ask a running service. HTTP/1, apart from the service's own
//! port.
//!
//! | path | answer |
//! |---|---|
//! | `/metrics` | the metrics of the service's calls, in Prometheus's text format |
//! | `/livez` | 200 while the process lives |
//! | `/readyz` | 200 when the service can do its work, else 503 and what is missing |
//! | `/debug/channels` | each channel to another service; JSON with `Accept: application/json` or `?format=json`, else a page |

mod address;
mod page;
mod readiness;

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Json, Response};
use axum::routing::get;
use scribemed_client::ChannelStatus;
use scribemed_telemetry::metrics;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use self::address::{Error, PORT_DISTANCE, beside, listen};
use crate::Platform;

/// How long answers under way may take when the service has ended.
const GRACE: Duration = Duration::from_secs(1);

/// The admin port of a service: opened before anything else, so that a start that hangs can be seen, and closed when the
/// service has ended. Clones share what they show.
#[derive(Debug, Clone, Default)]
pub struct Admin {
    platform: Arc<OnceLock<Platform>>,
}

impl Admin {
    /// An admin port that shows nothing yet: the process lives, and is not ready.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on `platform` is what is shown. A second platform is not taken.
    pub fn show(&self, platform: &Platform) {
        // Whoever came first stays.
        let _ = self.platform.set(platform.clone());
    }

    /// Runs `service` to its end, answering on `listener` meanwhile; `None`: there is no admin port. While the service
    /// drains, metrics can be read and `/readyz` says 503.
    ///
    /// # Cancel safety
    /// Dropping the future drops the service and closes the port.
    pub async fn beside<T>(
        &self,
        listener: Option<TcpListener>,
        service: impl Future<Output = T>,
    ) -> T {
        let Some(listener) = listener else {
            return service.await;
        };
        let stop = CancellationToken::new();
        let stopped = stop.clone().drop_guard();
        let mut serving = tokio::spawn(serve(self.clone(), listener, stop));
        let ended = service.await;
        drop(stopped);
        if tokio::time::timeout(GRACE, &mut serving).await.is_err() {
            // Somebody holds a request open; nobody waits for the end of that.
            serving.abort();
        }
        ended
    }

    fn channels(&self) -> Vec<ChannelStatus> {
        self.platform
            .get()
            .map(|platform| platform.channels().statuses())
            .unwrap_or_default()
    }
}

async fn serve(admin: Admin, listener: TcpListener, stop: CancellationToken) {
    let routes = Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get("alive\n"))
        .route("/readyz", get(readyz))
        .route("/debug/channels", get(channels))
        .fallback(elsewhere)
        .with_state(admin);
    let serving = axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = serving.await {
        // The service does its work without.
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "the admin port failed"
        );
    }
}

async fn metrics(State(admin): State<Admin>) -> Response {
    let text = admin
        .platform
        .get()
        .map(|platform| platform.metrics().render())
        .unwrap_or_default();
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response()
}

async fn readyz(State(admin): State<Admin>) -> Response {
    let missing = readiness::missing(admin.platform.get());
    if missing.is_empty() {
        return "ready\n".into_response();
    }
    let text = format!("not ready:\n- {}\n", missing.join("\n- "));
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

#[derive(Debug, Deserialize)]
struct Wish {
    format: Option<Format>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Json,
    Html,
}

async fn channels(
    State(admin): State<Admin>,
    Query(wish): Query<Wish>,
    headers: HeaderMap,
) -> Response {
    let channels = admin.channels();
    let fresh = (header::CACHE_CONTROL, "no-store");
    match wish.format.unwrap_or_else(|| accepted(&headers)) {
        Format::Json => ([fresh], Json(channels)).into_response(),
        Format::Html => {
            let name = admin.platform.get().map_or("", Platform::name);
            // The page needs its own style and nothing else, whatever an endpoint puts into a message.
            let policy = (header::CONTENT_SECURITY_POLICY, page::SECURITY_POLICY);
            ([fresh, policy], Html(page::render(name, &channels))).into_response()
        }
    }
}

/// JSON for whoever asks for it and is no browser.
fn accepted(headers: &HeaderMap) -> Format {
    let mut accept = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim());
    match accept.find(|range| matches!(*range, "application/json" | "text/html")) {
        Some("application/json") => Format::Json,
        Some(_) | None => Format::Html,
    }
}

async fn elsewhere() -> (StatusCode, &'static str) {
    (
        StatusCode::NOT_FOUND,
        "nothing is here; there are /metrics, /livez, /readyz and /debug/channels\n",
    )
}

#[cfg(test)]
mod tests;
