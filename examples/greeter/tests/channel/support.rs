//! Channels to scripted peers, and what tests ask of them.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use greeter::v1::resilience_service_client::ResilienceServiceClient;
use greeter::v1::{RESILIENCE_SERVICE_POLICY, ResilienceRequest, ResilienceResponse};
use scribemed_client::{Builder, CallReport, Channel, ChannelStatus, Config};
use scribemed_rpc::policy::{CircuitBreaker, MethodPolicy, ServicePolicy};
use scribemed_rpc::ClientContract as _;
use tonic::{Response, Status};
use tonic_types::StatusExt as _;

use crate::net::Net;

pub(crate) type Client = ResilienceServiceClient<Channel>;

pub(crate) const CONTRACT: &ServicePolicy = &RESILIENCE_SERVICE_POLICY;

/// A client to all peers of the network, as the contract has it.
pub(crate) fn client(net: &Net) -> Client {
    client_with(net, CONTRACT, |_| {})
}

/// A client with another contract or other numbers.
pub(crate) fn client_with(
    net: &Net,
    contract: &'static ServicePolicy,
    change: impl FnOnce(&mut Config),
) -> Client {
    Client::over(channel_with(net, contract, change))
}

pub(crate) fn channel_with(
    net: &Net,
    contract: &'static ServicePolicy,
    change: impl FnOnce(&mut Config),
) -> Channel {
    builder(net, contract, change).build().unwrap()
}

pub(crate) fn builder(
    net: &Net,
    contract: &'static ServicePolicy,
    change: impl FnOnce(&mut Config),
) -> Builder {
    Channel::builder(&net.target(), &[contract])
        .connector(Arc::new(net.clone()))
        .config(config(change))
}

pub(crate) fn config(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config {
        seed: Some(7),
        ..Config::default()
    };
    change(&mut config);
    config
}

/// The contract, changed.
pub(crate) fn contract(change: impl FnOnce(&mut ServicePolicy)) -> &'static ServicePolicy {
    let mut contract = RESILIENCE_SERVICE_POLICY;
    change(&mut contract);
    Box::leak(Box::new(contract))
}

/// The contract with one of its methods changed.
pub(crate) fn contract_of(
    name: &str,
    change: impl FnOnce(&mut MethodPolicy),
) -> &'static ServicePolicy {
    let mut methods = CONTRACT.methods.to_vec();
    let method = methods.iter_mut().find(|method| method.name == name);
    change(method.unwrap());
    contract(|contract| contract.methods = Vec::leak(methods))
}

/// A breaker that never opens, for tests of something else.
pub(crate) const NO_BREAKER: CircuitBreaker = CircuitBreaker {
    failure_threshold: 10_000,
    ..CircuitBreaker::DEFAULT
};

pub(crate) fn request(id: &str) -> ResilienceRequest {
    ResilienceRequest {
        id: id.to_owned(),
        ..ResilienceRequest::default()
    }
}

/// The report that each error of a channel carries.
pub(crate) fn report(status: &Status) -> CallReport {
    CallReport::of(status).unwrap_or_else(|| panic!("no report: {status:?}"))
}

/// The reason in the ErrorInfo.
pub(crate) fn reason(status: &Status) -> String {
    let info = status.get_details_error_info();
    info.unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"))
        .reason
}

/// The error of a call that must fail.
pub(crate) fn error<T: std::fmt::Debug>(result: Result<Response<T>, Status>) -> Status {
    result.unwrap_err()
}

pub(crate) fn id(response: Response<ResilienceResponse>) -> String {
    response.into_inner().id
}

/// Waits until the channel is in this state.
pub(crate) async fn until(channel: &Channel, what: impl Fn(&ChannelStatus) -> bool) {
    for round in 0..6_000 {
        if what(&channel.status()) {
            return;
        }
        let wait = if round < 100 { 1 } else { 10 };
        tokio::time::sleep(ms(wait)).await;
    }
    panic!("it did not come to that: {:#?}", channel.status());
}

/// Waits until so many endpoints are ready.
pub(crate) async fn ready(channel: &Channel, count: usize) {
    until(channel, |status| in_state(status, "ready") == count).await;
}

pub(crate) fn in_state(status: &ChannelStatus, state: &str) -> usize {
    let endpoints = status.endpoints.iter();
    endpoints.filter(|endpoint| endpoint.state == state).count()
}

/// `future`, which must be done long before this gives up.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(120), future)
        .await
        .expect("it takes much too long")
}

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn over(channel: &Channel) -> Client {
    Client::over(channel.clone())
}
