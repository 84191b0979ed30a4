//! The contract's limit on the size of a request message, checked at the length prefix: before the message is received.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};
use scribemed_rpc::{Fault, MethodPolicy, reason};
use tonic::{Code, Status};

/// A length-prefixed message begins with one byte of flags and four of length (PROTOCOL-HTTP2, Length-Prefixed-Message).
const PREFIX: usize = 5;

/// A request body whose messages are at most as large as the contract allows.
pub(crate) struct Limited<B> {
    inner: B,
    /// `None`: only what breaks off is looked for.
    policy: Option<&'static MethodPolicy>,
    domain: &'static str,
    lengths: Lengths,
    /// Where the bytes of its messages are counted.
    received: Arc<AtomicU64>,
    ended: bool,
}

impl<B> Limited<B> {
    pub(crate) fn new(
        inner: B,
        policy: Option<&'static MethodPolicy>,
        domain: &'static str,
        received: Arc<AtomicU64>,
    ) -> Self {
        Self {
            inner,
            policy,
            domain,
            lengths: Lengths::default(),
            received,
            ended: false,
        }
    }
}

/// How far the current message has come: its prefix, then what is left of it.
#[derive(Default)]
pub(crate) struct Lengths {
    prefix: [u8; PREFIX],
    filled: usize,
    left: usize,
    total: u64,
}

impl Lengths {
    /// Follows the messages through `data`, however long they are.
    pub(crate) fn follow(&mut self, data: &[u8]) {
        self.above(usize::MAX, data);
    }

    /// The bytes of all messages so far, without their prefixes; a message that has begun counts as a whole.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Follows the messages through `data`. Returns the length of the first that is longer than `limit`.
    fn above(&mut self, limit: usize, mut data: &[u8]) -> Option<usize> {
        while !data.is_empty() {
            if self.left > 0 {
                let skipped = self.left.min(data.len());
                self.left -= skipped;
                data = &data[skipped..];
                continue;
            }
            let taken = (PREFIX - self.filled).min(data.len());
            self.prefix[self.filled..self.filled + taken].copy_from_slice(&data[..taken]);
            self.filled += taken;
            data = &data[taken..];
            if self.filled == PREFIX {
                self.filled = 0;
                let [_, a, b, c, d] = self.prefix;
                self.left = u32::from_be_bytes([a, b, c, d]) as usize;
                if self.left > limit {
                    return Some(self.left);
                }
                self.total += self.left as u64;
            }
        }
        None
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Limited<B>
where
    B::Error: std::error::Error + 'static,
{
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        let frame = match ready!(Pin::new(&mut this.inner).poll_frame(cx)) {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => {
                // A caller that goes away in the middle of a stream must not look like one that has finished: half an
                // upload would be taken for the whole.
                this.ended = true;
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "a request broke off"
                );
                return Poll::Ready(Some(Err(caller_gone(this.domain))));
            }
            None => {
                this.ended = true;
                return Poll::Ready(None);
            }
        };
        if let Some(data) = frame.data_ref() {
            let limit = this
                .policy
                .map_or(usize::MAX, |policy| policy.max_request_bytes);
            let above = this.lengths.above(limit, data);
            this.received.store(this.lengths.total(), Ordering::Relaxed);
            if let (Some(policy), Some(size)) = (this.policy, above) {
                this.ended = true;
                return Poll::Ready(Some(Err(too_large(policy, this.domain, size))));
            }
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.inner.is_end_stream()
    }
}

/// Not CANCELLED, which tonic's request streams take for a regular end.
fn caller_gone(domain: &'static str) -> Status {
    Fault::new(
        Code::Aborted,
        reason::CANCELLED,
        domain,
        "the caller went away before the end of its request",
    )
    .into_status()
}

fn too_large(policy: &MethodPolicy, domain: &'static str, size: usize) -> Status {
    let limit = policy.max_request_bytes;
    Fault::request_too_large(Some(policy), limit, domain, size).into_status()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two messages, of 3 and of 7 bytes.
    const BYTES: [u8; 20] = [0, 0, 0, 0, 3, 1, 2, 3, 0, 0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7];

    #[test]
    fn messages_are_followed_however_they_are_cut() {
        for piece in 1..=BYTES.len() {
            let mut lengths = Lengths::default();
            let found = BYTES.chunks(piece).find_map(|data| lengths.above(6, data));
            assert_eq!(found, Some(7), "in pieces of {piece}");
            assert_eq!(lengths.total(), 3);
            let mut lengths = Lengths::default();
            assert!(
                BYTES
                    .chunks(piece)
                    .all(|data| lengths.above(7, data).is_none())
            );
            assert_eq!(lengths.total(), 10);
        }
    }
}
