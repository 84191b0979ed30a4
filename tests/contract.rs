//! What holds for each contract of the platform, read from the descriptors that reflection serves.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::borrow::Cow;
use std::collections::BTreeSet;

use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor,
    Value,
};

fn pool() -> DescriptorPool {
    DescriptorPool::decode(scribemed_proto::DESCRIPTOR_SET).unwrap()
}

/// The methods of our own services.
fn methods(pool: &DescriptorPool) -> Vec<MethodDescriptor> {
    let methods: Vec<_> = pool
        .services()
        .filter(|service| service.full_name().starts_with("scribemed."))
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .collect();
    assert!(methods.len() > 10, "the services are there");
    methods
}

fn option(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> Option<Value> {
    let extension = pool.get_extension_by_name(name).unwrap();
    options
        .has_extension(&extension)
        .then(|| options.get_extension(&extension).into_owned())
}

fn is_set(message: &DynamicMessage, field: &str) -> bool {
    message.has_field_by_name(field)
}

/// The fields of `message` and of our own messages within it, each message once.
fn fields(message: &MessageDescriptor) -> Vec<FieldDescriptor> {
    fn collect(
        message: &MessageDescriptor,
        seen: &mut BTreeSet<String>,
        out: &mut Vec<FieldDescriptor>,
    ) {
        if !message.full_name().starts_with("scribemed.")
            || !seen.insert(message.full_name().to_owned())
        {
            return;
        }
        for field in message.fields() {
            if let Kind::Message(inner) = field.kind() {
                collect(&inner, seen, out);
            }
            out.push(field);
        }
    }
    let mut out = Vec::new();
    collect(message, &mut BTreeSet::new(), &mut out);
    out
}

/// The comment before `method`.
fn comment(method: &MethodDescriptor) -> String {
    let file = method.parent_file();
    let info = file.file_descriptor_proto().source_code_info.clone();
    let location = info
        .unwrap_or_else(|| panic!("{} has no comments", file.name()))
        .location
        .into_iter()
        .find(|location| location.path == method.path());
    location
        .and_then(|location| location.leading_comments)
        .unwrap_or_default()
}

/// Fails with all of them when there are any.
#[track_caller]
fn none(wrong: &[String], what_would_be_right: &str) {
    assert!(
        wrong.is_empty(),
        "{what_would_be_right}:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn each_field_of_a_request_says_who_sets_it() {
    let pool = pool();
    let wrong: Vec<String> = methods(&pool)
        .iter()
        .flat_map(|method| method.input().fields().collect::<Vec<_>>())
        .filter(|field| {
            option(&pool, &field.options(), "google.api.field_behavior")
                .is_none_or(|value| value.as_list().is_none_or(<[Value]>::is_empty))
        })
        .map(|field| field.full_name().to_owned())
        .collect();
    none(&wrong, "needs google.api.field_behavior");
}

#[test]
fn each_method_that_http_can_carry_has_its_path() {
    let pool = pool();
    let wrong: Vec<String> = methods(&pool)
        .iter()
        .filter(|method| !method.is_client_streaming())
        .filter(|method| option(&pool, &method.options(), "google.api.http").is_none())
        .map(|method| method.full_name().to_owned())
        .collect();
    none(&wrong, "needs google.api.http");
}

#[test]
fn each_method_tells_its_errors() {
    let wrong: Vec<String> = methods(&pool())
        .iter()
        .filter(|method| {
            let comment = comment(method);
            !comment.contains("\n Errors: those of ")
                && !comment.contains("\n Errors:\n")
                && !comment.contains("No errors of its own.")
        })
        .map(|method| method.full_name().to_owned())
        .collect();
    none(
        &wrong,
        "its comment needs a paragraph `Errors:`, or `No errors of its own.`",
    );
}

#[test]
fn each_method_says_how_long_it_takes_and_who_may_call_it() {
    let pool = pool();
    let mut wrong = Vec::new();
    for method in methods(&pool) {
        let own = option(&pool, &method.options(), "scribemed.options.v1.method");
        let service = option(
            &pool,
            &method.parent_service().options(),
            "scribemed.options.v1.service",
        );
        let defaults = service.and_then(|service| {
            let service = service.as_message()?.clone();
            service.get_field_by_name("defaults").map(Cow::into_owned)
        });
        let says = |field: &str| {
            [&own, &defaults]
                .into_iter()
                .flatten()
                .filter_map(Value::as_message)
                .any(|policy| is_set(policy, field))
        };
        if !says("timeout") || says("permissions") == says("public") {
            wrong.push(method.full_name().to_owned());
        }
    }
    none(&wrong, "needs a timeout, and permissions or `public: true`");
}

#[test]
fn each_method_says_whether_it_may_be_repeated() {
    let wrong: Vec<String> = methods(&pool())
        .iter()
        .filter(|method| !is_set(&method.options(), "idempotency_level"))
        .map(|method| method.full_name().to_owned())
        .collect();
    none(
        &wrong,
        "needs `option idempotency_level`: NO_SIDE_EFFECTS, IDEMPOTENT, or IDEMPOTENCY_UNKNOWN",
    );
}

#[test]
fn each_text_of_a_request_has_a_bound() {
    let pool = pool();
    let wrong: Vec<String> = methods(&pool)
        .iter()
        .flat_map(|method| fields(&method.input()))
        .filter(|field| matches!(field.kind(), Kind::String | Kind::Bytes))
        .filter(|field| option(&pool, &field.options(), "buf.validate.field").is_none())
        .map(|field| field.full_name().to_owned())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    none(&wrong, "needs a rule of buf.validate");
}

#[test]
fn a_version_knows_nothing_of_the_one_before_it() {
    let pool = pool();
    let mut newer = 0;
    for file in pool
        .files()
        .filter(|file| file.package_name().rsplit('.').next() == Some("v2"))
    {
        newer += 1;
        for import in &file.file_descriptor_proto().dependency {
            let ours =
                import.starts_with("scribemed/") && !import.starts_with("scribemed/options/");
            assert!(
                !ours || import.contains("/v2/"),
                "{} imports {import}",
                file.name()
            );
        }
    }
    assert!(newer > 0);
}
