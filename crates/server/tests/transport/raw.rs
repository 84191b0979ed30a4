//! A peer that speaks frame by frame.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use crate::support::Running;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(crate) const RST_STREAM: u8 = 3;
/// Fields of a header block (RFC 7541, appendix A and section 6.2.2).
pub(crate) const POST: u8 = 0x83;
pub(crate) const HTTP: u8 = 0x86;
pub(crate) const CONTENT_TYPE: [u8; 19] = *b"\x0f\x10\x10application/grpc";

/// `:path` as a field.
pub(crate) fn path_of(path: &str) -> Vec<u8> {
    let mut field = vec![0x04, u8::try_from(path.len()).unwrap()];
    field.extend(path.as_bytes());
    field
}

/// A field as it is.
pub(crate) fn field(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut field = vec![0x00, u8::try_from(name.len()).unwrap()];
    field.extend(name);
    field.push(u8::try_from(value.len()).unwrap());
    field.extend(value);
    field
}

/// A peer that speaks frame by frame.
pub(crate) struct Raw(DuplexStream);

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) payload: Vec<u8>,
}

impl Raw {
    pub(crate) async fn connect(server: &Running) -> Self {
        let (io, _writes) = server.connect();
        let mut raw = Self(io);
        raw.0
            .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .await
            .unwrap();
        raw.send(SETTINGS, 0, 0, &[]).await;
        raw
    }

    pub(crate) async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = length[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        self.0.write_all(&frame).await.unwrap();
    }

    /// The head of a call of the health service; its message follows.
    pub(crate) async fn begin(&mut self, stream: u32, path: &str) {
        let block = [&[POST, HTTP][..], &path_of(path), &CONTENT_TYPE].concat();
        self.send(HEADERS, END_HEADERS, stream, &block).await;
    }

    pub(crate) async fn finish(&mut self, stream: u32) {
        self.send(DATA, 1, stream, &[0; 5]).await;
    }

    /// The next frame but settings, window updates; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            let mut head = [0; 9];
            self.0.read_exact(&mut head).await.ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            self.0.read_exact(&mut payload).await.ok()?;
            let [.., kind, flags, _, _, _, _] = head;
            if matches!(kind, DATA | HEADERS | RST_STREAM | PING | GOAWAY) {
                return Some(Frame {
                    kind,
                    flags,
                    payload,
                });
            }
        }
    }

    pub(crate) async fn kinds<const N: usize>(&mut self) -> [u8; N] {
        let mut kinds = [0; N];
        for kind in &mut kinds {
            *kind = self.next().await.unwrap().kind;
        }
        kinds
    }
}
