//! `grpc.health.v1.Health`.

use scribemed_server::Status;
use scribemed_server::grpc::health::v1::HealthListRequest;
use scribemed_server::grpc::health::v1::health_client::HealthClient as ListingClient;
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::support::{reason, soon, start};

const GREETER: &str = "greeter.v1.GreeterService";

fn of(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

#[tokio::test]
async fn each_service_is_asked_after_without_a_token() {
    let server = start().await;
    let mut health = HealthClient::new(server.channel());
    server
        .health
        .set("greeter.v1.TroubleService", Status::NotServing);
    for (service, expect) in [
        (GREETER, ServingStatus::Serving),
        ("greeter.v1.TroubleService", ServingStatus::NotServing),
        ("", ServingStatus::NotServing),
    ] {
        let answer = health.check(of(service)).await.unwrap().into_inner();
        assert_eq!(answer.status(), expect, "{service}");
    }
    let unknown = health
        .check(of("greeter.v9.GreeterService"))
        .await
        .unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    assert_eq!(reason(&unknown), "SERVICE_UNKNOWN");
}

#[tokio::test]
async fn all_services_are_asked_after_at_once() {
    let server = start().await;
    let trouble = "greeter.v1.TroubleService";
    server.health.set(trouble, Status::NotServing);
    let list = ListingClient::new(server.channel())
        .list(HealthListRequest {})
        .await;
    let mut statuses: Vec<_> = list
        .unwrap()
        .into_inner()
        .statuses
        .into_iter()
        .map(|(name, answer)| (name, answer.status().as_str_name()))
        .collect();
    statuses.sort_unstable();
    let expect = [
        ("", "NOT_SERVING"),
        (GREETER, "SERVING"),
        (trouble, "NOT_SERVING"),
    ];
    assert_eq!(
        statuses,
        expect.map(|(name, status)| (name.to_owned(), status))
    );
}

#[tokio::test]
async fn a_watch_tells_each_change_and_ends_with_the_server() {
    let server = start().await;
    let mut health = HealthClient::new(server.channel());
    let mut known = health.watch(of(GREETER)).await.unwrap().into_inner();
    let mut unknown = health.watch(of("later")).await.unwrap().into_inner();
    assert_eq!(next(&mut known).await, Some(ServingStatus::Serving));
    // The stream stays open: the service may appear.
    assert_eq!(
        next(&mut unknown).await,
        Some(ServingStatus::ServiceUnknown)
    );
    server.health.set("later", Status::Serving);
    assert_eq!(next(&mut unknown).await, Some(ServingStatus::Serving));
    server.health.set(GREETER, Status::NotServing);
    assert_eq!(next(&mut known).await, Some(ServingStatus::NotServing));
    server.health.set(GREETER, Status::Serving);
    assert_eq!(next(&mut known).await, Some(ServingStatus::Serving));

    server.shutdown.cancel();
    assert_eq!(next(&mut known).await, Some(ServingStatus::NotServing));
    assert_eq!(next(&mut unknown).await, Some(ServingStatus::NotServing));
    // An open watch does not hold the server up.
    assert_eq!(next(&mut known).await, None);
    assert_eq!(next(&mut unknown).await, None);
    soon(server.served).await.unwrap().unwrap();
}

async fn next(stream: &mut tonic::Streaming<HealthCheckResponse>) -> Option<ServingStatus> {
    soon(stream.message())
        .await
        .unwrap()
        .map(|answer| answer.status())
}
