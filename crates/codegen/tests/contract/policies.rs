//! What is wrong with the policy of a service or a method.

use scribemed_codegen::Error;

use crate::generated::generated;
use crate::inn::{FINE, Inn, compile, refused};

fn method(method: &str, expect: &str) {
    let method = format!("option (scribemed.options.v1.method) = {{{method}}};");
    let inn = Inn {
        method: &method,
        ..FINE
    };
    refused(&inn, &["inn/v1/inn.proto:7:3: inn.v1.Inn.Rest: ", expect]);
}

/// A method that may be repeated.
fn idempotent(options: &str, expect: &str) {
    let method = format!(
        "option idempotency_level = IDEMPOTENT; option (scribemed.options.v1.method) = {{timeout: {{seconds: 1}} public: true {options}}};"
    );
    let inn = Inn {
        method: &method,
        ..FINE
    };
    refused(&inn, &["inn/v1/inn.proto:7:3: inn.v1.Inn.Rest: ", expect]);
}

#[test]
fn a_method_says_how_long_and_by_whom() {
    method("public: true", "has no timeout; write `option");
    method("timeout: {} public: true", "has no timeout");
    method("timeout: {seconds: -1} public: true", "timeout is negative");
    method(
        "timeout: {seconds: 1}",
        "says neither who may call it nor that everybody may; write",
    );
    method(
        r#"timeout: {seconds: 1} public: true permissions: "rest:beds""#,
        "is public and asks for permissions; take one of the two away",
    );
    for permission in ["rest", "Rest:beds", "rest:", "rest beds", "rest:beds:all"] {
        method(
            &format!("timeout: {{seconds: 1}} permissions: \"{permission}\""),
            &format!("permission {permission:?} is not of the form `verb:things`, as `read:notes`"),
        );
    }
}

#[test]
fn only_what_is_harmless_is_repeated() {
    let open = "timeout: {seconds: 1} public: true";
    let expect =
        "is retried or hedged but has no idempotency_level; set `option idempotency_level`";
    method(&format!("{open} retry_policy: {{max_attempts: 3}}"), expect);
    method(
        &format!("{open} hedging_policy: {{max_attempts: 2}}"),
        expect,
    );
    for (options, expect) in [
        (
            "retry_policy: {max_attempts: 9}",
            "max_attempts is 9; it must be 1 (sent once) to 5",
        ),
        ("retry_policy: {}", "max_attempts is 0; it must be 1"),
        (
            "hedging_policy: {max_attempts: 6}",
            "max_attempts is 6; it must be 1",
        ),
        (
            "retry_policy: {max_attempts: 3 retryable_status_codes: [UNAVAILABLE, DEADLINE_EXCEEDED]}",
            "retries on DEADLINE_EXCEEDED, which must never be retried",
        ),
        (
            "retry_policy: {max_attempts: 3 retryable_status_codes: [CANCELLED]}",
            "retries on CANCELLED",
        ),
        (
            "retry_policy: {max_attempts: 3 initial_backoff: {seconds: 9}}",
            "initial_backoff is 9s; it must be above 0 and at most max_backoff, 5s",
        ),
        (
            "retry_policy: {max_attempts: 3 backoff_multiplier: 0.5}",
            "backoff_multiplier is 0.5; it must be at least 1",
        ),
    ] {
        idempotent(options, expect);
    }
}

#[test]
fn an_end_is_announced_in_full() {
    let check = |options: &str, lifecycle: &str, expect: &str| {
        let method = format!(
            "{options} option (scribemed.options.v1.method) = {{timeout: {{seconds: 1}} public: true {lifecycle}}};"
        );
        let inn = Inn {
            method: &method,
            ..FINE
        };
        refused(&inn, &["inn/v1/inn.proto:7:3: inn.v1.Inn.Rest: ", expect]);
    };
    let lifecycle = |from: &str, to: &str, successor: &str| {
        format!(
            "lifecycle: {{deprecated_on: \"{from}\" sunset_on: \"{to}\" successor: \"{successor}\"}}"
        )
    };
    let good = lifecycle("2026-01-31", "2027-01-31", "inn.v1.Inn.Rest");
    let deprecated = "option deprecated = true;";
    check(
        deprecated,
        "",
        "is deprecated without a lifecycle; add `lifecycle: {deprecated_on:",
    );
    check(
        "",
        &good,
        "has a lifecycle but is not deprecated; add `option deprecated = true`",
    );
    for (from, to, successor, expect) in [
        (
            "2026-01-31",
            "2025-12-31",
            "inn.v1.Inn",
            "lifecycle.sunset_on, 2025-12-31, is before deprecated_on, 2026-01-31",
        ),
        (
            "soon",
            "such a day",
            "inn.v1.Inn",
            "lifecycle.deprecated_on is \"soon\"; it must be a date, as 2026-01-31",
        ),
        (
            "2026-01-31",
            "2027-02-29",
            "inn.v1.Inn",
            "lifecycle.sunset_on is \"2027-02-29\"; it must be a date, as 2026-01-31",
        ),
        (
            "2026-1-031",
            "2027-01-31",
            "inn.v1.Inn",
            "lifecycle.deprecated_on is \"2026-1-031\"; it must be a date",
        ),
        (
            "2026-01-31",
            "2027-01-31",
            "inn.v2.Inn",
            "lifecycle.successor is \"inn.v2.Inn\"; there is no service and no method of this name",
        ),
        (
            "2026-01-31",
            "2027-01-31",
            "inn.v1.Inn.Sleep",
            "\"inn.v1.Inn.Sleep\"; there is no",
        ),
    ] {
        if from == "soon" {
            // Two dates, two problems: see the first.
            let error = compile(
                &Inn {
                    method: &format!(
                        "{deprecated} option (scribemed.options.v1.method) = {{timeout: {{seconds: 1}} public: true {}}};",
                        lifecycle(from, to, successor)
                    ),
                    ..FINE
                }
                .text(),
            );
            assert!(error.unwrap_err().to_string().contains(expect));
        } else {
            check(deprecated, &lifecycle(from, to, successor), expect);
        }
    }
}

#[test]
fn a_service_has_a_name_to_be_found_by() {
    let check = |service: &str, expect: &str| {
        refused(
            &Inn { service, ..FINE },
            &["inn/v1/inn.proto:5:1: inn.v1.Inn: ", expect],
        );
    };
    check(
        "",
        "has no `option (scribemed.options.v1.service)`; give it at least a discovery_name",
    );
    check(
        "option (scribemed.options.v1.service) = {};",
        "discovery_name is \"\"; it must be lower-case letters, digits and hyphens, as `transcription`",
    );
    check(
        r#"option (scribemed.options.v1.service) = {discovery_name: "The Inn"};"#,
        "discovery_name is \"The Inn\"",
    );
    check(
        r#"option (scribemed.options.v1.service) = {discovery_name: "inn" retry_throttling: {max_tokens: 1001 token_ratio: 1}};"#,
        "retry_throttling needs max_tokens from 1 to 1000",
    );
    check(
        r#"option (scribemed.options.v1.service) = {discovery_name: "inn"}; option deprecated = true;"#,
        "is deprecated without a lifecycle",
    );
}

#[test]
fn a_breaker_opens_and_closes() {
    let check = |breaker: &str, expect: &str| {
        let service = format!(
            "option (scribemed.options.v1.service) = {{discovery_name: \"inn\" circuit_breaker: {{{breaker}}}}};"
        );
        let inn = Inn {
            service: &service,
            ..FINE
        };
        refused(&inn, &["inn/v1/inn.proto:5:1: inn.v1.Inn: ", expect]);
    };
    check(
        "failure_threshold: 0",
        "circuit_breaker.failure_threshold is 0; it must be at least 1, or left out for 5",
    );
    check(
        "success_threshold: 0",
        "circuit_breaker.success_threshold is 0; it must be at least 1, or left out for 2",
    );
    check(
        "open_for: {}",
        "circuit_breaker.open_for is 0; it must be above 0, or left out for 30 s",
    );
    check(
        "open_for: {seconds: -1}",
        "circuit_breaker: open_for is negative",
    );
    let text = generated(
        "option (scribemed.options.v1.service) = {discovery_name: \"inn\" circuit_breaker: {success_threshold: 3}};",
        FINE.method,
    );
    let part =
        "failure_threshold: 5, success_threshold: 3, open_for: ::core::time::Duration::new(30, 0)";
    assert!(text.contains(part), "{text}");
}

#[test]
fn a_value_that_the_enum_does_not_know_is_refused() {
    let with = |value: &str| {
        format!(
            "option (scribemed.options.v1.service) = {{discovery_name: \"inn\" load_balancing: {value}}};"
        )
    };
    // The compiler takes numbers that no value has.
    let service = with("9");
    let inn = Inn {
        service: &service,
        ..FINE
    };
    let expect = "load_balancing is 9, which is none of LOAD_BALANCING_PEAK_EWMA, LOAD_BALANCING_ROUND_ROBIN and";
    refused(&inn, &["inn/v1/inn.proto:5:1: inn.v1.Inn: ", expect]);
    method(
        "timeout: {seconds: 1} public: true criticality: 9",
        "criticality is 9, which is none of the enum's; take one from CRITICALITY_CRITICAL_PLUS",
    );
    let service = with("LOAD_BALANCING_MAGIC");
    let inn = Inn {
        service: &service,
        ..FINE
    };
    let error = compile(&inn.text()).unwrap_err();
    assert!(matches!(error, Error::Compile(_)), "{error}");
    assert!(error.to_string().contains("inn/v1/inn.proto:6"), "{error}");
}

#[test]
fn a_stream_from_the_caller_is_not_hedged() {
    let options = |policy: &str| {
        format!(
            "option idempotency_level = IDEMPOTENT; option (scribemed.options.v1.method) = \
             {{timeout: {{seconds: 1}} public: true {policy}}};"
        )
    };
    let streaming = |policy: &str| {
        let method = options(policy);
        let inn = Inn {
            method: &method,
            ..FINE
        };
        compile(&inn.text().replace("(RestRequest)", "(stream RestRequest)"))
    };
    let error = streaming("hedging_policy: {max_attempts: 2}").unwrap_err();
    let text = error.to_string();
    let expect = "inn.v1.Inn.Rest: is hedged but its caller sends a stream";
    assert!(text.contains(expect) && text.lines().count() == 2, "{text}");
    for fine in [
        "retry_policy: {max_attempts: 2}",
        "hedging_policy: {max_attempts: 1}",
    ] {
        assert!(streaming(fine).is_ok(), "{fine}");
    }
    // A stream to the caller is fine.
    let method = options("hedging_policy: {max_attempts: 2}");
    let inn = Inn {
        method: &method,
        ..FINE
    };
    let text = inn
        .text()
        .replace("(RestResponse)", "(stream RestResponse)");
    assert!(compile(&text).is_ok());
}
