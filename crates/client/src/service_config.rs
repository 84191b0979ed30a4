//! The operator's word over the contract's: gRPC's standard service config JSON (gRFC A2, A6; `grpc/service_config.proto`).
//!
//! The contract says how its methods are called. An operator who has to change that without a rebuild writes a file, in the
//! same form that clients in other languages take:
//!
//! ```json
//! {
//!   "loadBalancingConfig": [{"round_robin": {}}],
//!   "methodConfig": [{
//!     "name": [{"service": "greeter.v1.GreeterService", "method": "SayHello"}],
//!     "timeout": "1.5s",
//!     "retryPolicy": {
//!       "maxAttempts": 4,
//!       "initialBackoff": "0.1s",
//!       "maxBackoff": "1s",
//!       "backoffMultiplier": 2,
//!       "retryableStatusCodes": ["UNAVAILABLE"]
//!     }
//!   }],
//!   "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1}
//! }
//! ```
//!
//! It is read strictly, because a typing error that is passed over is found only when the service fails: what is unknown, out
//! of range, or against the contract is an [`Error`] that says where.

mod error;
pub(crate) mod file;
mod json;
mod number;
mod read;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use scribemed_rpc::policy::{
    Idempotency, LoadBalancing, MethodPolicy, RetryThrottling, ServicePolicy,
};

use crate::policy::{CallPolicy, Reattempt};

pub use error::{Error, FileError};

/// A service config that was read and agrees with the contracts of a channel. The default changes nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ServiceConfig {
    methods: Vec<MethodConfig>,
    /// Which of `methods` holds for a name.
    names: BTreeMap<Name, usize>,
    retry_throttling: Option<RetryThrottling>,
    load_balancing: Option<LoadBalancing>,
    health_check_service: Option<String>,
    notes: Vec<String>,
}

/// One `methodConfig`. What is `None` stays as the contract has it.
#[derive(Debug, Clone, PartialEq, Default)]
struct MethodConfig {
    timeout: Option<Duration>,
    wait_for_ready: Option<bool>,
    reattempt: Option<Reattempt>,
    max_request_bytes: Option<usize>,
    max_response_bytes: Option<usize>,
}

/// What a `methodConfig` holds for: a method, every method of a service, or every method.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    All,
    Service(String),
    Method(String, String),
}

impl ServiceConfig {
    /// Reads `json`, for a channel to the services of these contracts.
    ///
    /// Numbers may also be written as text, and the whole part of a duration be left out (`".5s"`), as protobuf's JSON and
    /// gRPC's own documents have it.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place and what would be right: what is no JSON, a field that is not known or
    /// there twice, a value of the wrong type or out of its range, a service or method that the contracts do not have, a
    /// name that is given twice; retries or hedging of a method that is not idempotent by contract, hedging of one whose
    /// caller sends a stream; retries on CANCELLED, DEADLINE_EXCEEDED or DATA_LOSS (AIP-194).
    pub fn parse(json: &str, contracts: &[&'static ServicePolicy]) -> Result<Self, Error> {
        let root = json::Node::parse(json)?;
        read::config(&json::Place::root(&root), contracts)
    }

    /// What is in force for the calls of `method`, a method of `contract`.
    ///
    /// Of the entries that hold for it the most specific one is taken alone: the one of the method, else the one of its
    /// service, else the one of all. What that entry leaves out stays as the contract has it; what it says may be more or
    /// less than the contract's.
    pub fn apply(&self, contract: &ServicePolicy, method: &MethodPolicy) -> CallPolicy {
        let mut policy = CallPolicy::from(method);
        let Some((_, config)) = self.config(contract.name, method.name) else {
            return policy;
        };
        policy.timeout = config.timeout.unwrap_or(policy.timeout);
        policy.wait_for_ready = config.wait_for_ready.unwrap_or(policy.wait_for_ready);
        policy.max_request_bytes = config.max_request_bytes.unwrap_or(policy.max_request_bytes);
        policy.max_response_bytes = config
            .max_response_bytes
            .unwrap_or(policy.max_response_bytes);
        // Reading has refused the rest; but what is not idempotent is not sent twice, whichever contract is handed in here.
        if let Some(mut reattempt) = config.reattempt.clone()
            && may_be_repeated(method)
        {
            // The service config has no word for the longest attempt, so that stays the contract's.
            if let (Reattempt::Retry(new), Reattempt::Retry(old)) =
                (&mut reattempt, &policy.reattempt)
            {
                new.per_attempt_timeout = old.per_attempt_timeout;
            }
            policy.reattempt = reattempt;
        }
        policy
    }

    /// Bounds retries and hedging (gRFC A6), in place of the contracts'. `None`: as they have it.
    pub fn retry_throttling(&self) -> Option<RetryThrottling> {
        self.retry_throttling
    }

    /// How a call finds its endpoint, in place of the contracts'. `None`: as they have it.
    pub fn load_balancing(&self) -> Option<LoadBalancing> {
        self.load_balancing
    }

    /// The service whose health decides whether an endpoint is used (gRFC A17); `""` is the server as a whole. `None`: the
    /// config does not say.
    pub fn health_check_service(&self) -> Option<&str> {
        self.health_check_service.as_deref()
    }

    /// What was taken otherwise than it was written, one sentence each, for the log: `maxAttempts` above 5.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The entry that holds for a method, with its place in the list.
    fn config(&self, service: &str, method: &str) -> Option<(usize, &MethodConfig)> {
        let names = [
            Name::Method(service.to_owned(), method.to_owned()),
            Name::Service(service.to_owned()),
            Name::All,
        ];
        let index = *names.iter().find_map(|name| self.names.get(name))?;
        Some((index, self.methods.get(index)?))
    }
}

/// Whether a second execution is harmless by contract.
fn may_be_repeated(method: &MethodPolicy) -> bool {
    match method.idempotency {
        Idempotency::NoSideEffects | Idempotency::Idempotent => true,
        Idempotency::Unknown => false,
    }
}
