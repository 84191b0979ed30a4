//! The TestService.

use std::pin::Pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};
use tonic::{Code, Request, Response, Status, Streaming};

use super::v1::test_service_server::TestService;
use super::v1::{
    EchoStatus, Empty, Payload, PayloadType, ResponseParameters, SimpleRequest, SimpleResponse,
    StreamingInputCallRequest, StreamingInputCallResponse, StreamingOutputCallRequest,
    StreamingOutputCallResponse,
};

/// Answers as it is asked to. Metadata is echoed by [`EchoMetadata`](super::EchoMetadata) around it.
#[derive(Debug, Clone)]
pub struct TestServer {
    id: String,
}

impl Default for TestServer {
    fn default() -> Self {
        Self {
            id: format!("scribemed-{}", std::process::id()),
        }
    }
}

type Answers = Pin<Box<dyn Stream<Item = Result<StreamingOutputCallResponse, Status>> + Send>>;

/// A payload of zeros.
pub(super) fn payload(size: i32) -> Result<Payload, Status> {
    let size = usize::try_from(size)
        .map_err(|_| Status::invalid_argument("a size must not be negative"))?;
    Ok(Payload {
        r#type: PayloadType::Compressable.into(),
        body: vec![0; size].into(),
    })
}

/// The status that the caller wants to see.
fn check(status: Option<EchoStatus>) -> Result<(), Status> {
    match status {
        Some(status) if status.code != 0 => {
            Err(Status::new(Code::from_i32(status.code), status.message))
        }
        _ => Ok(()),
    }
}

async fn answer(parameters: ResponseParameters) -> Result<StreamingOutputCallResponse, Status> {
    if let Ok(wait @ 1..) = u64::try_from(parameters.interval_us) {
        tokio::time::sleep(Duration::from_micros(wait)).await;
    }
    let payload = Some(payload(parameters.size)?);
    Ok(StreamingOutputCallResponse { payload })
}

/// What one request is answered with.
fn answers(request: StreamingOutputCallRequest) -> Answers {
    if let Err(status) = check(request.response_status) {
        return stream::iter([Err(status)]).boxed();
    }
    stream::iter(request.response_parameters)
        .then(answer)
        .boxed()
}

/// What the requests of a stream are answered with, one after the other. The first error is the last word.
fn answer_each<S>(requests: S) -> Answers
where
    S: Stream<Item = Result<StreamingOutputCallRequest, Status>> + Send + 'static,
{
    requests
        .map(|request| match request {
            Ok(request) => answers(request),
            Err(status) => stream::iter([Err(status)]).boxed(),
        })
        .flatten()
        .scan(false, |failed, item| {
            let over = std::mem::replace(failed, item.is_err());
            std::future::ready((!over).then_some(item))
        })
        .boxed()
}

#[tonic::async_trait]
impl TestService for TestServer {
    async fn empty_call(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        Ok(Response::new(Empty {}))
    }

    async fn unary_call(
        &self,
        request: Request<SimpleRequest>,
    ) -> Result<Response<SimpleResponse>, Status> {
        let request = request.into_inner();
        check(request.response_status)?;
        Ok(Response::new(SimpleResponse {
            payload: Some(payload(request.response_size)?),
            server_id: if request.fill_server_id {
                self.id.clone()
            } else {
                String::new()
            },
        }))
    }

    type StreamingOutputCallStream = Answers;

    async fn streaming_output_call(
        &self,
        request: Request<StreamingOutputCallRequest>,
    ) -> Result<Response<Answers>, Status> {
        Ok(Response::new(answers(request.into_inner())))
    }

    async fn streaming_input_call(
        &self,
        request: Request<Streaming<StreamingInputCallRequest>>,
    ) -> Result<Response<StreamingInputCallResponse>, Status> {
        let mut requests = request.into_inner();
        let mut size = 0_usize;
        while let Some(request) = requests.message().await? {
            size += request.payload.map_or(0, |payload| payload.body.len());
        }
        let aggregated_payload_size =
            i32::try_from(size).map_err(|_| Status::out_of_range("more than 2 GiB were sent"))?;
        Ok(Response::new(StreamingInputCallResponse {
            aggregated_payload_size,
        }))
    }

    type FullDuplexCallStream = Answers;

    async fn full_duplex_call(
        &self,
        request: Request<Streaming<StreamingOutputCallRequest>>,
    ) -> Result<Response<Answers>, Status> {
        Ok(Response::new(answer_each(request.into_inner())))
    }

    type HalfDuplexCallStream = Answers;

    async fn half_duplex_call(
        &self,
        request: Request<Streaming<StreamingOutputCallRequest>>,
    ) -> Result<Response<Answers>, Status> {
        let all: Vec<_> = request.into_inner().collect().await;
        Ok(Response::new(answer_each(stream::iter(all))))
    }

    async fn unimplemented_call(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        Err(Status::unimplemented("no server has this method"))
    }
}
