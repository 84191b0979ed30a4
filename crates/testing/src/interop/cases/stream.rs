//! Cases of many requests or many answers.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use scribemed_client::Channel;
use scribemed_rpc::CallContext;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request};

use super::{Outcome, client, failed, size, zeros};
use crate::interop::v1::{
    EchoStatus, ResponseParameters, StreamingInputCallRequest, StreamingOutputCallRequest,
    StreamingOutputCallResponse,
};

const REQUESTS: [usize; 4] = [27_182, 8, 1_828, 45_904];
const RESPONSES: [usize; 4] = [31_415, 9, 2_653, 58_979];

fn parameters(size: usize) -> anyhow::Result<ResponseParameters> {
    Ok(ResponseParameters {
        size: i32::try_from(size)?,
        ..ResponseParameters::default()
    })
}

/// `there` bytes, to be answered with `back` bytes.
pub(super) fn request(there: usize, back: usize) -> anyhow::Result<StreamingOutputCallRequest> {
    Ok(StreamingOutputCallRequest {
        response_parameters: vec![parameters(back)?],
        payload: Some(zeros(there)),
        ..StreamingOutputCallRequest::default()
    })
}

pub(super) async fn client_streaming(channel: Channel) -> Outcome {
    let requests = REQUESTS.map(|size| StreamingInputCallRequest {
        payload: Some(zeros(size)),
        ..StreamingInputCallRequest::default()
    });
    let answer = client(channel)
        .streaming_input_call(tokio_stream::iter(requests))
        .await?;
    let sum = answer.into_inner().aggregated_payload_size;
    ensure!(sum == 74_922, "{sum} bytes were counted, not 74922");
    Ok(())
}

pub(super) async fn server_streaming(channel: Channel) -> Outcome {
    let request = StreamingOutputCallRequest {
        response_parameters: RESPONSES
            .into_iter()
            .map(parameters)
            .collect::<Result<_, _>>()?,
        ..StreamingOutputCallRequest::default()
    };
    let mut answers = client(channel)
        .streaming_output_call(request)
        .await?
        .into_inner();
    let mut sizes = Vec::new();
    while let Some(answer) = answers.message().await? {
        sizes.push(size(answer.payload.as_ref()));
    }
    ensure!(
        sizes == RESPONSES,
        "answers of {sizes:?} bytes came, not {RESPONSES:?}"
    );
    Ok(())
}

/// A stream of requests that were not all made yet.
fn open() -> (
    mpsc::Sender<StreamingOutputCallRequest>,
    ReceiverStream<StreamingOutputCallRequest>,
) {
    let (sender, receiver) = mpsc::channel(4);
    (sender, ReceiverStream::new(receiver))
}

fn check(answer: Option<&StreamingOutputCallResponse>, expect: usize) -> Outcome {
    let answer = answer.context("the answers ended too early")?;
    let size = size(answer.payload.as_ref());
    ensure!(size == expect, "{size} bytes came, not {expect}");
    Ok(())
}

pub(super) async fn ping_pong(channel: Channel) -> Outcome {
    let (sender, requests) = open();
    // A server may keep its head back until it has something to say.
    sender.send(request(REQUESTS[0], RESPONSES[0])?).await?;
    let mut answers = client(channel)
        .full_duplex_call(requests)
        .await?
        .into_inner();
    check(answers.message().await?.as_ref(), RESPONSES[0])?;
    for (there, back) in REQUESTS.into_iter().zip(RESPONSES).skip(1) {
        sender.send(request(there, back)?).await?;
        check(answers.message().await?.as_ref(), back)?;
    }
    drop(sender);
    ensure!(
        answers.message().await?.is_none(),
        "an answer came to nothing"
    );
    Ok(())
}

pub(super) async fn empty_stream(channel: Channel) -> Outcome {
    let mut answers = client(channel)
        .full_duplex_call(tokio_stream::empty())
        .await?
        .into_inner();
    ensure!(
        answers.message().await?.is_none(),
        "an answer came to nothing"
    );
    Ok(())
}

pub(super) async fn cancel_after_begin(channel: Channel) -> Outcome {
    let context = CallContext::background();
    let (sender, receiver) = mpsc::channel::<StreamingInputCallRequest>(1);
    let mut client = client(channel);
    let call = context.clone().scope(async move {
        client
            .streaming_input_call(ReceiverStream::new(receiver))
            .await
    });
    let call = tokio::spawn(call);
    // A message that is taken is one that the call asked for after its head; nothing of it is in the way of being cancelled.
    sender.send(StreamingInputCallRequest::default()).await?;
    sender.reserve().await?;
    context.cancel();
    failed(call.await?, Code::Cancelled).map(drop)
}

pub(super) async fn cancel_after_first_response(channel: Channel) -> Outcome {
    let context = CallContext::background();
    let (sender, requests) = open();
    sender.send(request(REQUESTS[0], RESPONSES[0])?).await?;
    let mut client = client(channel);
    let mut answers = context
        .clone()
        .scope(async move { client.full_duplex_call(requests).await })
        .await?
        .into_inner();
    check(answers.message().await?.as_ref(), RESPONSES[0])?;
    context.cancel();
    failed(answers.message().await, Code::Cancelled).map(drop)
}

pub(super) async fn timeout_on_sleeping_server(channel: Channel) -> Outcome {
    let (sender, requests) = open();
    let silent = StreamingOutputCallRequest {
        payload: Some(zeros(REQUESTS[0])),
        ..StreamingOutputCallRequest::default()
    };
    sender.send(silent).await?;
    let mut request = Request::new(requests);
    request.set_timeout(Duration::from_millis(1));
    let result = match client(channel).full_duplex_call(request).await {
        Ok(answers) => answers.into_inner().message().await.map(drop),
        Err(status) => Err(status),
    };
    failed(result, Code::DeadlineExceeded).map(drop)
}

/// The streamed half of the case of this name.
pub(super) async fn status_code_and_message(channel: Channel, message: &str) -> Outcome {
    let request = StreamingOutputCallRequest {
        response_status: Some(EchoStatus {
            code: Code::Unknown as i32,
            message: message.to_owned(),
        }),
        ..StreamingOutputCallRequest::default()
    };
    // A server may say so in its head.
    let result = match client(channel)
        .full_duplex_call(tokio_stream::iter([request]))
        .await
    {
        Ok(answers) => answers.into_inner().message().await,
        Err(status) => Err(status),
    };
    let status = failed(result, Code::Unknown)?;
    ensure!(
        status.message() == message,
        "the message is {:?}",
        status.message()
    );
    Ok(())
}
