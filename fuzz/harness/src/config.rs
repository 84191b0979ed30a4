//! What an operator writes.

use std::time::Duration;

use scribemed_client::service_config::ServiceConfig;
use scribemed_client::{CallPolicy, Reattempt};
use scribemed_rpc::policy::{
    Access, CircuitBreaker, Criticality, Idempotency, LoadBalancing, MethodPolicy,
    Reattempt as Contract, RetryPolicy, ServicePolicy,
};
use tonic::Code;

use crate::check_error;

const PAY: MethodPolicy = MethodPolicy {
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
const BOOK: MethodPolicy = MethodPolicy {
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
    ..PAY
};
const FILL: MethodPolicy = MethodPolicy {
    path: "/inn.v1.Inn/Fill",
    name: "Fill",
    client_streaming: true,
    idempotency: Idempotency::Idempotent,
    ..PAY
};
/// A method of each kind: sent once, retried, and one whose caller sends a stream.
const INN: ServicePolicy = ServicePolicy {
    name: "inn.v1.Inn",
    discovery_name: "inn",
    methods: &[PAY, BOOK, FILL],
    retry_throttling: None,
    circuit_breaker: CircuitBreaker::DEFAULT,
    load_balancing: LoadBalancing::PeakEwma,
    lifecycle: None,
};

/// A service config.
pub fn service_config(data: &[u8]) {
    let Ok(json) = std::str::from_utf8(data) else {
        return;
    };
    let config = match ServiceConfig::parse(json, &[&INN]) {
        Ok(config) => config,
        Err(error) => return check_error(&error.to_string()),
    };
    for method in INN.methods {
        check_policy(method, &config.apply(&INN, method));
    }
    if let Some(throttling) = config.retry_throttling() {
        assert!(
            (1..=1000).contains(&throttling.max_tokens),
            "{throttling:?}"
        );
        assert!(
            throttling.token_ratio > 0.0 && throttling.token_ratio.is_finite(),
            "{throttling:?}"
        );
    }
    for note in config.notes() {
        check_error(note);
    }
}

/// No file makes a policy that breaks gRFC A6 or the contract.
fn check_policy(method: &MethodPolicy, policy: &CallPolicy) {
    assert_eq!(policy.idempotency, method.idempotency);
    assert!(!policy.timeout.is_zero());
    let once = matches!(method.idempotency, Idempotency::Unknown);
    match &policy.reattempt {
        Reattempt::Never => {}
        Reattempt::Retry(retry) => {
            assert!(!once && (2..=5).contains(&retry.max_attempts), "{policy:?}");
            let never = [
                Code::Ok,
                Code::Cancelled,
                Code::DeadlineExceeded,
                Code::DataLoss,
            ];
            assert!(
                !never.iter().any(|code| retry.codes.contains(*code)),
                "{policy:?}"
            );
            assert!(!retry.codes.is_empty(), "{policy:?}");
        }
        Reattempt::Hedge(hedge) => {
            assert!(!once && !method.client_streaming, "{policy:?}");
            assert!((2..=5).contains(&hedge.max_attempts), "{policy:?}");
            assert!(!hedge.non_fatal.contains(Code::Ok), "{policy:?}");
        }
    }
}
