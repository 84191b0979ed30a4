//! Bodies: what is sent in one piece, and what a peer may put into a header block.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::{Buf as _, Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame};
use scribemed_rpc::metadata;
use tonic::Status;

use crate::connection::Broken;

/// Padded or not (PROTOCOL-HTTP2, Custom-Metadata).
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Takes away what tonic would panic on: details that are no base64.
pub(crate) fn sanitize(headers: &mut HeaderMap) {
    if let Some(details) = headers.get(metadata::GRPC_STATUS_DETAILS)
        && BASE64.decode(details.as_bytes()).is_err()
    {
        headers.remove(metadata::GRPC_STATUS_DETAILS);
    }
}

/// All of a request body that is there at once: that of a unary call, which is one message.
pub(crate) async fn frames(body: tonic::body::Body) -> Result<Bytes, Status> {
    let mut body = pin!(body);
    let mut whole = BytesMut::new();
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        if let Ok(data) = frame?.into_data() {
            whole.extend_from_slice(&data);
        }
    }
    Ok(whole.freeze())
}

/// A response body whose trailers are safe to read.
pub(crate) struct Checked<B> {
    inner: B,
}

impl<B> Checked<B> {
    pub(crate) fn new(inner: B) -> Self {
        Self { inner }
    }
}

impl<B: Body<Data = Bytes, Error = Broken> + Unpin> Body for Checked<B> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        Poll::Ready(frame.map(|frame| match frame {
            Ok(frame) => Ok(match frame.into_trailers() {
                Ok(mut trailers) => {
                    sanitize(&mut trailers);
                    Frame::trailers(trailers)
                }
                Err(data) => data,
            }),
            Err(broken) => Err(Status::new(broken.code, broken.what)),
        }))
    }
}

/// A length-prefixed message begins with one byte of flags and four of length (PROTOCOL-HTTP2, Length-Prefixed-Message).
const PREFIX: usize = 5;

/// Follows the messages of a body, to see one that is too large at its length prefix.
#[derive(Debug, Default)]
pub(crate) struct Framing {
    prefix: [u8; PREFIX],
    filled: usize,
    left: usize,
}

impl Framing {
    /// Takes the next bytes of the body.
    ///
    /// # Errors
    /// The size of a message above `limit`, in bytes.
    pub(crate) fn check(&mut self, mut data: &[u8], limit: usize) -> Result<(), usize> {
        while data.has_remaining() {
            let skipped = self.left.min(data.remaining());
            data.advance(skipped);
            self.left -= skipped;
            while self.left == 0 && self.filled < PREFIX && data.has_remaining() {
                self.prefix[self.filled] = data.get_u8();
                self.filled += 1;
            }
            if self.filled == PREFIX {
                self.filled = 0;
                let [_, a, b, c, d] = self.prefix;
                self.left = u32::from_be_bytes([a, b, c, d]) as usize;
                if self.left > limit {
                    return Err(self.left);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn details_that_are_no_base64_are_taken_away() {
        for (sent, kept) in [
            ("CAU", Some("CAU")),
            ("CAU=", Some("CAU=")),
            ("", Some("")),
            ("!!!", None),
            ("CAU=CAU=", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(metadata::GRPC_STATUS_DETAILS, sent.parse().unwrap());
            headers.insert(metadata::GRPC_STATUS, "5".parse().unwrap());
            sanitize(&mut headers);
            let left = headers.get(metadata::GRPC_STATUS_DETAILS);
            assert_eq!(left.map(|v| v.to_str().unwrap()), kept, "{sent}");
            // It must not panic.
            assert_eq!(
                Status::from_header_map(&headers).unwrap().code(),
                tonic::Code::NotFound
            );
        }
    }

    #[test]
    fn a_message_above_the_limit_is_seen_at_its_prefix_however_it_is_cut() {
        let mut body = vec![0, 0, 0, 0, 3, 1, 2, 3];
        body.extend([0, 0, 0, 0, 0]);
        body.extend([0, 0, 0, 1, 0]);
        for cut in 1..=body.len() {
            let check = |limit| {
                let mut framing = Framing::default();
                body.chunks(cut)
                    .try_for_each(|chunk| framing.check(chunk, limit))
            };
            assert_eq!(check(256), Ok(()));
            assert_eq!(check(255), Err(256));
            assert_eq!(check(2), Err(3));
        }
    }
}
