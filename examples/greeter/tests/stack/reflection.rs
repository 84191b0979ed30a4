//! Reflection, as the tools of the field use it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::process::Command;

use prost::Message as _;
use prost_types::FileDescriptorProto;
use tokio_stream::StreamExt as _;
use tonic::Code;
use tonic_reflection::pb::v1;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest as Ask;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse as Told;
use tonic_reflection::pb::v1alpha;
use tonic_reflection::pb::v1alpha::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1alpha::server_reflection_response::MessageResponse;

use crate::support::{permissions, soon, start};

/// What `grpcurl` prints, without TLS.
pub(crate) async fn grpcurl(arguments: &[&str]) -> String {
    let arguments: Vec<_> = ["-plaintext"]
        .into_iter()
        .chain(arguments.iter().copied())
        .collect();
    run_grpcurl(&arguments).await
}

/// What `grpcurl` prints.
pub(crate) async fn run_grpcurl(arguments: &[&str]) -> String {
    let named = std::env::var_os("SCRIBEMED_GRPCURL").filter(|path| !path.is_empty());
    let program = named.unwrap_or_else(|| OsString::from("grpcurl"));
    let mut command = Command::new(&program);
    command.args(arguments);
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

/// grpcurl asks the newer one where there is one, and cannot be told not to.
#[tokio::test]
async fn the_older_reflection_is_there_for_older_tools() {
    let server = start().await;
    let mut raw = server.raw().await;
    let mut ask = async |question| {
        let request = v1alpha::ServerReflectionRequest {
            host: String::new(),
            message_request: Some(question),
        };
        let path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
        let answer = raw.unary(path, &[], &request).await;
        let answer: v1alpha::ServerReflectionResponse = answer.message();
        answer.message_response.unwrap()
    };
    let answer = ask(MessageRequest::ListServices(String::new())).await;
    let MessageResponse::ListServicesResponse(list) = answer else {
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
    let policy = v1alpha::ExtensionRequest {
        containing_type: "google.protobuf.MethodOptions".to_owned(),
        extension_number: 50801,
    };
    let answer = ask(MessageRequest::FileContainingExtension(policy)).await;
    let MessageResponse::FileDescriptorResponse(files) = answer else {
        panic!("{answer:?}");
    };
    let file = FileDescriptorProto::decode(&*files.file_descriptor_proto[0]).unwrap();
    assert_eq!(file.name(), "scribemed/options/v1/policy.proto");
    let answer = ask(MessageRequest::FileContainingSymbol("nobody".to_owned())).await;
    assert!(
        matches!(answer, MessageResponse::ErrorResponse(_)),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_tool_describes_whatever_has_a_name() {
    let server = start().await;
    let address = server.address.to_string();
    for (name, parts) in [
        (
            "scribemed.options.v1.method",
            &[
                "is an extension",
                ".scribemed.options.v1.MethodPolicy method = 50801",
            ][..],
        ),
        ("scribemed.options.v1.service", &["= 50801"]),
        (
            "google.protobuf.MethodOptions",
            &["is a message", "extensions 1000 to max"],
        ),
        (
            "scribemed.options.v1.MethodPolicy.reattempt",
            &["is a one-of", "retry_policy", "hedging_policy"],
        ),
        ("scribemed.options.v1.MethodPolicy.timeout", &["is a field"]),
        (
            "scribemed.options.v1.Criticality",
            &["is an enum", "CRITICALITY_SHEDDABLE"],
        ),
        (
            "scribemed.options.v1.CRITICALITY_SHEDDABLE",
            &["is an enum value"],
        ),
        ("greeter.v1.FailRequest.Way", &["is an enum"]),
        ("greeter.v1.FailRequest", &["is a message"]),
        (
            "grpc.health.v1.Health.List",
            &["is a method", "HealthListResponse"],
        ),
    ] {
        let text = grpcurl(&[&address, "describe", name]).await;
        for part in parts {
            assert!(text.contains(part), "{name}: {part} in\n{text}");
        }
    }
}

#[tokio::test]
async fn one_stream_answers_everything_and_goes_on_after_what_is_not_there() {
    let server = start().await;
    let asked = [
        Ask::FileByFilename("nowhere.proto".to_owned()),
        Ask::FileContainingSymbol("greeter.v1.Nobody".to_owned()),
        extension("google.protobuf.MethodOptions", 1),
        Ask::AllExtensionNumbersOfType("greeter.v1.Nobody".to_owned()),
        Ask::AllExtensionNumbersOfType("google.protobuf.MethodOptions".to_owned()),
        Ask::AllExtensionNumbersOfType("greeter.v1.SayHelloRequest".to_owned()),
        extension("google.protobuf.MethodOptions", 50801),
        Ask::FileContainingSymbol("greeter.v1.GreeterService.SayHello".to_owned()),
        Ask::FileByFilename("greeter/v1/greeter.proto".to_owned()),
    ];
    let requests = asked.map(|ask| v1::ServerReflectionRequest {
        host: "me".to_owned(),
        message_request: Some(ask),
    });
    let mut client = ServerReflectionClient::new(server.channel());
    let answers = client.server_reflection_info(tokio_stream::iter(requests.clone()));
    let mut answers = answers.await.unwrap().into_inner();
    let mut told = Vec::new();
    while let Some(answer) = soon(answers.next()).await {
        let answer = answer.unwrap();
        assert_eq!(answer.original_request.as_ref(), requests.get(told.len()));
        assert_eq!(answer.valid_host, "me");
        told.push(answer.message_response.unwrap());
    }
    assert_eq!(told.len(), requests.len());
    for missing in &told[..4] {
        let Told::ErrorResponse(error) = missing else {
            panic!("{missing:?}");
        };
        assert_eq!(Code::from(error.error_code), Code::NotFound);
        assert!(!error.error_message.is_empty());
    }
    assert_eq!(numbers(&told[4]), [50801]);
    assert_eq!(numbers(&told[5]), [0; 0]);
    let (policy, of_policy) = files(&told[6]);
    assert_eq!(policy, "scribemed/options/v1/policy.proto");
    assert!(of_policy.contains("google/protobuf/descriptor.proto"));
    let (greeter, new) = files(&told[7]);
    assert_eq!(greeter, "greeter/v1/greeter.proto");
    assert!(new.contains("buf/validate/validate.proto"), "{new:?}");
    assert!(
        new.is_disjoint(&of_policy) && !new.contains(&policy),
        "{new:?}"
    );
    // Asked for by name, it comes again, without what has come.
    assert_eq!(files(&told[8]), (greeter, BTreeSet::new()));
}

fn extension(containing_type: &str, extension_number: i32) -> Ask {
    Ask::FileContainingExtension(v1::ExtensionRequest {
        containing_type: containing_type.to_owned(),
        extension_number,
    })
}

fn numbers(told: &Told) -> &[i32] {
    let Told::AllExtensionNumbersResponse(numbers) = told else {
        panic!("{told:?}");
    };
    &numbers.extension_number
}

/// The names of the first file and of the others.
fn files(told: &Told) -> (String, BTreeSet<String>) {
    let Told::FileDescriptorResponse(files) = told else {
        panic!("{told:?}");
    };
    let name = |file: &Vec<u8>| {
        FileDescriptorProto::decode(&**file)
            .unwrap()
            .name()
            .to_owned()
    };
    let mut names = files.file_descriptor_proto.iter().map(name);
    (names.next().unwrap(), names.collect())
}

#[tokio::test]
async fn a_question_without_content_is_an_error_and_an_open_stream_ends_with_the_server() {
    let server = start().await;
    let mut client = ServerReflectionClient::new(server.channel());
    let empty = v1::ServerReflectionRequest::default();
    let mut answers = client
        .server_reflection_info(tokio_stream::once(empty))
        .await
        .unwrap()
        .into_inner();
    let error = soon(answers.message()).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);

    let open = tokio_stream::once(v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(Ask::ListServices(String::new())),
    })
    .chain(tokio_stream::pending());
    let mut answers = client
        .server_reflection_info(open)
        .await
        .unwrap()
        .into_inner();
    assert!(soon(answers.message()).await.unwrap().is_some());
    server.shutdown.cancel();
    assert_eq!(soon(answers.message()).await.unwrap(), None);
    soon(server.served).await.unwrap().unwrap();
}
