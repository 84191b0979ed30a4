//! Callers that mean harm to a method: messages that unpack to more than they say, or that never come.

use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use greeter::identity::{Identity, NAME};
use greeter::v1::trouble_service_server::TroubleServiceServer;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tonic::codec::CompressionEncoding::{Gzip, Zstd};
use tonic::{Code, Status};

use crate::raw::Raw;
use crate::support::{reason, soon, start};
use crate::trouble::{Event, Trouble};

const SEND: &str = "/greeter.v1.TroubleService/SendPicture";
/// What a message of this method may have, packed and unpacked.
const LIMIT: usize = 65_600;

/// A message that says that it is packed.
fn packed(data: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u8(1);
    out.put_u32(data.len().try_into().unwrap());
    out.put_slice(data);
    out.freeze()
}

/// Bits from the least significant on (RFC 1951, section 3.1.1).
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    free: u32,
}

impl Bits {
    fn put(&mut self, bits: &[u8]) {
        for bit in bits {
            if self.free == 0 {
                self.bytes.push(0);
                self.free = 8;
            }
            let last = self.bytes.last_mut().unwrap();
            *last |= bit << (8 - self.free);
            self.free -= 1;
        }
    }
}

/// gzip of zeros, 258 of them in 13 bits (RFC 1951, section 3.2.6; RFC 1952).
fn gzip_bomb(size: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    for byte in [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3] {
        bits.bytes.push(byte);
    }
    // The last block, with fixed codes; a zero.
    bits.put(&[1, 1, 0]);
    bits.put(&[0, 0, 1, 1, 0, 0, 0, 0]);
    while bits.bytes.len() < size - 16 {
        // 258 bytes from a distance of 1.
        bits.put(&[1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
    }
    bits.put(&[0; 7]);
    bits.bytes.extend([0; 8]);
    bits.bytes
}

/// zstd of zeros, 128 KiB in 4 bytes (RFC 8878, section 3.1.1).
fn zstd_bomb(size: usize) -> Vec<u8> {
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd];
    // No checksum, no size; a window of 128 KiB.
    out.extend([0, 7 << 3]);
    let block: u32 = (128 * 1024) << 3 | 1 << 1;
    while out.len() < size - 8 {
        out.extend(&block.to_le_bytes()[..3]);
        out.push(0);
    }
    // The last one is raw and empty.
    out.extend([1, 0, 0]);
    out
}

async fn start_unpacking() -> (Raw, mpsc::UnboundedReceiver<Event>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, events) = mpsc::unbounded_channel();
    let trouble = Trouble::new(sender, std::sync::Arc::new(Semaphore::new(0)), None);
    let service = TroubleServiceServer::new(trouble)
        .accept_compressed(Gzip)
        .accept_compressed(Zstd);
    let builder =
        scribemed_server::Builder::new(NAME, Identity::new().unwrap().verifier().unwrap());
    tokio::spawn(
        builder
            .add(service)
            .serve(listener, CancellationToken::new()),
    );
    (Raw::connect(address).await, events)
}

#[tokio::test]
async fn a_message_is_unpacked_up_to_the_limit_of_the_contract() {
    let (mut raw, mut events) = start_unpacking().await;
    for (encoding, bomb) in [("gzip", gzip_bomb(LIMIT)), ("zstd", zstd_bomb(LIMIT))] {
        assert!((LIMIT - 100..=LIMIT).contains(&bomb.len()), "{encoding}");
        let answer = raw
            .call(SEND, &[("grpc-encoding", encoding)], packed(&bomb))
            .await;
        let status = answer.status();
        assert_eq!(
            status.code(),
            Code::ResourceExhausted,
            "{encoding}: {status:?}"
        );
        assert!(status.message().contains("65600 bytes"), "{status:?}");
    }
    assert!(events.try_recv().is_err(), "no handler was called");
}

#[tokio::test]
async fn what_cannot_be_unpacked_is_told() {
    let (mut raw, mut events) = start_unpacking().await;
    let check = |status: Status, code, what: &str| {
        assert_eq!(status.code(), code, "{what}: {status:?}");
        assert!(!reason(&status).is_empty(), "{what}");
    };
    let encodings: [(&[(&str, &str)], Code); 4] = [
        // PROTOCOL-HTTP2 and compression.md of gRPC.
        (&[("grpc-encoding", "br")], Code::Unimplemented),
        (&[], Code::Internal),
        (&[("grpc-encoding", "identity")], Code::Internal),
        (&[("grpc-encoding", "gzip")], Code::Internal),
    ];
    for (headers, code) in encodings {
        let answer = raw.call(SEND, headers, packed(b"no gzip")).await;
        check(answer.status(), code, &format!("{headers:?}"));
    }
    // A flag that there is none of.
    let answer = raw
        .call(SEND, &[], Bytes::from_static(&[7, 0, 0, 0, 0]))
        .await;
    check(answer.status(), Code::Internal, "flag 7");
    assert!(events.try_recv().is_err(), "no handler was called");
}

/// The deadline of the contract holds while the message is awaited.
#[tokio::test]
async fn a_message_that_does_not_come_is_not_waited_for_beyond_the_deadline() {
    let server = start().await;
    let mut raw = server.raw().await;
    for said in [&b""[..], b"\0\0\0", b"\0\0\0\0\x05hel"] {
        let mut begun = raw.begin("/greeter.v1.TroubleService/Hang", &[]).await;
        begun
            .body
            .send_data(Bytes::from_static(said), false)
            .unwrap();
        let status = soon(begun.end()).await.status();
        assert_eq!(
            status.code(),
            Code::DeadlineExceeded,
            "{said:?}: {status:?}"
        );
    }
    // And so it is byte by byte, however long that goes on.
    let begun = raw.begin("/greeter.v1.TroubleService/Hang", &[]).await;
    let (mut body, answer) = begun.split();
    let dribble = async {
        body.send_data(Bytes::from_static(b"\0\0\0\x04\0"), false)
            .unwrap();
        let mut pause = tokio::time::interval(Duration::from_millis(10));
        while body.send_data(Bytes::from_static(b"x"), false).is_ok() {
            pause.tick().await;
        }
        std::future::pending::<()>().await;
    };
    let status = tokio::select! {
        answer = soon(answer) => answer.status(),
        () = dribble => Status::ok("never"),
    };
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
}
