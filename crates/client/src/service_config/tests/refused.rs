//! What is refused: where, and why.

use super::*;

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
