//! `SCRIBEMED_CHANNELZ`: whether `grpc.channelz.v1` is served, and what it shows of a service's channels.

use scribemed_client::{ChannelStatus, EndpointStatus};
use scribemed_server::{ChannelView, Channelz, Connectivity, EndpointView};

use crate::channels::Channels;
use crate::{Env, env};

const CHANNELZ: &str = "SCRIBEMED_CHANNELZ";

/// Reads `SCRIBEMED_CHANNELZ`: `on` or `off`, the default. When it is on, peers on loopback are answered, without a token:
/// who is connected to the service, and whom it calls.
///
/// # Errors
/// Any other value; the error shows a good one.
pub(super) fn from_env(env: &Env) -> Result<bool, env::Error> {
    match env.get(CHANNELZ) {
        None | Some("off") => Ok(false),
        Some("on") => Ok(true),
        Some(_) => Err(env.malformed(CHANNELZ, "it is neither `on` nor `off`", "on")),
    }
}

/// What channelz shows of a process that has these channels.
pub(crate) fn over(channels: &Channels) -> Channelz {
    let channels = channels.clone();
    Channelz::new(move || {
        let channels = channels.statuses_since();
        channels
            .into_iter()
            .map(|(status, created)| view(status, created))
            .collect()
    })
}

fn view(status: ChannelStatus, created: std::time::SystemTime) -> ChannelView {
    ChannelView {
        target: status.target,
        created,
        endpoints: status.endpoints.into_iter().map(endpoint).collect(),
    }
}

fn endpoint(status: EndpointStatus) -> EndpointView {
    EndpointView {
        state: connectivity(&status),
        started: status.successes + status.failures + u64::from(status.pending),
        succeeded: status.successes,
        failed: status.failures,
        last_failure: status.last_failure,
        address: status.address,
    }
}

/// An endpoint that does not serve, or that outlier detection keeps out, is one that fails, as in gRFC A17.
fn connectivity(status: &EndpointStatus) -> Connectivity {
    match status.state {
        "leaving" => Connectivity::Shutdown,
        "connecting" | "health_unknown" => Connectivity::Connecting,
        "ready" if !status.ejected => Connectivity::Ready,
        "idle" => Connectivity::Idle,
        _ => Connectivity::TransientFailure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_ready_only_while_calls_go_there() {
        let status = |state, ejected| EndpointStatus {
            address: "10.0.0.7:50052".to_owned(),
            state,
            ejected,
            connections: 1,
            pending: 2,
            latency_ms: 1.5,
            successes: 100,
            failures: 3,
            last_failure: None,
        };
        for (state, ejected, expect) in [
            ("ready", false, Connectivity::Ready),
            ("ready", true, Connectivity::TransientFailure),
            ("not_serving", false, Connectivity::TransientFailure),
            ("transient_failure", false, Connectivity::TransientFailure),
            ("connecting", false, Connectivity::Connecting),
            ("health_unknown", false, Connectivity::Connecting),
            ("idle", false, Connectivity::Idle),
            ("leaving", false, Connectivity::Shutdown),
        ] {
            let shown = endpoint(status(state, ejected));
            assert_eq!(shown.state, expect, "{state}");
            assert_eq!(
                (shown.started, shown.succeeded, shown.failed),
                (105, 100, 3)
            );
        }
    }
}
