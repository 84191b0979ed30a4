//! The body of a request, as it comes off the wire.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;
use http_body::{Body, Frame};

/// What a caller sends. A stream that is reset or breaks off is an error, whatever the reason: it must not look like one
/// that has come to its end.
pub(crate) struct RequestBody {
    stream: RecvStream,
    /// Only trailers can follow.
    data_ended: bool,
    ended: bool,
}

impl RequestBody {
    pub(crate) fn new(stream: RecvStream) -> Self {
        Self {
            stream,
            data_ended: false,
            ended: false,
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        while !this.data_ended {
            match ready!(this.stream.poll_data(cx)).transpose() {
                Ok(Some(data)) => {
                    // The caller may send as much again as was taken from here (RFC 9113, section 5.2).
                    this.stream.flow_control().release_capacity(data.len())?;
                    if !data.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(data))));
                    }
                }
                Ok(None) => this.data_ended = true,
                Err(error) => {
                    this.ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
        let trailers = ready!(this.stream.poll_trailers(cx));
        this.ended = true;
        Poll::Ready(
            trailers
                .transpose()
                .map(|trailers| trailers.map(Frame::trailers)),
        )
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.stream.is_end_stream()
    }
}
