//! TLS and mTLS, with real files and real sockets.

mod authority;

use std::sync::Arc;

use greeter::v1::greeter_service_client::GreeterServiceClient;
use greeter::v1::trouble_service_client::TroubleServiceClient;
use greeter::v1::{SayGoodbyeRequest, SayHelloRequest, SendPictureRequest};
use scribemed_client::{CallReport, Channel, Tls};
use scribemed_rpc::ClientContract as _;
use scribemed_server::{ClientCertificates, IdentityFiles, ServerTls, TlsConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tonic::{Code, Status};

use self::authority::{Authority, id, text};
use crate::reflection::run_grpcurl;
use crate::support::{CONTRACTS, Running, info, permissions, reason, soon, start, start_as};
use crate::trouble::Event;

async fn start_tls(tls: ServerTls) -> Running {
    start_as(None, |server| server.tls(tls)).await
}

/// A channel over TLS, with tokens of `tester`.
fn secure(server: &Running, tls: Tls) -> Channel {
    let target = format!("https://{}", server.address).parse().unwrap();
    Channel::builder(&target, &CONTRACTS)
        .tokens(Some(server.tokens(&["say:goodbyes"])))
        .tls(Some(tls))
        .build()
        .unwrap()
}

async fn goodbye(channel: &Channel) -> Result<String, Status> {
    let request = SayGoodbyeRequest {
        name: "Ada".to_owned(),
    };
    let mut greeter = GreeterServiceClient::over(channel.clone());
    let response = soon(greeter.say_goodbye(request)).await?;
    Ok(response.into_inner().text)
}

/// The call did not get to the service, for a reason that has to do with `said`.
fn assert_unreachable(status: &Status, said: &str) {
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert_eq!(reason(status), "UNREACHABLE");
    let report = CallReport::of(status).unwrap();
    assert!(!report.may_have_been_sent());
    let message = status.message().to_lowercase();
    assert!(message.contains(said), "{said}: {message}");
}

/// What the server shows of itself to somebody who connects now.
async fn shown(server: &Running, authority: &Authority, own: &IdentityFiles) -> Vec<u8> {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_file(authority.ca()).unwrap();
    roots.add(ca).unwrap();
    let key = PrivateKeyDer::from_pem_file(&own.key).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![CertificateDer::from_pem_file(&own.certificate).unwrap()],
            key,
        )
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(server.address).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let stream = soon(connector.connect(name, stream)).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test]
async fn both_sides_prove_which_service_they_are() {
    let ours = Authority::new("ours");
    let server = start_tls(ours.server(true)).await;
    let tester = ours.service("tester");
    let channel = secure(&server, ours.client("greeter", Some(&tester)));
    let said = goodbye(&channel).await.unwrap();
    assert_eq!(said, "tester says: goodbye, Ada.");
}

#[tokio::test]
async fn a_peer_that_is_no_service_of_ours_gets_no_connection() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let server = start_tls(ours.server(true)).await;
    for (identity, said) in [
        (None, "certificaterequired"),
        (Some(theirs.service("tester")), "unknownca"),
        (Some(ours.sign("nobody", &[])), "certificate"),
        (
            Some(ours.sign("foreign", &["spiffe://other.example/service/tester"])),
            "certificate",
        ),
        (
            Some(ours.sign("two", &[id("tester").as_str(), id("other").as_str()])),
            "certificate",
        ),
    ] {
        let channel = secure(&server, ours.client("greeter", identity.as_ref()));
        let status = goodbye(&channel).await.unwrap_err();
        assert_unreachable(&status, said);
    }
}

#[tokio::test]
async fn a_server_that_is_another_service_is_not_called() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let server = start_tls(ours.server(false)).await;
    for (tls, said) in [
        (
            ours.client("auth", None),
            "is of spiffe://greeter.example/service/greeter, and spiffe://greeter.example/service/auth is called",
        ),
        (theirs.client("greeter", None), "unknownissuer"),
    ] {
        let status = goodbye(&secure(&server, tls)).await.unwrap_err();
        assert_unreachable(&status, said);
    }
}

#[tokio::test]
async fn a_token_counts_on_the_connection_of_its_service_only() {
    let ours = Authority::new("ours");
    let server = start_tls(ours.server(true)).await;
    let other = ours.service("other");
    let channel = secure(&server, ours.client("greeter", Some(&other)));
    let status = goodbye(&channel).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    let info = info(&status);
    assert_eq!(info.reason, "CALLER_MISMATCH");
    assert_eq!(info.domain, "greeter.scribemed");
    assert_eq!(
        (&*info.metadata["caller"], &*info.metadata["certified"]),
        ("tester", "other")
    );
    assert!(
        status.message().contains("is of tester") && status.message().contains("of other"),
        "{}",
        status.message()
    );
    // What is open to everybody is open to it, too.
    let request = SayHelloRequest {
        name: "Ada".to_owned(),
    };
    let mut greeter = GreeterServiceClient::over(channel);
    assert!(soon(greeter.say_hello(request)).await.is_ok());
}

#[tokio::test]
async fn a_certificate_that_is_optional_is_checked_when_it_is_shown() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let server = start_tls(ours.server(false)).await;
    let without = secure(&server, ours.client("greeter", None));
    assert!(goodbye(&without).await.is_ok());
    let stranger = theirs.service("tester");
    let with = secure(&server, ours.client("greeter", Some(&stranger)));
    assert_unreachable(&goodbye(&with).await.unwrap_err(), "unknownca");
}

#[tokio::test]
async fn new_certificates_hold_for_new_connections_and_calls_go_on() {
    let ours = Authority::new("ours");
    let tls = ours.server(true);
    let mut server = start_tls(tls.clone()).await;
    let tester = ours.service("tester");
    let client = ours.client("greeter", Some(&tester));
    let channel = secure(&server, client.clone());

    // A call that is in the middle of its request.
    let (pictures, rest) = tokio::sync::mpsc::channel(1);
    let mut trouble = TroubleServiceClient::over(channel.clone());
    let rest = tokio_stream::wrappers::ReceiverStream::new(rest);
    let call = tokio::spawn(async move { trouble.collect(rest).await });
    pictures.send(SendPictureRequest::default()).await.unwrap();
    assert_eq!(server.event().await, Event::Entered("Collect"));
    assert_eq!(server.event().await, Event::Entered("Collect: a picture"));

    let first = shown(&server, &ours, &tester).await;
    assert!(!tls.reload().unwrap());
    let before = std::fs::read(ours.ca()).unwrap();
    ours.service("greeter");
    assert!(tls.reload().unwrap());
    let second = shown(&server, &ours, &tester).await;
    assert_ne!(first, second);
    assert_eq!(std::fs::read(ours.ca()).unwrap(), before);

    // The client's own changes, to that of another service, and the connection that is there stays the tester's.
    ours.sign("tester", &[id("other").as_str()]);
    assert!(client.reload().unwrap());
    assert!(goodbye(&channel).await.is_ok());
    let status = goodbye(&secure(&server, client)).await.unwrap_err();
    assert_eq!(reason(&status), "CALLER_MISMATCH");

    pictures.send(SendPictureRequest::default()).await.unwrap();
    drop(pictures);
    let collected = soon(call).await.unwrap().unwrap();
    assert_eq!(collected.into_inner().count, 2);
}

#[tokio::test]
async fn half_a_change_changes_nothing() {
    let ours = Authority::new("ours");
    let identity = ours.service("greeter");
    let clients = ClientCertificates::None;
    let tls = ServerTls::open(TlsConfig {
        identity: identity.clone(),
        clients,
    })
    .unwrap();
    let server = start_tls(tls.clone()).await;
    let key = std::fs::read(&identity.key).unwrap();
    ours.service("greeter");
    std::fs::write(&identity.key, &key).unwrap();
    let error = tls.reload().unwrap_err().to_string();
    assert!(error.contains("greeter.key does not belong to"), "{error}");
    let channel = secure(&server, ours.client("greeter", None));
    assert!(goodbye(&channel).await.is_ok());
}

#[tokio::test]
async fn one_side_with_tls_and_one_without_part_at_once() {
    let ours = Authority::new("ours");
    let server = start_tls(ours.server(false)).await;
    let status = goodbye(&server.channel_with(&["say:goodbyes"]))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");

    // What it gets is an alert of TLS, and then the end of the stream, not a reset.
    let mut plain = TcpStream::connect(server.address).await.unwrap();
    plain
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await
        .unwrap();
    let mut said = Vec::new();
    soon(plain.read_to_end(&mut said)).await.unwrap();
    assert_eq!(said.first(), Some(&21), "alert (RFC 8446, section 5.1)");

    let plain = start().await;
    let channel = secure(&plain, ours.client("greeter", None));
    let status = goodbye(&channel).await.unwrap_err();
    assert_unreachable(&status, "handshakefailure");
}

#[tokio::test]
async fn grpcurl_calls_with_a_certificate() {
    let ours = Authority::new("ours");
    let server = start_tls(ours.server(true)).await;
    let tester = ours.service("tester");
    let token = server
        .identity
        .token("tester", &permissions(&["say:goodbyes"]))
        .unwrap();
    let header = format!("authorization: Bearer {}", token.secret.expose());
    let (ca, address) = (ours.ca(), server.address.to_string());
    let goodbye = run_grpcurl(&[
        "-cacert",
        text(&ca),
        "-cert",
        text(&tester.certificate),
        "-key",
        text(&tester.key),
        "-H",
        &header,
        "-d",
        r#"{"name": "Ada"}"#,
        &address,
        "greeter.v1.GreeterService/SayGoodbye",
    ])
    .await;
    assert!(goodbye.contains("tester says: goodbye, Ada."), "{goodbye}");
}
