//! HTTP/2 frame by frame, for what no library would send.

use std::sync::Arc;

use http::HeaderMap;
use scribemed_client::Io;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::peer::Peer;

const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;

/// What is written when the head of a call comes in.
#[derive(Clone)]
pub(crate) struct Raw {
    write: Arc<dyn Fn(u32) -> Vec<u8> + Send + Sync>,
    then: Then,
}

/// What comes after it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// The connection is closed.
    Close,
    /// The connection goes on.
    GoOn,
    /// The last nine bytes and what belongs to them again and again, until the caller has enough.
    Repeat,
}

impl Raw {
    /// Answers the head of each call with what `write` makes of the number of its stream.
    pub(crate) fn new(then: Then, write: impl Fn(u32) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self {
            write: Arc::new(write),
            then,
        }
    }

    /// Says that it took no call, and goes.
    pub(crate) fn takes_nothing() -> Self {
        Self::new(Then::Close, |_| go_away(0))
    }

    pub(crate) async fn serve(self, peer: &Peer, mut io: impl Io) {
        // Whatever goes wrong: the caller has gone.
        let _ = self.speak(peer, &mut io).await;
    }

    async fn speak(self, peer: &Peer, io: &mut impl Io) -> std::io::Result<()> {
        let mut preface = [0; 24];
        io.read_exact(&mut preface).await?;
        io.write_all(&frame(SETTINGS, 0, 0, &[])).await?;
        loop {
            let mut head = [0; 9];
            io.read_exact(&mut head).await?;
            let [a, b, c, kind, flags, stream @ ..] = head;
            let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
            io.read_exact(&mut payload).await?;
            match kind {
                SETTINGS if flags & ACK == 0 => io.write_all(&frame(SETTINGS, ACK, 0, &[])).await?,
                PING if flags & ACK == 0 => io.write_all(&frame(PING, ACK, 0, &payload)).await?,
                HEADERS => {
                    peer.record("", HeaderMap::new(), 0);
                    let bytes = (self.write)(u32::from_be_bytes(stream));
                    io.write_all(&bytes).await?;
                    match self.then {
                        Then::Close => return Ok(()),
                        Then::GoOn => {}
                        Then::Repeat => loop {
                            io.write_all(&bytes[bytes.len() - REPEATED..]).await?;
                            peer.flooded(REPEATED);
                        },
                    }
                }
                _ => {}
            }
        }
    }
}

/// The size of a repeated frame: 9 bytes of head and 4,096 of payload.
pub(crate) const REPEATED: usize = 9 + 4096;

/// A frame (RFC 9113, section 4.1).
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![a, b, c, kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// GOAWAY without an error: streams above `last` were not taken (RFC 9113, section 6.8).
pub(crate) fn go_away(last: u32) -> Vec<u8> {
    let mut payload = last.to_be_bytes().to_vec();
    payload.extend([0; 4]);
    frame(GOAWAY, 0, 0, &payload)
}
