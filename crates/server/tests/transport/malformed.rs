//! Heads that HTTP/2 does not allow: their stream is reset, and their connection goes on (RFC 9113, section 8.1.1).

use crate::raw::{
    ACK, CONTENT_TYPE, DATA, END_HEADERS, GOAWAY, HEADERS, HTTP, PING, POST, RST_STREAM, Raw,
    field, path_of,
};
use crate::support::{CHECK, start};

const PROTOCOL_ERROR: [u8; 4] = [0, 0, 0, 1];

#[tokio::test(start_paused = true)]
async fn a_malformed_head_resets_its_stream_alone() {
    let server = start();
    let mut raw = Raw::connect(&server).await;
    let good = [&[POST, HTTP][..], &path_of(CHECK), &CONTENT_TYPE].concat();
    let and = |field: Vec<u8>| [&good[..], &field].concat();
    let table: [(&str, Vec<u8>); 12] = [
        ("an empty path", [&[POST, HTTP][..], &path_of("")].concat()),
        (
            "a path with a space",
            [&[POST, HTTP][..], &path_of("/a b")].concat(),
        ),
        ("two paths", and(path_of(CHECK))),
        (
            "no method",
            [&[HTTP][..], &path_of(CHECK), &CONTENT_TYPE].concat(),
        ),
        (
            "no scheme",
            [&[POST][..], &path_of(CHECK), &CONTENT_TYPE].concat(),
        ),
        ("a pseudo-header behind others", and(vec![0x84])),
        ("a status", and(vec![0x88])),
        ("te", and(field(b"te", b"gzip"))),
        ("connection", and(field(b"connection", b"close"))),
        (
            "transfer-encoding",
            and(field(b"transfer-encoding", b"chunked")),
        ),
        ("no number", and(field(b"content-length", b"much"))),
        (
            "two lengths",
            and([
                field(b"content-length", b"5"),
                field(b"content-length", b"6"),
            ]
            .concat()),
        ),
    ];
    let mut stream = 1;
    for (what, block) in table {
        raw.send(HEADERS, END_HEADERS, stream, &block).await;
        let reset = raw.next().await.unwrap();
        assert_eq!(
            (reset.kind, &reset.payload[..]),
            (RST_STREAM, &PROTOCOL_ERROR[..]),
            "{what}"
        );
        raw.begin(stream + 2, CHECK).await;
        raw.finish(stream + 2).await;
        assert_eq!(raw.kinds().await, [HEADERS, DATA, HEADERS], "{what}");
        stream += 4;
    }
}

/// What cannot be decoded leaves both sides with different tables: nothing that follows could be understood.
#[tokio::test(start_paused = true)]
async fn a_block_that_cannot_be_decoded_ends_the_connection() {
    let server = start();
    let table: [(&str, Vec<u8>); 5] = [
        (
            "an index that is not there",
            vec![0xff, 0x80, 0x80, 0x80, 0x01],
        ),
        ("NUL in a value", field(b"x", b"a\0b")),
        ("a line break in a value", field(b"x", b"a\r\nb")),
        ("a name in capitals", field(b"X-Y", b"1")),
        ("a string that ends too soon", vec![0x00, 1, b'x', 50, b'y']),
    ];
    for (what, block) in table {
        let mut raw = Raw::connect(&server).await;
        raw.send(
            HEADERS,
            END_HEADERS,
            1,
            &[&[POST, HTTP], &block[..]].concat(),
        )
        .await;
        let end = raw.next().await.unwrap();
        assert_eq!(end.kind, GOAWAY, "{what}: {end:?}");
        assert_eq!(raw.next().await, None, "{what}");
    }
    let mut raw = Raw::connect(&server).await;
    raw.send(PING, 0, 0, &[0; 8]).await;
    let pong = raw.next().await.unwrap();
    assert_eq!((pong.kind, pong.flags), (PING, ACK));
}

/// A path without a slash is a path of HTTP/2 (`*`), or of nobody.
#[tokio::test(start_paused = true)]
async fn a_path_without_a_slash_is_no_method() {
    let server = start();
    let mut raw = Raw::connect(&server).await;
    raw.begin(1, "*").await;
    raw.finish(1).await;
    // UNIMPLEMENTED, in a head that is all there is.
    assert_eq!(raw.kinds().await, [HEADERS]);
    raw.begin(3, "grpc.health.v1.Health/Check").await;
    let reset = raw.next().await.unwrap();
    assert_eq!(
        (reset.kind, &reset.payload[..]),
        (RST_STREAM, &PROTOCOL_ERROR[..])
    );
}
