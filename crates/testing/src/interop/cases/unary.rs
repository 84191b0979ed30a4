//! Cases of one request and one answer.

use anyhow::ensure;
use scribemed_client::Channel;
use scribemed_rpc::ClientContract as _;
use tonic::Code;

use super::{Outcome, client, failed, size, stream, zeros};
use crate::interop::v1::unimplemented_service_client::UnimplementedServiceClient;
use crate::interop::v1::{EchoStatus, Empty, SimpleRequest};

const LARGE_REQUEST: usize = 271_828;
const LARGE_RESPONSE: usize = 314_159;

pub(super) async fn empty_unary(channel: Channel) -> Outcome {
    client(channel).empty_call(Empty {}).await?;
    Ok(())
}

pub(super) async fn large_unary(channel: Channel) -> Outcome {
    let request = SimpleRequest {
        response_size: i32::try_from(LARGE_RESPONSE)?,
        payload: Some(zeros(LARGE_REQUEST)),
        ..SimpleRequest::default()
    };
    let response = client(channel).unary_call(request).await?.into_inner();
    let size = size(response.payload.as_ref());
    ensure!(
        size == LARGE_RESPONSE,
        "{size} bytes came, not {LARGE_RESPONSE}"
    );
    Ok(())
}

fn asking_for(code: Code, message: &str) -> SimpleRequest {
    SimpleRequest {
        response_status: Some(EchoStatus {
            code: code as i32,
            message: message.to_owned(),
        }),
        ..SimpleRequest::default()
    }
}

pub(super) async fn status_code_and_message(channel: Channel) -> Outcome {
    const MESSAGE: &str = "test status message";
    let request = asking_for(Code::Unknown, MESSAGE);
    let mut client = client(channel.clone());
    let status = failed(client.unary_call(request).await, Code::Unknown)?;
    ensure!(
        status.message() == MESSAGE,
        "the message is {:?}",
        status.message()
    );
    stream::status_code_and_message(channel, MESSAGE).await
}

pub(super) async fn special_status_message(channel: Channel) -> Outcome {
    const MESSAGE: &str =
        "\t\ntest with whitespace\r\nand Unicode BMP \u{263a} and non-BMP \u{1f608}\t\n";
    let request = asking_for(Code::Unknown, MESSAGE);
    let status = failed(client(channel).unary_call(request).await, Code::Unknown)?;
    ensure!(
        status.message() == MESSAGE,
        "the message is {:?}",
        status.message()
    );
    Ok(())
}

pub(super) async fn unimplemented_method(channel: Channel) -> Outcome {
    let result = client(channel).unimplemented_call(Empty {}).await;
    failed(result, Code::Unimplemented).map(drop)
}

pub(super) async fn unimplemented_service(channel: Channel) -> Outcome {
    let mut client = UnimplementedServiceClient::over(channel);
    let result = client.unimplemented_call(Empty {}).await;
    failed(result, Code::Unimplemented).map(drop)
}

/// There is one server, so the picker has no choice: all calls reach it. Not every server tells an id.
pub(super) async fn pick_first_unary(channel: Channel) -> Outcome {
    let mut client = client(channel);
    let mut first = None;
    for _ in 0..100 {
        let request = SimpleRequest {
            response_size: 1,
            payload: Some(zeros(1)),
            fill_server_id: true,
            ..SimpleRequest::default()
        };
        let id = client.unary_call(request).await?.into_inner().server_id;
        let first = first.get_or_insert_with(|| id.clone());
        ensure!(id == *first, "{first:?} answered first, and {id:?} later");
    }
    Ok(())
}
