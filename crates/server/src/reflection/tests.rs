#![allow(clippy::unwrap_used, reason = "a test may panic")]

use prost::Message as _;
use prost_types::{FileDescriptorProto, FileDescriptorSet};

use super::index::{Index, Sent};
use super::*;

fn index() -> Index {
    Index::new([crate::grpc::DESCRIPTOR_SET, v1::FILE_DESCRIPTOR_SET]).unwrap()
}

fn names(files: &[Bytes]) -> Vec<String> {
    let name = |file: &Bytes| {
        FileDescriptorProto::decode(file.clone())
            .unwrap()
            .name()
            .to_owned()
    };
    files.iter().map(name).collect()
}

#[test]
fn every_kind_of_name_leads_to_its_file() {
    let index = index();
    for (name, file) in [
        ("grpc.health.v1.Health", "grpc/health/v1/health.proto"),
        ("grpc.health.v1.Health.List", "grpc/health/v1/health.proto"),
        (
            "grpc.health.v1.HealthListResponse",
            "grpc/health/v1/health.proto",
        ),
        (
            "grpc.health.v1.HealthListResponse.StatusesEntry",
            "grpc/health/v1/health.proto",
        ),
        (
            "grpc.health.v1.HealthCheckRequest.service",
            "grpc/health/v1/health.proto",
        ),
        (
            "grpc.health.v1.HealthCheckResponse.ServingStatus",
            "grpc/health/v1/health.proto",
        ),
        (
            "grpc.health.v1.HealthCheckResponse.NOT_SERVING",
            "grpc/health/v1/health.proto",
        ),
        (
            "grpc.channelz.v1.ChannelTraceEvent.child_ref",
            "grpc/channelz/v1/channelz.proto",
        ),
        ("google.protobuf.Any", "google/protobuf/any.proto"),
    ] {
        let found = index
            .symbol(name)
            .map(|id| index.with_imports(id, &mut Sent::default()));
        assert_eq!(
            names(&found.unwrap_or_default())
                .first()
                .map(String::as_str),
            Some(file),
            "{name}"
        );
    }
    for none in [
        "",
        "grpc",
        "grpc.health.v1",
        "grpc.health.v1.HealthCheckResponse.ServingStatus.NOT_SERVING",
        ".google.protobuf.Any",
    ] {
        assert_eq!(index.symbol(none), None, "{none}");
    }
}

#[test]
fn a_stream_gets_each_import_once_and_what_it_asks_for_always() {
    let index = index();
    let mut sent = Sent::default();
    let mut ask = |file: &str| {
        let mut names = names(&index.with_imports(index.file(file).unwrap(), &mut sent));
        let first = names.remove(0);
        names.sort();
        (first, names)
    };
    let channelz = "grpc/channelz/v1/channelz.proto".to_owned();
    let imports = ["any", "duration", "timestamp", "wrappers"]
        .map(|name| format!("google/protobuf/{name}.proto"));
    assert_eq!(
        ask("google/protobuf/any.proto"),
        (imports[0].clone(), Vec::new())
    );
    assert_eq!(ask(&channelz), (channelz.clone(), imports[1..].to_vec()));
    assert_eq!(ask(&channelz), (channelz.clone(), Vec::new()));
}

#[test]
fn a_set_that_cannot_be_served_is_refused() {
    assert!(matches!(
        Index::new([&b"\x0a\x05abc"[..]]),
        Err(DescriptorError::Damaged(_))
    ));
    let lonely = FileDescriptorSet {
        file: vec![FileDescriptorProto {
            name: Some("a.proto".to_owned()),
            dependency: vec!["b.proto".to_owned()],
            ..Default::default()
        }],
    };
    let error = Index::new([&*lonely.encode_to_vec().leak()]).unwrap_err();
    assert!(
        error.to_string().starts_with("a.proto imports b.proto"),
        "{error}"
    );
}
