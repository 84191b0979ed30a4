//! Sends a streamed request, and sends it again from the start while it has not outgrown its buffer (gRFC A6).

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use h2::SendStream;
use http_body::Body as _;
use scribemed_rpc::codec::recover;
use tokio::sync::mpsc;
use tonic::Status;
use tonic::body::Body;

/// How much of a streamed request is kept for another attempt, in bytes.
const REPLAY_LIMIT: usize = 256 * 1024;

/// The hand on a task that sends a streamed request. The task ends when this is dropped, and with it the stream.
#[derive(Debug)]
pub(crate) struct Pump {
    attempts: mpsc::UnboundedSender<SendStream<Bytes>>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Nothing is kept any more: the answer has begun, or the request has outgrown the buffer.
    committed: AtomicBool,
    sent: AtomicU64,
    /// What the encoder said.
    error: ArcSwapOption<Status>,
}

impl Pump {
    /// A pump of what was taken of a body already, and of what is left of it.
    pub(super) fn new(begun: Vec<Bytes>, rest: Body) -> Self {
        let (attempts, received) = mpsc::unbounded_channel();
        let size = begun.iter().map(Bytes::len).sum();
        let shared = Arc::new(Shared::default());
        // What is too large from the start is sent once.
        shared.committed.store(size > REPLAY_LIMIT, Relaxed);
        let task = Task {
            rest: Some(rest),
            size,
            kept: Some(begun),
            shared: Arc::clone(&shared),
        };
        tokio::spawn(task.run(received));
        Self { attempts, shared }
    }

    /// Sends the request, from its start, on the stream of an attempt.
    pub(crate) fn attempt(&self, stream: SendStream<Bytes>) {
        // Where the task has ended, the encoder has failed; the stream is reset when it is dropped.
        let _ = self.attempts.send(stream);
    }

    /// Whether it can still be sent from its start.
    pub(crate) fn can_replay(&self) -> bool {
        !self.shared.committed.load(Relaxed)
    }

    /// The answer has begun: there will be no other attempt.
    pub(crate) fn commit(&self) {
        self.shared.committed.store(true, Relaxed);
    }

    /// Bytes that were given to the transport, all attempts together.
    pub(crate) fn sent(&self) -> u64 {
        self.shared.sent.load(Relaxed)
    }

    /// Why the request could not be made to its end.
    pub(crate) fn error(&self) -> Option<Status> {
        self.shared
            .error
            .load_full()
            .map(|status| Status::clone(&status))
    }
}

struct Task {
    /// `None` once the body has ended.
    rest: Option<Body>,
    /// What was taken from the body, from its start; `None` once that is not kept any more.
    kept: Option<Vec<Bytes>>,
    size: usize,
    shared: Arc<Shared>,
}

/// Why the sending on one attempt is over.
enum Over {
    /// The request is sent to its end, or the stream takes no more: it was reset, or the answer came first.
    Done,
    /// The request cannot be made.
    Failed(Status),
}

impl Task {
    async fn run(mut self, mut attempts: mpsc::UnboundedReceiver<SendStream<Bytes>>) {
        let mut next = attempts.recv().await;
        // `None`: nobody wants the call any more.
        while let Some(mut stream) = next {
            let over = tokio::select! {
                biased;
                newer = attempts.recv() => {
                    stream.send_reset(h2::Reason::CANCEL);
                    next = newer;
                    continue;
                }
                over = self.send(&mut stream) => over,
            };
            if let Over::Failed(status) = over {
                self.shared.error.store(Some(Arc::new(status)));
                stream.send_reset(h2::Reason::CANCEL);
                return;
            }
            next = attempts.recv().await;
        }
    }

    async fn send(&mut self, stream: &mut SendStream<Bytes>) -> Over {
        // Where nothing is kept, the request outgrew the buffer in the very moment in which another attempt was decided on;
        // the stream is reset when it is dropped.
        let Some(kept) = self.kept.clone() else {
            return Over::Done;
        };
        for data in kept {
            if !write(&self.shared, stream, data).await {
                return Over::Done;
            }
        }
        loop {
            if self.shared.committed.load(Relaxed) {
                self.kept = None;
            }
            match poll_fn(|cx| self.take(stream, cx)).await {
                Ok(Some(data)) => {
                    if !write(&self.shared, stream, data).await {
                        return Over::Done;
                    }
                }
                Ok(None) => {
                    // A stream that takes no more is over as well.
                    let _ = stream.send_data(Bytes::new(), true);
                    return Over::Done;
                }
                Err(over) => return over,
            }
        }
    }

    /// The next frame of the body, kept for another attempt. `None`: the body has ended.
    fn take(
        &mut self,
        stream: &mut SendStream<Bytes>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, Over>> {
        // While the caller thinks, the peer may end it.
        if stream.poll_reset(cx).is_ready() {
            return Poll::Ready(Err(Over::Done));
        }
        loop {
            let Some(body) = &mut self.rest else {
                return Poll::Ready(Ok(None));
            };
            match ready!(Pin::new(body).poll_frame(cx)) {
                None => self.rest = None,
                Some(Err(status)) => return Poll::Ready(Err(Over::Failed(recover(status)))),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.keep(&data);
                        return Poll::Ready(Ok(Some(data)));
                    }
                }
            }
        }
    }

    fn keep(&mut self, data: &Bytes) {
        self.size += data.len();
        if self.size > REPLAY_LIMIT {
            self.shared.committed.store(true, Relaxed);
            self.kept = None;
        }
        if let Some(kept) = &mut self.kept {
            kept.push(data.clone());
        }
    }
}

/// Writes one frame as the peer's flow control allows. Returns whether the stream still takes more.
async fn write(shared: &Shared, stream: &mut SendStream<Bytes>, mut data: Bytes) -> bool {
    while !data.is_empty() {
        stream.reserve_capacity(data.len());
        let room = match stream.capacity() {
            0 => match poll_fn(|cx| stream.poll_capacity(cx)).await {
                Some(Ok(room)) => room,
                Some(Err(_)) | None => return false,
            },
            room => room,
        };
        let part = data.split_to(room.min(data.len()));
        shared.sent.fetch_add(part.len() as u64, Relaxed);
        if stream.send_data(part, false).is_err() {
            return false;
        }
    }
    true
}
