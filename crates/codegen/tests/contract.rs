//! What is wrong with a contract stops the build and is named; what is right is generated.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

use scribemed_codegen::{Contract, Error};

/// The text of a file `inn/v1/inn.proto` with this service and this message.
struct Inn<'a> {
    /// The options of the service.
    service: &'a str,
    /// The options of its method `Inn.Rest`.
    method: &'a str,
    /// The fields of its request.
    fields: &'a str,
}

const FINE: Inn<'_> = Inn {
    service: r#"option (scribemed.options.v1.service) = {discovery_name: "inn"};"#,
    method: "option (scribemed.options.v1.method) = {timeout: {seconds: 1} public: true};",
    fields: "",
};

impl Inn<'_> {
    fn text(&self) -> String {
        let Self {
            service,
            method,
            fields,
        } = self;
        format!(
            r#"syntax = "proto3";
package inn.v1;
import "buf/validate/validate.proto";
import "scribemed/options/v1/policy.proto";
service Inn {{
  {service}
  rpc Rest(RestRequest) returns (RestResponse) {{ {method} }}
}}
message RestRequest {{ {fields} }}
message RestResponse {{}}
enum Bed {{ BED_UNSPECIFIED = 0; BED_SOFT = 1; }}
"#
        )
    }
}

fn compile(text: &str) -> Result<String, Error> {
    let folder = tempfile::tempdir().unwrap();
    let proto = folder.path().join("inn/v1");
    fs::create_dir_all(&proto).unwrap();
    fs::write(proto.join("inn.proto"), text).unwrap();
    let out = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    Contract::new()
        .root(folder.path())
        .include(root.join("options"))
        .include(root.join("vendor"))
        .compile_to(out.path())?;
    assert!(out.path().join("descriptor.binpb").is_file());
    Ok(fs::read_to_string(out.path().join("inn.v1.rs")).unwrap())
}

/// The contract is refused, and the message holds each of these, one after the other.
fn refused(inn: &Inn<'_>, expect: &[&str]) {
    let error = compile(&inn.text()).expect_err(expect[expect.len() - 1]);
    let message = error.to_string();
    let mut rest = message.as_str();
    for part in expect {
        let Some(at) = rest.find(part) else {
            panic!("`{part}` is not where it should be in: {message}");
        };
        rest = &rest[at + part.len()..];
    }
    assert_eq!(message.lines().count(), 2, "one problem: {message}");
}

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

#[test]
fn a_rule_that_cannot_be_checked_is_refused() {
    let check = |fields: &str, expect: &str| {
        refused(
            &Inn { fields, ..FINE },
            &["inn/v1/inn.proto:9:23: inn.v1.RestRequest.f: ", expect],
        );
    };
    for (fields, expect) in [
        (
            "string f = 1 [(buf.validate.field).string.email = true];",
            "has the rule `string.email`, for which",
        ),
        (
            "int32 f = 1 [(buf.validate.field).int32.const = 3];",
            "has the rule `int32.const`",
        ),
        (
            "bytes f = 1 [(buf.validate.field).bytes.len = 3];",
            "has the rule `bytes.len`",
        ),
        (
            r#"string f = 1 [(buf.validate.field).cel = {id: "c" expression: "true"}];"#,
            "has the rule `cel`",
        ),
        (
            "repeated string f = 1 [(buf.validate.field).repeated.unique = true];",
            "has the rule `repeated.unique`",
        ),
        (
            "repeated string f = 1 [(buf.validate.field).repeated.items.bytes.max_len = 3];",
            "has the rule `repeated.items.bytes`",
        ),
        (
            "map<string, string> f = 1 [(buf.validate.field).map.min_pairs = 1];",
            "has rules for a map",
        ),
        (
            "string f = 1 [(buf.validate.field).int32.gt = 3];",
            "has int32 rules but is of type string; use string rules",
        ),
        (
            "repeated string f = 1 [(buf.validate.field).string.min_len = 3];",
            "has string rules but is of type string; use repeated rules",
        ),
        (
            "RestResponse f = 1 [(buf.validate.field).any.in = \"x\"];",
            "has the rule `any`, for which",
        ),
        (
            r#"string f = 1 [(buf.validate.field).string.pattern = "a("];"#,
            "has a pattern that is no regular expression",
        ),
    ] {
        check(fields, expect);
    }
    let message = Inn {
        fields: r#"option (buf.validate.message).cel = {id: "c" expression: "true"};"#,
        ..FINE
    };
    refused(&message, &["inn.v1.RestRequest: ", "has a message rule"]);
}

#[test]
fn rules_that_contradict_each_other_are_refused() {
    for (kind, rules) in [
        ("string", "string: {min_len: 3 max_len: 2}"),
        ("bytes", "bytes: {min_len: 3 max_len: 2}"),
        ("repeated string", "repeated: {min_items: 3 max_items: 2}"),
        ("int32", "int32: {gte: 3 lte: 2}"),
        ("int32", "int32: {gt: 2 lt: 2}"),
        ("int32", "int32: {gte: 2 lt: 2}"),
    ] {
        let fields = format!("{kind} f = 1 [(buf.validate.field) = {{{rules}}}];");
        let inn = Inn {
            fields: &fields,
            ..FINE
        };
        refused(&inn, &["inn.v1.RestRequest.f: ", "contradicts itself: "]);
    }
    let fields = "int32 f = 1 [(buf.validate.field).int32 = {gte: 2 lte: 2}];";
    assert!(compile(&Inn { fields, ..FINE }.text()).is_ok());
}

#[test]
fn what_does_not_parse_is_shown_with_its_place() {
    let error = compile("syntax = \"proto3\";\npackage inn.v1;\nmessage {").unwrap_err();
    assert!(matches!(error, Error::Compile(_)), "{error}");
    let message = error.to_string();
    assert!(
        message.contains("inn.proto") && message.contains('3'),
        "{message}"
    );
    let error = compile(&FINE.text().replace("RestResponse {}", "Other {}")).unwrap_err();
    assert!(error.to_string().contains("RestResponse"), "{error}");
}

#[test]
fn every_problem_is_told_at_once_and_as_people_read() {
    let inn = Inn {
        method: "",
        fields: "string f = 1 [(buf.validate.field).string.email = true];",
        ..FINE
    };
    let error = compile(&inn.text()).unwrap_err();
    assert_eq!(error.to_string().lines().count(), 4, "{error}");
    // This is how cargo shows what the `main` of a build script returns.
    assert_eq!(format!("{error:?}"), error.to_string());
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let missing = PathBuf::from("no/such/folder");
    let error = Contract::new()
        .root(&missing)
        .compile_to(Path::new("."))
        .unwrap_err();
    assert!(error.to_string().contains("no/such/folder"), "{error}");
}

/// The generated text of the one method, on one line.
fn generated(service: &str, method: &str) -> String {
    let inn = Inn {
        service,
        method,
        ..FINE
    };
    let text = compile(&inn.text()).unwrap();
    let at = text.find("const INN_POLICY").unwrap();
    text[at..]
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace(" :: ", "::")
}

const DEFAULTS: &str = r#"option (scribemed.options.v1.service) = {
  discovery_name: "inn"
  defaults: {
    timeout: {seconds: 7}
    permissions: "rest:beds"
    criticality: CRITICALITY_SHEDDABLE
    max_request_bytes: 1000
    retry_policy: {max_attempts: 3}
  }
};"#;

#[test]
fn a_method_takes_what_its_service_says() {
    let text = generated(DEFAULTS, "option idempotency_level = IDEMPOTENT;");
    for part in [
        "path: \"/inn.v1.Inn/Rest\"",
        "Duration::new(7, 0)",
        "\"rest:beds\"",
        "Criticality::Sheddable",
        "max_request_bytes: 1000",
        "max_response_bytes: 4194304",
        "Idempotency::Idempotent",
        "max_attempts: 3, initial_backoff: ::core::time::Duration::new(0, 100000000)",
        "Code::Unavailable",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn what_a_method_says_itself_wins() {
    let text = generated(
        DEFAULTS,
        "option (scribemed.options.v1.method) = {
           timeout: {seconds: 1} public: true criticality: CRITICALITY_CRITICAL_PLUS
           max_request_bytes: 5 retry_policy: {max_attempts: 1}
         };",
    );
    for part in [
        "Duration::new(1, 0)",
        "Access::Public",
        "Criticality::CriticalPlus",
        "max_request_bytes: 5",
        "Reattempt::Never",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let public = DEFAULTS.replace("permissions: \"rest:beds\"", "public: true");
    let text = generated(
        &public,
        "option idempotency_level = NO_SIDE_EFFECTS;
         option (scribemed.options.v1.method) = {permissions: \"see:beds\" hedging_policy: {max_attempts: 2}};",
    );
    for part in ["Permissions(&[\"see:beds\"])", "Reattempt::Hedge"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_service_says_how_its_endpoints_are_picked() {
    for (option, expect) in [
        ("", "PeakEwma"),
        ("load_balancing: LOAD_BALANCING_UNSPECIFIED", "PeakEwma"),
        ("load_balancing: LOAD_BALANCING_PEAK_EWMA", "PeakEwma"),
        ("load_balancing: LOAD_BALANCING_ROUND_ROBIN", "RoundRobin"),
        ("load_balancing: LOAD_BALANCING_PICK_FIRST", "PickFirst"),
    ] {
        let service = format!(
            "option (scribemed.options.v1.service) = {{discovery_name: \"inn\" {option}}};"
        );
        let text = generated(&service, FINE.method);
        let part = format!("load_balancing: ::scribemed_rpc::policy::LoadBalancing::{expect},");
        assert!(text.contains(&part), "{option}: {text}");
    }
}

#[test]
fn a_method_waits_if_it_or_its_service_says_so() {
    let check = |service: &str, own: &str, expect: bool| {
        let service = format!(
            "option (scribemed.options.v1.service) = {{discovery_name: \"inn\" defaults: {{{service}}}}};"
        );
        let own = format!(
            "option (scribemed.options.v1.method) = {{timeout: {{seconds: 1}} public: true {own}}};"
        );
        let text = generated(&service, &own);
        let part = format!("wait_for_ready: {expect},");
        assert!(text.contains(&part), "{service} {own}: {text}");
    };
    check("", "", false);
    check("", "wait_for_ready: true", true);
    check("wait_for_ready: true", "", true);
    check("wait_for_ready: true", "wait_for_ready: false", false);
}

#[test]
fn hedging_without_a_delay_sends_all_at_once() {
    let text = generated(
        FINE.service,
        "option idempotency_level = NO_SIDE_EFFECTS;
         option (scribemed.options.v1.method) = {timeout: {seconds: 1} public: true hedging_policy: {max_attempts: 2}};",
    );
    let part = "max_attempts: 2, hedging_delay: ::core::time::Duration::new(0, 0)";
    assert!(text.contains(part), "{text}");
}

#[test]
fn a_field_that_can_be_large_is_known() {
    let inn = Inn {
        fields: "string title = 1 [(buf.validate.field).string.max_len = 9];
                 bytes picture = 2 [(buf.validate.field).bytes.max_len = 70000];",
        ..FINE
    };
    let text = compile(&inn.text()).unwrap();
    assert!(text.contains("path: \"picture\"") && text.contains("max_bytes: 70000"));
    assert!(compile(&FINE.text()).unwrap().contains("bulk_field: None"));
}

#[test]
fn an_end_is_inherited_from_the_service() {
    let text = generated(
        r#"option deprecated = true;
           option (scribemed.options.v1.service) = {
             discovery_name: "inn"
             lifecycle: {deprecated_on: "2026-01-31" sunset_on: "2027-01-31" successor: "inn.v1.Inn"}
           };"#,
        FINE.method,
    );
    assert_eq!(
        text.matches("deprecated_on: \"2026-01-31\"").count(),
        2,
        "{text}"
    );
}

#[test]
fn descriptors_keep_options_and_our_comments_only() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("inn.proto"),
        format!("// The inn.\n{}", FINE.text()),
    )
    .unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let out = tempfile::tempdir().unwrap();
    Contract::new()
        .root(folder.path())
        .include(root.join("options"))
        .include(root.join("vendor"))
        .compile_to(out.path())
        .unwrap();
    let set = fs::read(out.path().join("descriptor.binpb")).unwrap();
    let pool = prost_reflect::DescriptorPool::decode(set.as_slice()).unwrap();
    let method = pool
        .get_service_by_name("inn.v1.Inn")
        .unwrap()
        .methods()
        .next()
        .unwrap();
    let policy = pool
        .get_extension_by_name("scribemed.options.v1.method")
        .unwrap();
    assert!(method.options().has_extension(&policy));
    for file in pool.files() {
        let commented = file.file_descriptor_proto().source_code_info.is_some();
        let vendored = ["google.", "buf."]
            .iter()
            .any(|start| file.package_name().starts_with(start));
        assert_eq!(commented, !vendored, "{}", file.name());
    }
}
