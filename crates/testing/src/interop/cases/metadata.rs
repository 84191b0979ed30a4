//! Metadata there and back.

use anyhow::{Context as _, ensure};
use scribemed_client::Channel;
use tonic::Request;
use tonic::metadata::{MetadataMap, MetadataValue};

use super::{Outcome, client, size, stream, zeros};
use crate::interop::echo::{INITIAL, TRAILING};
use crate::interop::v1::SimpleRequest;

const TEXT: &str = "test_initial_metadata_value";
const BYTES: [u8; 6] = [0x0a, 0x0b, 0x0a, 0x0b, 0x0a, 0x0b];

fn with_metadata<T>(message: T) -> anyhow::Result<Request<T>> {
    let mut request = Request::new(message);
    let map = request.metadata_mut();
    map.insert("x-grpc-test-echo-initial", TEXT.parse()?);
    let bytes = MetadataValue::from_bytes(&BYTES);
    map.insert_bin("x-grpc-test-echo-trailing-bin", bytes);
    Ok(request)
}

fn check_initial(map: &MetadataMap) -> Outcome {
    let all: Vec<_> = map.get_all(INITIAL.as_str()).iter().collect();
    ensure!(all == [TEXT], "{INITIAL} came back as {all:?}");
    Ok(())
}

fn check_trailing(map: &MetadataMap) -> Outcome {
    let all: Vec<_> = map.get_all_bin(TRAILING.as_str()).iter().collect();
    ensure!(all.len() == 1, "{TRAILING} came back as {all:?}");
    let bytes = all[0].to_bytes()?;
    ensure!(bytes == BYTES[..], "{TRAILING} came back as {bytes:?}");
    Ok(())
}

pub(super) async fn custom_metadata(channel: Channel) -> Outcome {
    let mut client = client(channel);
    let request = with_metadata(SimpleRequest {
        response_size: 1,
        payload: Some(zeros(1)),
        ..SimpleRequest::default()
    })?;
    let response = client.unary_call(request).await?;
    ensure!(
        size(response.get_ref().payload.as_ref()) == 1,
        "not 1 byte came"
    );
    // tonic puts the trailers of a unary answer beside its head.
    check_initial(response.metadata())?;
    check_trailing(response.metadata())?;

    let requests = tokio_stream::iter([stream::request(1, 1)?]);
    let response = client.full_duplex_call(with_metadata(requests)?).await?;
    check_initial(response.metadata())?;
    let mut answers = response.into_inner();
    while answers.message().await?.is_some() {}
    let trailers = answers.trailers().await?.context("there are no trailers")?;
    check_trailing(&trailers)
}
