//! What each feature costs: everything on, against everything but that one, in turn.

use anyhow::Result;
use serde::Serialize;

use super::compare::{LOAD, uri};
use super::measure::{self, Case, Effort, Spread};
use crate::fleet::{Fleet, Where};
use crate::order::{Call, Load};
use crate::stack::{Layer, Part, Stack};

/// One feature, and how to do without it, or with it.
struct Feature {
    name: &'static str,
    how: How,
}

enum How {
    /// The contract turns it off for this method.
    Without(Call),
    /// The contract turns it on for this method.
    With(Call),
    /// The channel can leave it out.
    Off(&'static [Part]),
    /// The server does it when it logs at this level.
    Log(&'static str),
    /// The server can go without.
    ServedWithout(Layer),
    /// The server can have it besides.
    ServedWith(Layer),
}

impl How {
    /// What the server is told.
    fn place(&self) -> Where<'static> {
        let usual = Where::default();
        match *self {
            Self::Without(_) | Self::With(_) | Self::Off(_) => usual,
            Self::Log(level) => Where {
                log: Some(level),
                ..usual
            },
            Self::ServedWithout(layer) | Self::ServedWith(layer) => Where {
                layer: Some(layer),
                ..usual
            },
        }
    }
}

/// To add one: a method in the contract, a [`Part`] and its switch in [`stack::ours`](crate::stack::ours), or a [`Layer`].
const FEATURES: &[Feature] = &[
    Feature {
        name: "token: attached, verified, permitted",
        how: How::Without(Call::UnaryPublic),
    },
    Feature {
        name: "retries armed, request kept for a replay",
        how: How::Without(Call::UnaryOnce),
    },
    Feature {
        name: "validation of request and response",
        how: How::Without(Call::UnaryUnchecked),
    },
    Feature {
        name: "all policies of the contract, in the client",
        how: How::Off(&[Part::Policies]),
    },
    Feature {
        name: "the watch of the service's health",
        how: How::Off(&[Part::Health]),
    },
    Feature {
        name: "hedging armed in the place of retries",
        how: How::With(Call::UnaryHedged),
    },
    Feature {
        name: "the limit on calls at a time, and shedding",
        how: How::ServedWithout(Layer::Unlimited),
    },
    Feature {
        name: "a rate limit for the caller",
        how: How::ServedWith(Layer::RateLimit),
    },
    Feature {
        name: "a record in the audit log for each call",
        how: How::ServedWith(Layer::Audit),
    },
    Feature {
        name: "a log line for each call, as JSON",
        how: How::Log("info"),
    },
];

/// The cost of one feature.
#[derive(Debug, Serialize)]
pub(super) struct Cost {
    pub(super) feature: &'static str,
    /// In the client, in nanoseconds of CPU time a call.
    pub(super) client_ns: Spread,
    /// In the server, in nanoseconds of CPU time a call.
    pub(super) server_ns: Spread,
}

/// Measures them.
pub(super) fn run(fleet: &Fleet, effort: Effort) -> Result<Vec<Cost>> {
    let server = fleet.server(Stack::Ours)?;
    let address = uri(&server.address);
    let everything = Case {
        name: "everything on".to_owned(),
        server: server.peer.shared(),
        driver: fleet.driver(Stack::Ours, &address, &[])?.shared(),
        load: LOAD,
    };
    let mut cases = vec![everything.clone()];
    for feature in FEATURES {
        let mut case = Case {
            name: feature.name.to_owned(),
            ..everything.clone()
        };
        match feature.how {
            How::Without(call) | How::With(call) => case.load = Load { call, ..LOAD },
            How::Off(parts) => case.driver = fleet.driver(Stack::Ours, &address, parts)?.shared(),
            How::Log(_) | How::ServedWithout(_) | How::ServedWith(_) => {
                let place = feature.how.place();
                let server = fleet.server_at(Stack::Ours, place)?;
                let address = uri(&server.address);
                case.server = server.peer.shared();
                case.driver = fleet.driver(Stack::Ours, &address, &[])?.shared();
            }
        }
        cases.push(case);
    }
    let samples = measure::rounds(&cases, effort)?;
    let costs = FEATURES.iter().zip(&samples[1..]).map(|(feature, other)| {
        let (more, less) = match feature.how {
            How::Without(_) | How::Off(_) | How::ServedWithout(_) => (&samples[0], other),
            How::With(_) | How::Log(_) | How::ServedWith(_) => (other, &samples[0]),
        };
        Cost {
            feature: feature.name,
            client_ns: Spread::excess(more, less, |sample| sample.client_ns),
            server_ns: Spread::excess(more, less, |sample| sample.server_ns),
        }
    });
    Ok(costs.collect())
}
