//! Reflection, as the tools of the field use it.

use std::ffi::OsString;
use std::process::Command;

use tonic_reflection::pb::v1alpha;
use tonic_reflection::pb::v1alpha::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1alpha::server_reflection_response::MessageResponse;

use crate::support::{permissions, start};

/// What `grpcurl` prints.
async fn grpcurl(arguments: &[&str]) -> String {
    let named = std::env::var_os("SCRIBEMED_GRPCURL").filter(|path| !path.is_empty());
    let program = named.unwrap_or_else(|| OsString::from("grpcurl"));
    let mut command = Command::new(&program);
    command.arg("-plaintext").args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap();
    let output = output.unwrap_or_else(|error| {
        panic!(
            "{}: {error}; get grpcurl with `cargo xtask tools`, then put it into PATH or name it in SCRIBEMED_GRPCURL",
            program.display()
        )
    });
    let text = |bytes| String::from_utf8(bytes).unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        text(output.stderr)
    );
    text(output.stdout)
}

#[tokio::test]
async fn a_tool_finds_what_there_is_and_calls_it() {
    let server = start().await;
    let address = server.address.to_string();
    let list = grpcurl(&[&address, "list"]).await;
    assert_eq!(
        list.lines().collect::<Vec<_>>(),
        [
            "greeter.v1.GreeterService",
            "greeter.v1.TroubleService",
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection",
        ]
    );
    let method = grpcurl(&[&address, "describe", "greeter.v1.GreeterService.SayGoodbye"]).await;
    for part in ["scribemed.options.v1.method", "say:goodbyes", "timeout"] {
        assert!(method.contains(part), "{method}");
    }
    let service = grpcurl(&[&address, "describe", "greeter.v1.GreeterService"]).await;
    assert!(service.contains("discovery_name: \"greeter\""), "{service}");
    let message = grpcurl(&[&address, "describe", "greeter.v1.SayHelloRequest"]).await;
    assert!(message.contains("max_len"), "{message}");

    let name = r#"{"name": "Ada"}"#;
    let hello = grpcurl(&["-d", name, &address, "greeter.v1.GreeterService/SayHello"]).await;
    assert!(hello.contains("Hello, Ada."), "{hello}");
    let token = server
        .identity
        .token("tester", &permissions(&["say:goodbyes"]))
        .unwrap();
    let header = format!("authorization: Bearer {}", token.secret.expose());
    let method = "greeter.v1.GreeterService/SayGoodbye";
    let goodbye = grpcurl(&["-H", &header, "-d", name, &address, method]).await;
    assert!(goodbye.contains("tester says: goodbye, Ada."), "{goodbye}");
}

#[tokio::test]
async fn the_older_reflection_is_there_for_older_tools() {
    let server = start().await;
    let mut raw = server.raw().await;
    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
    let answer = raw.unary(path, &[], &request).await;
    let answer: v1alpha::ServerReflectionResponse = answer.message();
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
        panic!("{answer:?}");
    };
    let names: Vec<_> = list
        .service
        .into_iter()
        .map(|service| service.name)
        .collect();
    assert!(
        names.contains(&"greeter.v1.GreeterService".to_owned()),
        "{names:?}"
    );
}
