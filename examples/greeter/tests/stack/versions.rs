//! A method that goes away says so, and is refused once it may be gone where that is configured.
#![allow(deprecated, reason = "what is deprecated is what is tested")]

use std::sync::Arc;

use greeter::identity::{Identity, NAME};
use greeter::v1::trouble_service_client::TroubleServiceClient;
use greeter::v1::trouble_service_server::TroubleServiceServer;
use greeter::v1::{TROUBLE_SERVICE_POLICY, TroubleRequest};
use http::HeaderMap;
use scribemed_auth::ManualClock;
use scribemed_client::Channel;
use scribemed_rpc::ClientContract as _;
use scribemed_server::AfterSunset;
use scribemed_telemetry::metrics::Metrics;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::support::{start, target};
use crate::trouble::Trouble;

const FADE: &str = "/greeter.v1.TroubleService/Fade";
/// The beginning of 2027-01-31, when `Fade` may be gone.
const SUNSET: u64 = 1_801_353_600;

/// Serves the troublemaker at this time, and calls it.
async fn at(
    unix: u64,
    after_sunset: AfterSunset,
) -> (TroubleServiceClient<Channel>, Metrics, DropGuard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (events, _) = mpsc::unbounded_channel();
    let shutdown = CancellationToken::new();
    let metrics = Metrics::new();
    let server = scribemed_server::Builder::new(NAME, Identity::new().unwrap().verifier().unwrap())
        .clock(Arc::new(ManualClock::at_unix(unix)))
        .after_sunset(after_sunset)
        .metrics(metrics.clone())
        .add(TroubleServiceServer::new(Trouble::new(
            events,
            Arc::new(Semaphore::new(0)),
            None,
        )))
        .serve(listener, shutdown.clone());
    tokio::spawn(server);
    let channel = Channel::builder(&target(address), &[&TROUBLE_SERVICE_POLICY])
        .metrics(metrics.clone())
        .build()
        .unwrap();
    (
        TroubleServiceClient::over(channel),
        metrics,
        shutdown.drop_guard(),
    )
}

fn assert_announced(headers: &HeaderMap) {
    assert_eq!(headers["deprecation"], "@1769817600");
    assert_eq!(headers["sunset"], "Sun, 31 Jan 2027 00:00:00 GMT");
    assert_eq!(
        headers["link"],
        "</greeter.v1.TroubleService/Relay>; rel=\"successor-version\""
    );
}

#[tokio::test]
async fn answers_and_failures_of_a_fading_method_announce_its_end() {
    let server = start().await;
    let mut raw = server.raw().await;
    let answer = raw.unary(FADE, &[], &TroubleRequest {}).await;
    assert_announced(&answer.head);
    let refused = raw
        .unary(FADE, &[("grpc-timeout", "soon")], &TroubleRequest {})
        .await;
    assert_announced(&refused.head);
    let other = raw
        .unary("/greeter.v1.TroubleService/Hang", &[], &TroubleRequest {})
        .await;
    assert!(!other.head.contains_key("deprecation"));
}

#[tokio::test]
async fn a_method_that_may_be_gone_is_served_unless_it_is_refused() {
    for (unix, what, served) in [
        (SUNSET - 1, AfterSunset::Refuse, true),
        (SUNSET, AfterSunset::Refuse, false),
        (SUNSET, AfterSunset::Serve, true),
    ] {
        let (mut client, _, _running) = at(unix, what).await;
        let answer = client.fade(TroubleRequest {}).await;
        let Err(status) = answer else {
            assert!(served, "{what:?}");
            continue;
        };
        assert!(!served, "{status:?}");
        assert_eq!(status.code(), Code::Unimplemented);
        assert_eq!(
            status.message(),
            "greeter.v1.TroubleService/Fade is gone since 2027-01-31; use greeter.v1.TroubleService.Relay"
        );
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.reason, "METHOD_SUNSET");
        assert_eq!(
            info.metadata["successor"],
            "greeter.v1.TroubleService.Relay"
        );
        assert_announced(status.metadata().as_ref());
    }
}

#[tokio::test]
async fn calls_of_a_fading_method_are_counted_on_both_sides() {
    let (mut client, metrics, _running) = at(SUNSET, AfterSunset::Serve).await;
    for _ in 0..3 {
        client.fade(TroubleRequest {}).await.unwrap();
    }
    client.hang(TroubleRequest {}).await.unwrap_err();
    let text = metrics.render();
    let counted = |family: &str| {
        let of_family = text.lines().filter(|line| line.starts_with(family));
        of_family.collect::<Vec<_>>().join("\n")
    };
    let by_channel = counted("scribemed_client_deprecated_total");
    assert!(
        by_channel.contains("grpc_method=\"greeter.v1.TroubleService/Fade\"")
            && by_channel.ends_with(" 3"),
        "{text}"
    );
    // Nobody knows who calls a public method. Methods that stay have no such series.
    assert_eq!(
        counted("scribemed_server_deprecated_total"),
        "scribemed_server_deprecated_total{caller=\"-\",grpc_method=\"greeter.v1.TroubleService/Fade\"} 3"
    );
    let last = counted("scribemed_server_deprecated_last_timestamp_seconds");
    assert!(
        last.contains("caller=\"-\"") && !last.ends_with(" 0"),
        "{last}"
    );
}
