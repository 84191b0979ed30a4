//! Heads of calls as no generated client sends them: each has its answer, and the connection goes on.

use bytes::Bytes;
use greeter::v1::{SayHelloRequest, SayHelloResponse};
use http::{HeaderName, HeaderValue, Method};
use tonic::Code;

use crate::raw::{Raw, frame};
use crate::support::{reason, start};

const HELLO: &str = "/greeter.v1.GreeterService/SayHello";

/// A name and its value.
type Header<'a> = (&'a str, &'a [u8]);

/// What comes of a call.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Ok,
    Status(Code, &'static str),
    Http(u16),
}

fn ada() -> Bytes {
    frame(&SayHelloRequest {
        name: "Ada".to_owned(),
    })
}

/// A call with these headers and no others, but its content type.
async fn check(raw: &mut Raw, headers: &[Header<'_>], expect: &End) {
    let mut request = http::Request::post(format!("http://greeter{HELLO}"));
    request = request.header("content-type", "application/grpc");
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        request = request.header(name, HeaderValue::from_bytes(value).unwrap());
    }
    let answer = raw.request(request.body(()).unwrap(), ada()).await;
    let shown = headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.escape_ascii()))
        .map(|header| header.chars().take(60).collect::<String>())
        .collect::<Vec<_>>();
    match expect {
        End::Ok => {
            assert_eq!(answer.status().code(), Code::Ok, "{shown:?}");
            let hello: SayHelloResponse = answer.message();
            assert_eq!(hello.text, "Hello, Ada.", "{shown:?}");
        }
        End::Status(code, why) => {
            let status = answer.status();
            assert_eq!(status.code(), *code, "{shown:?}");
            assert_eq!(reason(&status), *why, "{shown:?}");
            assert!(status.message().len() < 400, "{shown:?}: {status:?}");
        }
        End::Http(code) => assert_eq!(answer.http.as_u16(), *code, "{shown:?}"),
    }
}

#[tokio::test]
async fn each_head_has_its_answer() {
    let server = start().await;
    let mut raw = server.raw().await;
    let malformed = End::Status(Code::InvalidArgument, "MALFORMED_METADATA");
    let timeout = End::Status(Code::InvalidArgument, "MALFORMED_TIMEOUT");
    let long = vec![b'x'; 15 * 1024];
    let longer = vec![b'x'; 17 * 1024];
    let long_name = "n".repeat(15 * 1024) + "-bin";
    let table: [(&[Header<'_>], &End); 22] = [
        // There is nothing that must be there: `te` is for proxies (PROTOCOL-HTTP2, Requests).
        (&[], &End::Ok),
        (&[("te", b"trailers")], &End::Ok),
        (&[("grpc-timeout", b"1S")], &End::Ok),
        (
            &[("grpc-timeout", b"1S"), ("grpc-timeout", b"1S")],
            &malformed,
        ),
        (&[("grpc-timeout", b"soon")], &timeout),
        (&[("grpc-timeout", b"")], &timeout),
        (&[("grpc-timeout", b"\xff")], &timeout),
        (&[("grpc-timeout", b"-1S")], &timeout),
        (&[("x-bin", b"AAE=")], &End::Ok),
        (&[("x-bin", b"AAE")], &End::Ok),
        (&[("x-bin", b"AAE, AAE=")], &End::Ok),
        (&[("x-bin", b"no base64")], &malformed),
        (&[("x-bin", b"AAE"), ("x-bin", b"\xff")], &malformed),
        (&[(&long_name, b"!")], &malformed),
        // Nobody reads it, so nobody minds.
        (&[("x", b"\xe9\xff")], &End::Ok),
        (&[("x", b"1"), ("x", b"2")], &End::Ok),
        (&[("grpc-what-is-this", b"1")], &End::Ok),
        (&[("x-request-id", b"\xff not an id")], &End::Ok),
        (&[("traceparent", b"00-nonsense")], &End::Ok),
        (&[("grpc-previous-rpc-attempts", b"many")], &End::Ok),
        (&[("x", &long)], &End::Ok),
        (&[("x", &longer)], &End::Http(431)),
    ];
    for (headers, expect) in table {
        check(&mut raw, headers, expect).await;
    }
    check(&mut raw, &[], &End::Ok).await;
}

#[tokio::test]
async fn only_post_is_a_call() {
    let server = start().await;
    let mut raw = server.raw().await;
    for (method, expect) in [
        (Method::GET, 405),
        (Method::PUT, 405),
        (Method::HEAD, 405),
        (Method::POST, 200),
    ] {
        let request = http::Request::builder()
            .method(&method)
            .uri(format!("http://greeter{HELLO}"))
            .header("content-type", "application/grpc")
            .body(())
            .unwrap();
        let answer = raw.request(request, ada()).await;
        assert_eq!(answer.http.as_u16(), expect, "{method}");
        let allow = answer.head.get("allow").map(HeaderValue::as_bytes);
        assert_eq!(allow, (expect == 405).then_some(&b"POST"[..]), "{method}");
    }
}

/// `*` is a path of HTTP/2, and of no method.
#[tokio::test]
async fn a_path_is_a_method_or_unknown() {
    let server = start().await;
    let mut raw = server.raw().await;
    for path in [
        "/",
        "//",
        "/greeter.v1.GreeterService/",
        "/a/b/c?d=e",
        "/%00/%ff",
    ] {
        let answer = raw.call(path, &[], ada()).await;
        assert_eq!(answer.status().code(), Code::Unimplemented, "{path}");
        assert_eq!(reason(&answer.status()), "METHOD_UNKNOWN", "{path}");
    }
}
