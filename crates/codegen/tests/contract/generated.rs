//! What is right is generated.

use std::fs;

use crate::inn::{FINE, Inn, compile, compile_folder};

/// The generated text of the one method, on one line.
pub(crate) fn generated(service: &str, method: &str) -> String {
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
    let out = tempfile::tempdir().unwrap();
    compile_folder(folder.path(), out.path()).unwrap();
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
