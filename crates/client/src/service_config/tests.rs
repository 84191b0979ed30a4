#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

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

#[test]
fn the_examples_of_grpc_are_taken() {
    // gRFC A6, sections Retry Policy, Hedging Policy and Throttling Configuration.
    let config = parse(
        r#"{
          "loadBalancingPolicy": "ROUND_ROBIN",
          "methodConfig": [
            {
              "name": [{"service": "inn.v1.Inn", "method": "Book"}],
              "waitForReady": true,
              "timeout": "10.000000001s",
              "maxRequestMessageBytes": 1024,
              "maxResponseMessageBytes": "4194304",
              "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": ".1s",
                "maxBackoff": "1s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"]
              }
            },
            {
              "name": [{"service": "inn.v1.Inn", "method": "Look"}, {"service": "inn.v1.Stable", "method": ""}],
              "hedgingPolicy": {
                "maxAttempts": 4,
                "hedgingDelay": "0.5s",
                "nonFatalStatusCodes": ["UNAVAILABLE", "INTERNAL", "ABORTED"]
              }
            }
          ],
          "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1}
        }"#,
    );
    let policy = config.apply(&INN, &RETRIED);
    assert_eq!(
        policy,
        CallPolicy {
            timeout: Duration::new(10, 1),
            wait_for_ready: true,
            idempotency: Idempotency::Idempotent,
            reattempt: Reattempt::Retry(Retry {
                max_attempts: 4,
                backoff: Backoff::new(Duration::from_millis(100), Duration::from_secs(1), 2.0, 0.2)
                    .unwrap(),
                codes: [Code::Unavailable].into_iter().collect(),
                // The contract's.
                per_attempt_timeout: Some(Duration::from_secs(1)),
            }),
            max_request_bytes: 1024,
            max_response_bytes: 4 * 1024 * 1024,
        }
    );
    for (contract, method) in [(&INN, &HEDGED), (&STABLES, &STABLE)] {
        let hedge = Reattempt::Hedge(Hedge {
            max_attempts: 4,
            delay: Duration::from_millis(500),
            non_fatal: [Code::Unavailable, Code::Internal, Code::Aborted]
                .into_iter()
                .collect(),
        });
        let policy = config.apply(contract, method);
        assert_eq!(
            policy,
            CallPolicy {
                reattempt: hedge,
                ..CallPolicy::from(method)
            }
        );
    }
    let throttling = RetryThrottling {
        max_tokens: 10,
        token_ratio: 0.1,
    };
    assert_eq!(config.retry_throttling(), Some(throttling));
    assert_eq!(config.load_balancing(), Some(LoadBalancing::RoundRobin));
    assert_eq!(config.health_check_service(), None);
    assert!(config.notes().is_empty());
}

#[test]
fn what_is_not_said_stays_as_the_contract_has_it() {
    for json in [
        "{}",
        "{\"methodConfig\": []}",
        &book("\"waitForReady\": false"),
    ] {
        let config = parse(json);
        for method in INN.methods {
            assert_eq!(
                config.apply(&INN, method),
                CallPolicy::from(method),
                "{json}"
            );
        }
        assert_eq!(config.retry_throttling(), None);
        assert_eq!(config.load_balancing(), None);
    }
    assert_eq!(parse("{}"), ServiceConfig::default());
}

#[test]
fn the_most_specific_name_wins_and_alone() {
    let config = parse(
        r#"{"methodConfig": [
          {"name": [{}], "timeout": "1s", "waitForReady": true},
          {"name": [{"service": "inn.v1.Inn", "method": null}], "timeout": "2s"},
          {"name": [{"service": "inn.v1.Inn", "method": "Pay"}], "maxRequestMessageBytes": 0}
        ]}"#,
    );
    let check = |contract, method, seconds, waits| {
        let policy = config.apply(contract, method);
        assert_eq!(
            (policy.timeout.as_secs(), policy.wait_for_ready),
            (seconds, waits)
        );
    };
    check(&INN, &ONCE, 5, false);
    check(&INN, &HEDGED, 2, false);
    check(&STABLES, &STABLE, 1, true);
    assert_eq!(config.apply(&INN, &ONCE).max_request_bytes, 0);
}

#[test]
fn a_wide_name_holds_only_where_no_narrower_one_does() {
    // `Pay` and `Fill` have entries of their own, so the hedging of the others is fine.
    let json = r#"{"methodConfig": [
      {"name": [{}], "hedgingPolicy": {"maxAttempts": 2}},
      {"name": [{"service": "inn.v1.Inn", "method": "Pay"}, {"service": "inn.v1.Inn", "method": "Fill"}]}
    ]}"#;
    let config = parse(json);
    assert!(matches!(
        config.apply(&INN, &RETRIED).reattempt,
        Reattempt::Hedge(_)
    ));
    assert_eq!(config.apply(&INN, &ONCE).reattempt, Reattempt::Never);
    // Even if it is asked about a method that it was not read for.
    let foreign = ServicePolicy {
        name: "inn.v2.Inn",
        ..INN
    };
    assert_eq!(config.apply(&foreign, &ONCE).reattempt, Reattempt::Never);
}

#[test]
fn numbers_durations_and_codes_are_those_of_protobuf() {
    for (field, value) in [
        ("maxAttempts", "\"4\""),
        ("maxAttempts", "4.0"),
        ("initialBackoff", "\"0.100000000s\""),
        ("initialBackoff", "\".1s\""),
        ("maxBackoff", "\"1.0s\""),
        ("maxBackoff", "\"00001s\""),
        ("backoffMultiplier", "\"2.0\""),
        ("retryableStatusCodes", "[14]"),
        ("retryableStatusCodes", "[\"unavailable\", \"Unavailable\"]"),
    ] {
        assert_eq!(
            parse(&retry(field, value)),
            parse(&retry("", "")),
            "{field} {value}"
        );
    }
    let check = |text: &str, expect| {
        let config = parse(&book(&format!("\"timeout\": \"{text}\"")));
        assert_eq!(config.apply(&INN, &RETRIED).timeout, expect, "{text}");
    };
    check("1.5s", Duration::from_millis(1500));
    check("0.000000001s", Duration::from_nanos(1));
    check("315576000000s", Duration::from_secs(315_576_000_000));
}

#[test]
fn attempts_above_five_are_five_and_noted() {
    let config = parse(&retry("maxAttempts", "9"));
    let Reattempt::Retry(policy) = config.apply(&INN, &RETRIED).reattempt else {
        panic!("not retried");
    };
    assert_eq!(policy.max_attempts, 5);
    let note =
        "methodConfig[0].retryPolicy.maxAttempts is 9 and taken as 5, the most there are (gRFC A6)";
    assert_eq!(config.notes(), [note]);
    assert!(parse(&retry("maxAttempts", "5")).notes().is_empty());
}

#[test]
fn load_balancing_is_the_first_that_is_known() {
    let check = |json: &str, expect| assert_eq!(parse(json).load_balancing(), expect, "{json}");
    let list = r#"{"loadBalancingConfig": [{"xds_magic": {"a": 1}}, {"pick_first": {}}, {"round_robin": {}}]}"#;
    check(list, Some(LoadBalancing::PickFirst));
    check(
        r#"{"loadBalancingConfig": [{"peak_ewma": {}}]}"#,
        Some(LoadBalancing::PeakEwma),
    );
    check(
        r#"{"loadBalancingPolicy": "pick_first"}"#,
        Some(LoadBalancing::PickFirst),
    );
    let both =
        r#"{"loadBalancingPolicy": "pick_first", "loadBalancingConfig": [{"round_robin": {}}]}"#;
    check(both, Some(LoadBalancing::RoundRobin));

    let known = "round_robin, pick_first, peak_ewma";
    let at = "loadBalancingConfig";
    refused(
        r#"{"loadBalancingPolicy": "grpclb"}"#,
        "loadBalancingPolicy",
        known,
    );
    refused(r#"{"loadBalancingConfig": []}"#, at, known);
    refused(r#"{"loadBalancingConfig": [{"grpclb": {}}]}"#, at, known);
    refused(
        r#"{"loadBalancingConfig": {"round_robin": {}}}"#,
        at,
        "is an object; it must be a list",
    );
    refused(
        r#"{"loadBalancingConfig": ["round_robin"]}"#,
        "loadBalancingConfig[0]",
        "one field, as {\"round",
    );
    let two = r#"{"loadBalancingConfig": [{"round_robin": {}, "pick_first": {}}]}"#;
    refused(two, "loadBalancingConfig[0]", "has not one field");
    let shuffle = r#"{"loadBalancingConfig": [{"pick_first": {"shuffleAddressList": true}}]}"#;
    let path = "loadBalancingConfig[0].pick_first.shuffleAddressList";
    refused(shuffle, path, "is not known; there are no fields here");
}

#[test]
fn health_checking_names_a_service() {
    let check = |name: &str| {
        let json = format!(r#"{{"healthCheckConfig": {{"serviceName": "{name}"}}}}"#);
        assert_eq!(parse(&json).health_check_service(), Some(name));
    };
    check("inn.v1.Inn");
    check("");
    assert_eq!(
        parse(r#"{"healthCheckConfig": {}}"#).health_check_service(),
        None
    );
    refused(
        r#"{"healthCheckConfig": {"serviceName": 1}}"#,
        "healthCheckConfig.serviceName",
        "is 1; it must be a text",
    );
}

#[test]
fn throttling_has_its_ranges() {
    let check = |tokens: &str, ratio: &str, expect: f32| {
        let json =
            format!(r#"{{"retryThrottling": {{"maxTokens": {tokens}, "tokenRatio": {ratio}}}}}"#);
        let ratio = parse(&json)
            .retry_throttling()
            .map(|found| found.token_ratio);
        assert_eq!(ratio, Some(expect), "{json}");
    };
    check("1", "0.001", 0.001);
    check("1000", "0.1239", 0.123);
    check("\"10\"", "1", 1.0);
    for (field, value, expect) in [
        (
            "maxTokens",
            "0",
            "is 0; it must be a whole number from 1 to 1000",
        ),
        ("maxTokens", "1001", "is 1001; it must be"),
        ("maxTokens", "0.5", "is 0.5; it must be"),
        ("maxTokens", "-1", "is -1; it must be"),
        ("tokenRatio", "0", "is 0; it must be 0.001 or more"),
        ("tokenRatio", "0.0001", "it must be 0.001 or more"),
        ("tokenRatio", "-0.1", "it must be 0.001 or more"),
        (
            "tokenRatio",
            "\"inf\"",
            "is \"inf\"; it must be 0.001 or more",
        ),
    ] {
        let other = if field == "maxTokens" {
            "\"tokenRatio\": 0.1"
        } else {
            "\"maxTokens\": 10"
        };
        let json = format!(r#"{{"retryThrottling": {{"{field}": {value}, {other}}}}}"#);
        refused(&json, &format!("retryThrottling.{field}"), expect);
    }
    refused(
        r#"{"retryThrottling": {"maxTokens": 10}}"#,
        "retryThrottling.tokenRatio",
        "is missing; write \"tokenRatio\": 0.1",
    );
}

#[test]
fn what_is_no_json_has_a_line() {
    for (json, position, expect) in [
        ("", (1, 0), "EOF"),
        ("{\n  \"methodConfig\": [\n", (3, 0), "EOF"),
        ("{\"retryThrottling\": {},}", (1, 24), "trailing comma"),
        ("{} {}", (1, 4), "trailing characters"),
        (
            "{\n\"methodConfig\": [],\n\"methodConfig\": []}",
            (3, 14),
            "the field \"methodConfig\" is there twice",
        ),
        ("{\"timeout\": 1e999}", (1, 17), "number out of range"),
    ] {
        refused(json, "", expect);
        let error = ServiceConfig::parse(json, CONTRACTS).unwrap_err();
        assert_eq!(error.position(), Some(position), "{json}");
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("line {}, column {}: ", position.0, position.1)),
            "{text}"
        );
        assert_eq!(text.matches("line").count(), 1, "{text}");
    }
    let deep = "[".repeat(100_000);
    refused(&deep, "", "recursion limit");
}

#[test]
fn what_is_not_known_is_refused() {
    refused(
        "[]",
        "",
        "the service config is a list; it must be an object",
    );
    refused(
        r#"{"methodConfigs": []}"#,
        "methodConfigs",
        "is not known; the fields here are loadBalancingConfig,",
    );
    refused(
        r#"{"method_config": []}"#,
        "method_config",
        "is not known; it is called methodConfig",
    );
    refused(r#"{"a b\n": 1}"#, "[\"a b\\n\"]", "is not known");
    refused(
        r#"{"methodConfig": [1]}"#,
        "methodConfig[0]",
        "is 1; it must be an object",
    );
    refused(
        &book(r#""timeOut": "1s""#),
        "methodConfig[0].timeOut",
        "it is called timeout",
    );
    refused(
        &book(r#""retryPolicy": {"max_attempts": 2}"#),
        "methodConfig[0].retryPolicy.max_attempts",
        "it is called maxAttempts",
    );
    refused(
        &book(r#""hedgingPolicy": {"initialBackoff": "1s"}"#),
        "methodConfig[0].hedgingPolicy.initialBackoff",
        "the fields here are maxAttempts, hedgingDelay",
    );
    refused(
        &book(r#""waitForReady": "true""#),
        "methodConfig[0].waitForReady",
        "is \"true\"; it must be true or false",
    );
    refused(
        &book(r#""timeout": null"#),
        "methodConfig[0].timeout",
        "is null; it must be a duration",
    );
    refused(
        &book(r#""maxRequestMessageBytes": 4294967296"#),
        "methodConfig[0].maxRequestMessageBytes",
        "a whole number, 0 or more",
    );
    let long = "x".repeat(1000);
    let error = ServiceConfig::parse(&format!("{{\"{long}\": 1}}"), CONTRACTS).unwrap_err();
    assert!(error.to_string().len() < 300, "{error}");
}

#[test]
fn a_timeout_is_a_duration_above_zero() {
    for value in [
        "\"0s\"",
        "\"0.0s\"",
        "\"-1s\"",
        "\"1\"",
        "\"s\"",
        "\".s\"",
        "\"1.s\"",
        "\"1.5\"",
        "\"1 s\"",
        "\"+1s\"",
        "\"1e3s\"",
        "\"1ms\"",
        "\"1.0000000001s\"",
        "\"315576000001s\"",
        "\"99999999999999999999s\"",
        "\"1,5s\"",
        "\"\"",
        "1.5",
        "{}",
        "\"\u{663}s\"",
    ] {
        refused(
            &book(&format!("\"timeout\": {value}")),
            "methodConfig[0].timeout",
            "as \"1.5s\"",
        );
    }
}

#[test]
fn a_name_is_one_of_the_contracts_and_given_once() {
    let check = |names: &str, path: &str, expect: &str| {
        let json = format!(
            r#"{{"methodConfig": [{{"name": [{{"service": "inn.v1.Inn"}}]}}, {{{names}}}]}}"#
        );
        refused(&json, &format!("methodConfig[1]{path}"), expect);
    };
    check("", ".name", "is missing; write \"name\": [{\"service\"");
    check(
        r#""name": []"#,
        ".name",
        "is empty, so the entry holds for nothing",
    );
    check(r#""name": {}"#, ".name", "is an object; it must be a list");
    check(
        r#""name": [{"service": "inn"}]"#,
        ".name[0].service",
        "is \"inn\", which this channel does not call; its services are inn.v1.Inn, inn.v1.Stable",
    );
    check(
        r#""name": [{"service": "inn.v1.Inn", "method": "Rest"}]"#,
        ".name[0].method",
        "is \"Rest\", which inn.v1.Inn does not have; its methods are Pay, Book, Look, Fill",
    );
    check(
        r#""name": [{"method": "Book"}]"#,
        ".name[0].method",
        "names a method without its service",
    );
    check(
        r#""name": [{"service": "inn.v1.Inn"}]"#,
        ".name[0]",
        "is named by methodConfig[0] already; name it once",
    );
    check(
        r#""name": [{}, {"service": "", "method": null}]"#,
        ".name[1]",
        "is named by methodConfig[1] already",
    );
    check(
        r#""name": [{"service": 1}]"#,
        ".name[0].service",
        "is 1; it must be a text",
    );
    check(
        r#""name": [{"service": "inn.v1.Inn", "path": "x"}]"#,
        ".name[0].path",
        "the fields here are service, method",
    );
}

#[test]
fn a_retry_policy_is_complete_and_in_range() {
    for (field, value, expect) in [
        (
            "maxAttempts",
            "1",
            "is 1; it must be a whole number, 2 or more",
        ),
        (
            "maxAttempts",
            "0",
            "is 0; it must be a whole number, 2 or more",
        ),
        ("maxAttempts", "2.5", "is 2.5; it must be a whole number"),
        ("maxAttempts", "-3", "is -3; it must be"),
        ("maxAttempts", "\"three\"", "is \"three\"; it must be"),
        ("maxAttempts", "", "is missing; write \"maxAttempts\": 3"),
        ("initialBackoff", "\"0s\"", "it must be above 0"),
        ("initialBackoff", "100", "is 100; it must be a duration"),
        (
            "initialBackoff",
            "",
            "is missing; write \"initialBackoff\": \"0.1s\"",
        ),
        (
            "maxBackoff",
            "\"0.05s\"",
            "is \"0.05s\"; it must be at least initialBackoff, 100ms",
        ),
        ("maxBackoff", "", "is missing"),
        (
            "backoffMultiplier",
            "0.5",
            "is 0.5; it must be 1 or more, as 2",
        ),
        ("backoffMultiplier", "[]", "is a list; it must be 1 or more"),
        ("backoffMultiplier", "", "is missing"),
        (
            "retryableStatusCodes",
            "[]",
            "is empty, so nothing is retried",
        ),
        ("retryableStatusCodes", "", "is missing"),
    ] {
        refused(&retry(field, value), &format!("{AT}.{field}"), expect);
    }
    for (code, expect) in [
        ("\"OK\"", "is OK, which is no failure"),
        ("0", "is OK, which is no failure"),
        (
            "\"UNAVAILBLE\"",
            "is \"UNAVAILBLE\"; it must be one of CANCELLED, UNKNOWN,",
        ),
        ("17", "is 17; it must be one of"),
        ("true", "is true; it must be one of"),
        (
            "\"CANCELLED\"",
            "is CANCELLED, which must never be retried (AIP-194)",
        ),
        (
            "\"deadline_exceeded\"",
            "is DEADLINE_EXCEEDED, which must never",
        ),
        ("15", "is DATA_LOSS, which must never"),
    ] {
        let json = retry(
            "retryableStatusCodes",
            &format!("[\"UNAVAILABLE\", {code}]"),
        );
        refused(&json, &format!("{AT}.retryableStatusCodes[1]"), expect);
    }
    let both = retry("", "").replace(
        "\"retryPolicy\"",
        r#""hedgingPolicy": {"maxAttempts": 2}, "retryPolicy""#,
    );
    refused(
        &both,
        "methodConfig[0]",
        "has a retryPolicy and a hedgingPolicy; take one",
    );
    refused(
        &book(r#""hedgingPolicy": {"maxAttempts": 1}"#),
        "methodConfig[0].hedgingPolicy.maxAttempts",
        "2 or more",
    );
    refused(
        &book(r#""hedgingPolicy": {}"#),
        "methodConfig[0].hedgingPolicy.maxAttempts",
        "is missing",
    );
}

#[test]
fn nothing_is_sent_twice_against_the_contract() {
    let entry = |name: &str, policy: &str| {
        format!(r#"{{"methodConfig": [{{"name": [{name}], {policy}}}]}}"#)
    };
    let retry = retry("", "");
    let retry = &retry[retry.find("\"retryPolicy\"").unwrap()..retry.len() - 3];
    let hedge = r#""hedgingPolicy": {"maxAttempts": 2}"#;
    let pay = r#"{"service": "inn.v1.Inn", "method": "Pay"}"#;
    let fill = r#"{"service": "inn.v1.Inn", "method": "Fill"}"#;
    let inn = r#"{"service": "inn.v1.Inn"}"#;
    let (at_retry, at_hedge) = (
        "methodConfig[0].retryPolicy",
        "methodConfig[0].hedgingPolicy",
    );
    let not_idempotent =
        "holds for inn.v1.Inn/Pay, which is not idempotent by contract and is never sent twice; ";
    refused(
        &entry(pay, retry),
        at_retry,
        &format!("{not_idempotent}take retryPolicy away"),
    );
    refused(
        &entry(pay, hedge),
        at_hedge,
        &format!("{not_idempotent}take hedgingPolicy away"),
    );
    let name = format!(
        "{not_idempotent}name the methods that it may hold for: inn.v1.Inn/Book, inn.v1.Inn/Look, inn.v1.Inn/Fill"
    );
    refused(&entry(inn, retry), at_retry, &name);
    refused(
        &entry("{}", retry),
        at_retry,
        &format!("{name}, inn.v1.Stable/Feed"),
    );
    refused(
        &entry(fill, hedge),
        at_hedge,
        "holds for inn.v1.Inn/Fill, whose caller sends a stream, so that it cannot be hedged",
    );
    parse(&entry(fill, retry));
}
