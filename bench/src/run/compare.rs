//! The comparisons that the reach is set for: 64 B, 32 in flight, everything on.

use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use super::measure::{self, Case, Effort, Sample, Spread};
use crate::fleet::Fleet;
use crate::order::{Call, Load};
use crate::stack::Stack;

/// A unary call of 64 B, 32 in flight.
pub(super) const LOAD: Load = Load {
    call: Call::Unary,
    payload: 64,
    messages: 1,
    in_flight: 32,
    millis: 0,
};

/// Ours against bare tonic.
#[derive(Debug, Serialize)]
pub(super) struct Headline {
    /// CPU of our client against that of tonic's channel, each calling the server of its own stack, as in `throughput`.
    pub(super) client_cpu: Spread,
    /// The same, both calling our server with the same requests: token, deadline, ids.
    pub(super) client_cpu_same_requests: Spread,
    /// The same, both calling a bare server, only ours sending token, deadline and ids. A client that is quicker than its
    /// server gets answers one by one, and pays more for each.
    pub(super) client_cpu_bare_server: Spread,
    /// CPU of our server against that of a bare one, both called with the same requests: token, deadline, ids.
    pub(super) server_cpu: Spread,
    /// The same against a bare server that gets bare requests.
    pub(super) server_cpu_bare_requests: Spread,
    /// Calls a second, our client and server against a bare pair.
    pub(super) throughput: Spread,
    /// Calls for each second of CPU time, both sides together.
    pub(super) calls_per_core: Spread,
    /// The 99th percentile of both.
    pub(super) p99: Spread,
    /// What was measured, by case.
    pub(super) cases: Vec<(String, Vec<Sample>)>,
}

/// Ours against grpc-go, by calls for each second of CPU time, both sides together.
#[derive(Debug, Serialize)]
pub(super) struct GrpcGo {
    /// The same features on both sides.
    pub(super) calls_per_core: Spread,
    /// Theirs without protovalidate, ours with validation.
    pub(super) calls_per_core_unvalidated: Spread,
    /// What was measured, by case.
    pub(super) cases: Vec<(String, Vec<Sample>)>,
}

/// CPU time to serve and make a call.
fn both(sample: &Sample) -> f64 {
    sample.both_ns()
}

/// Ours against bare tonic.
pub(super) fn headline(fleet: &Fleet, effort: Effort) -> Result<Headline> {
    let bare = fleet.server(Stack::Bare)?;
    let ours = fleet.server(Stack::Ours)?;
    let (bare_at, ours_at) = (uri(&bare.address), uri(&ours.address));
    let (bare, ours) = (bare.peer.shared(), ours.peer.shared());
    let case = |name: &str, stack, at: &str, server: &crate::peer::Shared| {
        anyhow::Ok(Case {
            name: name.to_owned(),
            server: server.clone(),
            driver: fleet.driver(stack, at, &[])?.shared(),
            load: LOAD,
        })
    };
    let cases = [
        case("bare client, bare server", Stack::Bare, &bare_at, &bare)?,
        case("our client, bare server", Stack::Ours, &bare_at, &bare)?,
        case(
            "bare client with headers, bare server",
            Stack::BareWithHeaders,
            &bare_at,
            &bare,
        )?,
        case(
            "bare client with headers, our server",
            Stack::BareWithHeaders,
            &ours_at,
            &ours,
        )?,
        case("our client, our server", Stack::Ours, &ours_at, &ours)?,
    ];
    let samples = measure::rounds(&cases, effort)?;
    let [plain, client, loaded, server, whole] = samples.as_slice() else {
        anyhow::bail!("there are as many samples as cases");
    };
    Ok(Headline {
        client_cpu: Spread::ratio(whole, plain, |sample| sample.client_ns),
        client_cpu_same_requests: Spread::ratio(whole, server, |sample| sample.client_ns),
        client_cpu_bare_server: Spread::ratio(client, plain, |sample| sample.client_ns),
        server_cpu: Spread::ratio(server, loaded, |sample| sample.server_ns),
        server_cpu_bare_requests: Spread::ratio(server, plain, |sample| sample.server_ns),
        throughput: Spread::ratio(whole, plain, |sample| sample.rate),
        calls_per_core: Spread::ratio(plain, whole, both),
        p99: Spread::ratio(whole, plain, |sample| sample.p99_us),
        cases: named(&cases, &samples),
    })
}

/// Ours against grpc-go.
pub(super) fn grpc_go(fleet: &Fleet, program: &Path, effort: Effort) -> Result<GrpcGo> {
    let ours = fleet.server(Stack::Ours)?;
    let driver = fleet.driver(Stack::Ours, &uri(&ours.address), &[])?;
    let mut cases = vec![Case {
        name: "ours".to_owned(),
        server: ours.peer.shared(),
        driver: driver.shared(),
        load: LOAD,
    }];
    for (name, validate) in [("grpc-go", true), ("grpc-go without protovalidate", false)] {
        let server = fleet.go_server(program, validate)?;
        let driver = fleet.go_driver(program, &server.address, validate)?;
        cases.push(Case {
            name: name.to_owned(),
            server: server.peer.shared(),
            driver: driver.shared(),
            load: LOAD,
        });
    }
    let samples = measure::rounds(&cases, effort)?;
    let [ours, theirs, unvalidated] = samples.as_slice() else {
        anyhow::bail!("there are as many samples as cases");
    };
    Ok(GrpcGo {
        calls_per_core: Spread::ratio(theirs, ours, both),
        calls_per_core_unvalidated: Spread::ratio(unvalidated, ours, both),
        cases: named(&cases, &samples),
    })
}

/// How a driver is told one address.
pub(super) fn uri(address: &str) -> String {
    format!("http://{address}")
}

fn named(cases: &[Case], samples: &[Vec<Sample>]) -> Vec<(String, Vec<Sample>)> {
    cases
        .iter()
        .map(|case| case.name.clone())
        .zip(samples.iter().cloned())
        .collect()
}
