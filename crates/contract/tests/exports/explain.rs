//! `explain`.

use std::fs;

use crate::support::{complaint, inn, root, said};

const INN: &str = r#"service Inn {
  option (scribemed.options.v1.service) = {
    discovery_name: "inn"
    defaults: {
      timeout: {seconds: 4}
      retry_policy: {max_attempts: 3 retryable_status_codes: [UNAVAILABLE, ABORTED]}
      criticality: CRITICALITY_SHEDDABLE
    }
  };
  rpc Rest(RestRequest) returns (RestResponse) {
    option idempotency_level = IDEMPOTENT;
    option (scribemed.options.v1.method) = {timeout: {seconds: 2 nanos: 500000000} permissions: ["use:beds"]};
  }
  rpc Pay(RestRequest) returns (RestResponse) {
    option (scribemed.options.v1.method) = {public: true retry_policy: {max_attempts: 1}};
  }
}
message RestRequest {}
message RestResponse {}
"#;

fn line<'a>(text: &'a str, part: &str) -> &'a str {
    let mut lines = text.lines().map(str::trim);
    lines
        .find(|line| line.starts_with(part))
        .unwrap_or_else(|| panic!("no {part} in {text}"))
}

fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn each_part_says_where_it_comes_from() {
    let folder = inn(INN);
    let text = said(folder.path(), &["explain", "Rest"]);
    for (part, expect) in [
        ("timeout", "timeout method option 2500 ms"),
        (
            "retry_policy",
            "retry_policy service default up to 3 attempts on UNAVAILABLE, ABORTED; waits 100 ms × 2, at most 5 s",
        ),
        ("permissions", "permissions method option use:beds"),
        ("criticality", "criticality service default SHEDDABLE"),
        (
            "max_request_bytes",
            "max_request_bytes product default 4 MiB",
        ),
        (
            "idempotency_level",
            "idempotency_level method option idempotent",
        ),
        ("retry_throttling", "retry_throttling product default none"),
        ("lifecycle", "lifecycle product default no end is announced"),
    ] {
        assert_eq!(words(line(&text, part)), expect);
    }
    let text = said(folder.path(), &["explain", "/inn.v1.Inn/Pay"]);
    assert_eq!(
        words(line(&text, "retry_policy")),
        "retry_policy method option sent once"
    );
    assert_eq!(
        words(line(&text, "permissions")),
        "permissions method option public: no token is asked for"
    );
}

#[test]
fn the_operators_word_stands_beside_the_contracts() {
    let folder = inn(INN);
    let config = r#"{
  "methodConfig": [
    {"name": [{}], "timeout": "9s"},
    {"name": [{"service": "inn.v1.Inn", "method": "Rest"}], "timeout": "1.5s", "maxResponseMessageBytes": 1024,
     "retryPolicy": {"maxAttempts": 2, "initialBackoff": ".05s", "maxBackoff": "1s", "backoffMultiplier": 1.5,
                     "retryableStatusCodes": ["UNAVAILABLE"]}}
  ],
  "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.5},
  "loadBalancingConfig": [{"round_robin": {}}]
}"#;
    fs::write(folder.path().join("inn.json"), config).unwrap();
    let text = said(
        folder.path(),
        &["explain", "Rest", "--service-config", "inn.json"],
    );
    for (part, expect) in [
        (
            "timeout",
            "timeout service config 1500 ms (contract: 2500 ms)",
        ),
        (
            "max_response_bytes",
            "max_response_bytes service config 1 KiB (contract: 4 MiB)",
        ),
        (
            "max_request_bytes",
            "max_request_bytes product default 4 MiB",
        ),
        (
            "retry_policy",
            "retry_policy service config up to 2 attempts on UNAVAILABLE; waits 50 ms × 1.5, at most 1 s (contract: up \
             to 3 attempts on UNAVAILABLE, ABORTED; waits 100 ms × 2, at most 5 s)",
        ),
        (
            "retry_throttling",
            "retry_throttling service config 10 tokens, a success gives back 0.5 (contract: none)",
        ),
        (
            "load_balancing",
            "load_balancing service config round_robin (contract: peak_ewma)",
        ),
    ] {
        assert_eq!(words(line(&text, part)), expect);
    }
    // The entry of all holds for the other method.
    let text = said(
        folder.path(),
        &["explain", "Pay", "--service-config", "inn.json"],
    );
    assert_eq!(
        words(line(&text, "timeout")),
        "timeout service config 9 s (contract: 4 s)"
    );
}

#[test]
fn programs_get_json() {
    let folder = inn(INN);
    let text = said(folder.path(), &["explain", "Rest", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["method"], "inn.v1.Inn.Rest");
    assert_eq!(json["path"], "/inn.v1.Inn/Rest");
    let timeout = &json["policy"][0];
    assert_eq!(
        *timeout,
        serde_json::json!({"name": "timeout", "value": "2.5s", "from": "method"})
    );
}

#[test]
fn a_service_config_that_the_client_would_refuse_is_refused() {
    let folder = inn(INN);
    let config = r#"{"methodConfig": [{"name": [{"service": "inn.v1.Inn", "method": "Pay"}],
        "retryPolicy": {"maxAttempts": 3, "initialBackoff": "1s", "maxBackoff": "2s", "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"]}}]}"#;
    fs::write(folder.path().join("inn.json"), config).unwrap();
    let (line, code) = complaint(
        folder.path(),
        &["explain", "Pay", "--service-config", "inn.json"],
    );
    assert_eq!(code, 2);
    assert!(
        line.contains("inn.json: ") && line.contains("not idempotent"),
        "{line}"
    );
    let (line, code) = complaint(
        folder.path(),
        &["explain", "Pay", "--service-config", "none.json"],
    );
    assert_eq!(code, 2);
    assert!(
        line.starts_with("error: none.json cannot be read"),
        "{line}"
    );
}

#[test]
fn every_method_of_the_contract_is_explained() {
    let reference = crate::support::ours();
    for (_, method) in reference.methods() {
        let found = scribemed_contract::explain::of(&reference, &method.full_name, None).unwrap();
        assert_eq!(found.parts.len(), 12, "{}", method.full_name);
    }
    assert!(said(&root(), &["explain", "RotateKeys"]).contains("rotate:keys"));
}
