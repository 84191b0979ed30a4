//! Messages that are too large.

use bytes::{BufMut as _, Bytes, BytesMut};
use greeter::v1::{SendManyRequest, SendPictureRequest};
use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::raw::frame;
use crate::support::{info, reason, start};
use crate::trouble::Event;

const SEND: &str = "/greeter.v1.TroubleService/SendPicture";

fn prefix(length: u32) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u8(0);
    out.put_u32(length);
    out.freeze()
}

fn is_too_large(status: &Status, size: &str, limit: &str) {
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    assert_eq!(reason(status), "REQUEST_TOO_LARGE");
    let info = info(status);
    assert_eq!(info.metadata["size_bytes"], size);
    assert_eq!(info.metadata["limit_bytes"], limit);
}

#[tokio::test]
async fn a_message_is_refused_by_its_announced_length() {
    let mut server = start().await;
    let mut raw = server.raw().await;
    let mut begun = raw.begin(SEND, &[]).await;
    // Nothing but the length is sent, and the stream stays open.
    begun.body.send_data(prefix(65_601), false).unwrap();
    let status = begun.end().await.status();
    is_too_large(&status, "65601", "65600");
    assert!(
        status
            .message()
            .contains("picture must be at most 65536 bytes"),
        "{status:?}"
    );
    let fields = status.get_details_bad_request().unwrap().field_violations;
    assert_eq!(fields[0].field, "picture");

    // Also when the length itself comes in pieces.
    let mut begun = raw.begin(SEND, &[]).await;
    for byte in prefix(u32::MAX) {
        begun
            .body
            .send_data(Bytes::from(vec![byte]), false)
            .unwrap();
    }
    is_too_large(&begun.end().await.status(), "4294967295", "65600");
    assert!(server.events.try_recv().is_err(), "no handler was called");
}

#[tokio::test]
async fn the_limit_itself_is_let_through() {
    let server = start().await;
    let picture = Bytes::from(vec![7; 65_536]);
    let title = "ten chars!".to_owned();
    let request = SendPictureRequest { title, picture };
    let answer = server.trouble().send_picture(request.clone()).await;
    assert!(answer.is_ok(), "{answer:?}");
    let status = server
        .raw()
        .await
        .call(SEND, &[], frame(&request))
        .await
        .status();
    assert_eq!(status.code(), Code::Ok);
}

#[tokio::test]
async fn a_generated_client_learns_what_is_too_large() {
    let server = start().await;
    let mut trouble = server.trouble();
    let numbers = (0..1_000_000).collect();
    let many = SendManyRequest { numbers };
    let size = many.encoded_len();
    let status = trouble.send_many(many).await.unwrap_err();
    is_too_large(&status, &size.to_string(), "1024");
    assert!(
        status.get_details_bad_request().is_none(),
        "no field alone is the cause"
    );
    let numbers = vec![1, 2, 3];
    assert!(trouble.send_many(SendManyRequest { numbers }).await.is_ok());
}

#[tokio::test]
async fn each_message_of_a_stream_has_the_limit() {
    let mut server = start().await;
    let small = SendPictureRequest::default();
    let large = SendPictureRequest {
        picture: Bytes::from(vec![0; 70_000]),
        ..small.clone()
    };
    // A generated client finds out before it sends: the picture breaks a rule of the contract.
    let pictures = tokio_stream::iter([small.clone(), small.clone(), large]);
    let status = server.trouble().collect(pictures).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    assert!(
        status.message().contains("picture: must be at most 65536"),
        "{status:?}"
    );

    let mut raw = server.raw().await;
    let mut begun = raw.begin("/greeter.v1.TroubleService/Collect", &[]).await;
    begun.body.send_data(frame(&small), false).unwrap();
    assert_eq!(server.event().await, Event::Entered("Collect"));
    begun.body.send_data(prefix(70_004), false).unwrap();
    is_too_large(&begun.end().await.status(), "70004", "65600");
}
