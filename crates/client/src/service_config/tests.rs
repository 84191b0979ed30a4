#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod refused;
mod taken;

use std::time::Duration;

use scribemed_resilience::backoff::Backoff;
use scribemed_rpc::policy::{
    Access, CircuitBreaker, Criticality, HedgingPolicy, Idempotency, LoadBalancing, MethodPolicy,
    Reattempt as Contract, RetryPolicy, RetryThrottling, ServicePolicy,
};
use tonic::Code;

use super::*;
use crate::policy::{Hedge, Retry};

/// A method that is sent once.
const ONCE: MethodPolicy = MethodPolicy {
    path: "/inn.v1.Inn/Pay",
    name: "Pay",
    client_streaming: false,
    server_streaming: false,
    timeout: Duration::from_secs(5),
    idempotency: Idempotency::Unknown,
    reattempt: Contract::Never,
    access: Access::Public,
    criticality: Criticality::Critical,
    max_request_bytes: 1000,
    max_response_bytes: 2000,
    bulk_field: None,
    lifecycle: None,
    wait_for_ready: false,
};
const RETRIED: MethodPolicy = MethodPolicy {
    path: "/inn.v1.Inn/Book",
    name: "Book",
    idempotency: Idempotency::Idempotent,
    reattempt: Contract::Retry(RetryPolicy {
        max_attempts: 3,
        initial_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(5),
        backoff_multiplier: 2.0,
        retryable_status_codes: &[Code::Unavailable],
        per_attempt_timeout: Some(Duration::from_secs(1)),
    }),
    ..ONCE
};
const HEDGED: MethodPolicy = MethodPolicy {
    path: "/inn.v1.Inn/Look",
    name: "Look",
    idempotency: Idempotency::NoSideEffects,
    reattempt: Contract::Hedge(HedgingPolicy {
        max_attempts: 2,
        hedging_delay: Duration::from_millis(20),
        non_fatal_status_codes: &[],
    }),
    ..ONCE
};
const UPLOAD: MethodPolicy = MethodPolicy {
    path: "/inn.v1.Inn/Fill",
    name: "Fill",
    client_streaming: true,
    idempotency: Idempotency::Idempotent,
    ..ONCE
};
const STABLE: MethodPolicy = MethodPolicy {
    path: "/inn.v1.Stable/Feed",
    name: "Feed",
    idempotency: Idempotency::Idempotent,
    ..ONCE
};
const INN: ServicePolicy = ServicePolicy {
    name: "inn.v1.Inn",
    discovery_name: "inn",
    methods: &[ONCE, RETRIED, HEDGED, UPLOAD],
    retry_throttling: None,
    circuit_breaker: CircuitBreaker::DEFAULT,
    load_balancing: LoadBalancing::PeakEwma,
    lifecycle: None,
};
const STABLES: ServicePolicy = ServicePolicy {
    name: "inn.v1.Stable",
    methods: &[STABLE],
    ..INN
};
pub(super) const CONTRACTS: &[&ServicePolicy] = &[&INN, &STABLES];

fn parse(json: &str) -> ServiceConfig {
    ServiceConfig::parse(json, CONTRACTS).unwrap_or_else(|error| panic!("{json}: {error}"))
}

/// It is refused: the place, and a part of what is said about it.
fn refused(json: &str, path: &str, expect: &str) {
    let error = ServiceConfig::parse(json, CONTRACTS).err();
    let error = error.unwrap_or_else(|| panic!("{json} is taken, instead of: {expect}"));
    assert_eq!(error.path(), path, "{json}: {error}");
    let text = error.to_string();
    assert!(text.contains(expect), "{json}: {text}\n  not: {expect}");
    let named = if path.is_empty() {
        "the service config"
    } else {
        path
    };
    assert!(
        text.starts_with(named) || error.position().is_some(),
        "{text}"
    );
}

/// An entry for `Book` with these fields.
fn book(fields: &str) -> String {
    format!(
        r#"{{"methodConfig": [{{"name": [{{"service": "inn.v1.Inn", "method": "Book"}}], {fields}}}]}}"#
    )
}

/// An entry for `Book` whose retry policy is a good one, but for this field.
fn retry(name: &str, value: &str) -> String {
    let fields = [
        ("maxAttempts", "4"),
        ("initialBackoff", "\"0.1s\""),
        ("maxBackoff", "\"1s\""),
        ("backoffMultiplier", "2"),
        ("retryableStatusCodes", "[\"UNAVAILABLE\"]"),
    ];
    let fields: Vec<String> = fields
        .iter()
        .map(|(field, good)| (field, if *field == name { value } else { good }))
        .filter(|(_, value)| !value.is_empty())
        .map(|(field, value)| format!("\"{field}\": {value}"))
        .collect();
    book(&format!("\"retryPolicy\": {{{}}}", fields.join(", ")))
}

const AT: &str = "methodConfig[0].retryPolicy";
