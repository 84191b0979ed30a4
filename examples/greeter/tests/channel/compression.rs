//! gzip and zstd, as tonic offers them, between the channel and our own server.

use std::pin::Pin;

use greeter::identity::{Identity, NAME};
use greeter::v1::resilience_service_server::{ResilienceService, ResilienceServiceServer};
use greeter::v1::{ResilienceRequest, ResilienceResponse};
use scribemed_client::Channel;
use tokio::net::TcpListener;
use tokio_stream::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tonic::codec::CompressionEncoding::{self, Gzip, Zstd};
use tonic::{Request, Response, Status, Streaming};

use crate::support::{CONTRACT, Client, client, config, error, id, over, report, request, soon};

/// Answers each request with its id and as much as it asks for.
struct Echo;

type Answers = Pin<Box<dyn Stream<Item = Result<ResilienceResponse, Status>> + Send>>;
type Answered = Result<Response<ResilienceResponse>, Status>;

fn answer(request: ResilienceRequest) -> ResilienceResponse {
    ResilienceResponse {
        id: request.id,
        payload: vec![b'x'; usize::try_from(request.size).unwrap()].into(),
        attempt: 1,
    }
}

#[tonic::async_trait]
impl ResilienceService for Echo {
    type FlakyStreamStream = Answers;
    type ChatStream = Answers;

    async fn flaky(&self, request: Request<ResilienceRequest>) -> Answered {
        let encoding = request.metadata().get("grpc-encoding").cloned();
        let mut response = Response::new(answer(request.into_inner()));
        if let Some(encoding) = encoding {
            response.metadata_mut().insert("x-request-encoding", encoding);
        }
        Ok(response)
    }

    async fn flaky_once(&self, request: Request<ResilienceRequest>) -> Answered {
        Ok(Response::new(answer(request.into_inner())))
    }

    async fn hedged(&self, request: Request<ResilienceRequest>) -> Answered {
        Ok(Response::new(answer(request.into_inner())))
    }

    async fn patient(&self, request: Request<ResilienceRequest>) -> Answered {
        Ok(Response::new(answer(request.into_inner())))
    }

    async fn flaky_upload(&self, request: Request<Streaming<ResilienceRequest>>) -> Answered {
        let mut messages = request.into_inner();
        let mut last = ResilienceRequest::default();
        while let Some(message) = messages.message().await? {
            last = message;
        }
        Ok(Response::new(answer(last)))
    }

    async fn flaky_stream(&self, request: Request<ResilienceRequest>) -> Result<Response<Answers>, Status> {
        let request = request.into_inner();
        let answers = (0..3).map(move |_| Ok(answer(request.clone())));
        Ok(Response::new(Box::pin(tokio_stream::iter(answers))))
    }

    async fn chat(&self, request: Request<Streaming<ResilienceRequest>>) -> Result<Response<Answers>, Status> {
        let answers = request.into_inner().map(|message| message.map(answer));
        Ok(Response::new(Box::pin(answers)))
    }
}

/// A client of a server that takes and gives these encodings.
async fn client_of(encodings: &[CompressionEncoding]) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    let mut service = ResilienceServiceServer::new(Echo);
    for encoding in encodings {
        service = service.accept_compressed(*encoding).send_compressed(*encoding);
    }
    let verifier = Identity::new().unwrap().verifier().unwrap();
    let server = scribemed_server::Builder::new(NAME, verifier).add(service);
    tokio::spawn(server.serve(listener, CancellationToken::new()));
    let channel = Channel::builder(&target.parse().unwrap(), &[CONTRACT])
        .config(config(|_| {}))
        .build()
        .unwrap();
    over(&channel)
}

fn large() -> ResilienceRequest {
    ResilienceRequest {
        id: "i".repeat(100_000),
        size: 100_000,
    }
}

#[tokio::test]
async fn messages_are_compressed_both_ways() {
    for (encoding, name) in [(Gzip, "gzip"), (Zstd, "zstd")] {
        let mut client = client_of(&[encoding])
            .await
            .send_compressed(encoding)
            .accept_compressed(encoding);
        let response = soon(client.flaky(large())).await.unwrap();
        assert_eq!(response.metadata().get("grpc-encoding").unwrap(), name);
        assert_eq!(response.metadata().get("x-request-encoding").unwrap(), name);
        let response = response.into_inner();
        assert_eq!((response.id.len(), response.payload.len()), (100_000, 100_000));

        let upload = tokio_stream::iter(vec![large(), large()]);
        let response = soon(client.flaky_upload(upload)).await.unwrap().into_inner();
        assert_eq!(response.payload.len(), 100_000);
        let chat = tokio_stream::iter(vec![large(), large()]);
        let mut chat = soon(client.chat(chat)).await.unwrap().into_inner();
        for _ in 0..2 {
            let answer = soon(chat.message()).await.unwrap().unwrap();
            assert_eq!(answer.payload.len(), 100_000);
        }
        assert!(soon(chat.message()).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn what_only_one_side_knows_is_not_used() {
    // The server compresses for those who take it.
    let mut plain = client_of(&[Gzip]).await;
    let response = soon(plain.flaky(large())).await.unwrap();
    assert!(response.metadata().get("grpc-encoding").is_none());
    assert_eq!(response.into_inner().payload.len(), 100_000);
    // What the server does not know is refused, and not sent again.
    let mut other = client_of(&[Gzip]).await.send_compressed(Zstd);
    let status = error(soon(other.flaky(large())).await);
    assert_eq!(status.code(), tonic::Code::Unimplemented);
    assert_eq!(report(&status).attempts(), 1);
}
