//! What is taken, and what it means.

use super::*;

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
